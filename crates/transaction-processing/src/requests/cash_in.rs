//! `CI*customer*amount*pin` (Z12): an agent takes cash in; float becomes wallet balance.

use super::parties::{is_own, judge_active, mobile};
use super::secrets::Purpose;
use super::transfer::judge_funds;
use super::{Draft, Scene, Stop};
use crate::account::{Proofs, Status};
use crate::decision::Change;
use crate::limits::Class;
use crate::money::{Money, TypedAmount};
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::request::Payee;
use crate::tariff::{Payer, Priced};
use crate::transfer::{Commission, Kind, State, Transfer};

/// What `CI` says.
pub struct Fields {
    /// For whom.
    pub customer: Payee,
    /// How much.
    pub amount: TypedAmount,
    /// The agent's PIN.
    pub pin: Proofs,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, float, agent) = scene.agent()?;
    scene.judge_pin(float, &fields.pin, Purpose::Use, draft)?;
    judge_active(float)?;
    let number = mobile(fields.customer)?;
    if is_own(agent, float, number) {
        return Err(Refusal::OwnDealing.into());
    }
    let customer = scene.open_account(number).ok_or(Refusal::PayeeNotRegistered)?;
    let tier = customer.tier().ok_or(Refusal::PayeeIsAgent)?;
    if customer.status == Status::Frozen {
        return Err(Refusal::PayeeFrozen.into());
    }
    if customer.currency != float.currency {
        return Err(Refusal::OtherCurrency.into());
    }
    let amount = Money::typed(fields.amount, float.currency).ok_or(Refusal::BadAmount)?;
    scene.books.policy().limits(Class::Customer(tier), float.currency).judge_amount(amount)?;
    scene.judge_holding(customer, amount)?;
    judge_funds(float, &[amount]).map_err(|_| Refusal::NotEnoughFloat)?;
    let charge = scene.price(Priced::CashIn, amount);
    let charges = charge.borne_by(Payer::Payee).plus(charge.borne_by(Payer::Sender)).ok_or(Refusal::BadAmount)?;
    if charges.minor() >= amount.minor() {
        return Err(Refusal::ChargesAboveAmount.into());
    }
    let (commission, dealings) = scene.commission(&charge, amount, agent, number, Priced::CashIn);
    scene.judge_operator_funds(&charge, commission)?;

    // Whoever brings the cash bears the charge, so it is taken from the wallet that the cash went into.
    let transfer = scene.new_transfer();
    draft.about(transfer);
    draft.post(float.id, customer.id, amount);
    scene.draft_shared_charge(draft, &charge, customer.id, float.id, commission);
    draft.change(Change::Transfer(Transfer {
        id: transfer,
        kind: Kind::CashIn,
        made_at: scene.now(),
        sender: float.id,
        sender_number: Some(from),
        payee: number,
        amount,
        charge,
        withdrawal: None,
        state: State::Credited {
            account: customer.id,
            recall_asked_at: None,
            commission: Some(Commission { amount: commission, day: scene.moment.day }),
        },
    }));
    draft.change(Change::Dealings(dealings));
    let balance = scene.balance_after(draft, float);
    scene.tell(draft, from, Text::CashTakenIn { transfer, amount, customer: number, commission, balance });
    let balance = scene.balance_after(draft, customer);
    scene.tell(draft, number, Text::CashPutIn { transfer, amount, charges, agent: agent.code, balance });
    Ok(())
}
