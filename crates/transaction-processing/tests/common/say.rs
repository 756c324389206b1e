//! The messages that people write, with their fields typed in.

use transaction_processing::account::Proofs;
use transaction_processing::ids::TransferId;
use transaction_processing::money::TypedAmount;
use transaction_processing::number::Language;
use transaction_processing::request::{Action, DrawnCodes, NewPin, Payee};
use transaction_processing::requests;
use transaction_processing::requests::claim::{Claimant, Told};

use super::{Secret, WEAK, World, agent, number, private, proofs};

pub use transaction_processing::request::Link;

/// One message. Amounts in minor units, secrets as numbers.
#[derive(Clone, Copy, Debug)]
pub enum Say {
    /// `TM*payee*amount*pin`
    Tm(u64, i64, u32),
    /// `TM` to a number that cannot be a mobile one: `amount`, `pin`
    TmNotMobile(i64, u32),
    /// `TM` with an amount as it was typed
    TmTyped(u64, TypedAmount, u32),
    /// `QT*payee*password*agent code`, sent by the payee
    Qt(u32, u32),
    /// `QT` for another number than one's own
    QtFor(u64, u32, u32),
    /// `GM*payee*amount*code*pin`
    Gm(u64, i64, u32, u32),
    /// `GM` with the number of an identity document
    GmWithDocument(u64, i64, u32, u32),
    /// `GW*payee*amount*password*pin`
    Gw(u64, i64, u32, u32),
    /// `DP*password*pin`
    Dp(u32, u32),
    /// `RS*reference*pin`
    Rs(TransferId, u32),
    /// `RC*reference*pin`
    Rc(TransferId, u32),
    /// `RA*reference*pin`
    Ra(TransferId, u32),
    /// `RG*pin*name`
    Rg(u32),
    /// `RG*code`
    RgCode(u32),
    /// `RG*code*pin`
    RgCodePin(u32, u32),
    /// `CI*customer*amount*pin`
    Ci(u64, i64, u32),
    /// `CO*agent code*amount*pin`
    Co(u32, i64, u32),
    /// `BL*pin`
    Bl(u32),
    /// `ST*pin`
    St(u32),
    /// `PN*old*new`
    Pn(u32, u32),
    /// `LG*language`
    Lg(Language),
    /// `CK*receipt code`
    Ck(Option<TransferId>),
    /// `CK` by a number that has asked about too many receipts
    CkTooOften(TransferId),
    /// `HP`
    Hp,
}

/// An amount of minor units as somebody may have typed it.
pub fn typed(minor: i64) -> TypedAmount {
    TypedAmount { digits: u64::try_from(minor).unwrap(), scale: 2 }
}

impl Say {
    /// The request that the uplink would make of it, codes drawn.
    pub fn action(self, from: u64, world: &mut World) -> Action {
        let versions = world.key_versions.clone();
        let pin = |digits| proofs(&versions, Secret::Pin, from, digits);
        let new_pin = |digits| NewPin { proofs: proofs(&versions, Secret::Pin, from, digits), weak: digits == WEAK };
        let code = |of, digits| -> Proofs { proofs(&versions, Secret::Code, of, digits) };
        let mobile = |digits| Payee::Mobile(number(digits));
        match self {
            Say::Tm(payee, amount, own) => transfer(mobile(payee), typed(amount), pin(own), world.draw(payee)),
            Say::TmNotMobile(amount, own) => transfer(Payee::NotMobile, typed(amount), pin(own), world.draw(from)),
            Say::TmTyped(payee, amount, own) => transfer(mobile(payee), amount, pin(own), world.draw(payee)),
            Say::Qt(password, at) => query(mobile(from), code(from, password), at, world.draw(from)),
            Say::QtFor(payee, password, at) => query(mobile(payee), code(payee, password), at, world.draw(from)),
            Say::Gm(payee, amount, told, own) => {
                claim(pin(own), mobile(payee), amount, Told::Code(code(payee, told)), false)
            }
            Say::GmWithDocument(payee, amount, told, own) => {
                claim(pin(own), mobile(payee), amount, Told::Code(code(payee, told)), true)
            }
            Say::Gw(payee, amount, told, own) => {
                claim(pin(own), mobile(payee), amount, Told::Password(code(payee, told)), true)
            }
            Say::Dp(password, own) => Action::Claim(requests::claim::Fields {
                pin: pin(own),
                claimant: Claimant::Payee { password: code(from, password) },
            }),
            Say::Rs(transfer, own) => {
                let payee = world.transfer(transfer).map(|known| known.payee.digits());
                let passwords = payee.map(|payee| world.draw(payee));
                Action::Resend(requests::resend::Fields { transfer, pin: pin(own), passwords })
            }
            Say::Rc(transfer, own) => Action::Recall(requests::recall::Fields { transfer, pin: pin(own) }),
            Say::Ra(transfer, own) => Action::Agree(requests::agree::Fields { transfer, pin: pin(own) }),
            Say::Rg(new) => Action::Register(requests::register::Fields {
                pin: new_pin(new),
                name: private("name"),
                codes: world.draw(from),
            }),
            Say::RgCode(told) => Action::Confirm(requests::confirm::Fields { code: code(from, told), pin: None }),
            Say::RgCodePin(told, own) => {
                Action::Confirm(requests::confirm::Fields { code: code(from, told), pin: Some(pin(own)) })
            }
            Say::Ci(customer, amount, own) => Action::CashIn(requests::cash_in::Fields {
                customer: mobile(customer),
                amount: typed(amount),
                pin: pin(own),
            }),
            Say::Co(at, amount, own) => {
                Action::CashOut(requests::cash_out::Fields { agent: agent(at), amount: typed(amount), pin: pin(own) })
            }
            Say::Bl(own) => Action::Balance(requests::balance::Fields { pin: pin(own) }),
            Say::St(own) => Action::Statement(requests::statement::Fields { pin: pin(own) }),
            Say::Pn(old, new) => Action::ChangePin(requests::pin::Fields { old: pin(old), new: new_pin(new) }),
            Say::Lg(language) => Action::Language(requests::language::Fields { language }),
            Say::Ck(transfer) => Action::Check(requests::check::Fields { transfer, too_often: false }),
            Say::CkTooOften(transfer) => {
                Action::Check(requests::check::Fields { transfer: Some(transfer), too_often: true })
            }
            Say::Hp => Action::Help(requests::help::Fields),
        }
    }
}

fn transfer(payee: Payee, amount: TypedAmount, pin: Proofs, passwords: DrawnCodes) -> Action {
    Action::Transfer(requests::transfer::Fields { payee, amount, pin, passwords })
}

fn query(payee: Payee, password: Proofs, at: u32, codes: DrawnCodes) -> Action {
    Action::Query(requests::query::Fields { payee, password, agent: agent(at), codes })
}

fn claim(pin: Proofs, payee: Payee, amount: i64, told: Told, shown: bool) -> Action {
    let document = shown.then(|| private("document"));
    Action::Claim(requests::claim::Fields {
        pin,
        claimant: Claimant::Agent { payee, amount: typed(amount), told, document },
    })
}
