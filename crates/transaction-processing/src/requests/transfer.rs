//! `TM*payee*amount*pin` (Z4): money from a customer to any phone number. A registered payee is credited at once; anyone else
//! is sent a withdrawal password.

use super::parties::{judge_active, mobile};
use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::{Account, Proofs, Status};
use crate::decision::Change;
use crate::ids::SystemAccount;
use crate::limits::Class;
use crate::money::{Money, TypedAmount};
use crate::msisdn::Msisdn;
use crate::notice::Text;
use crate::policy::RegisteredPayee;
use crate::refusal::Refusal;
use crate::request::{DrawnCodes, Payee};
use crate::tariff::{Payer, Priced};
use crate::transfer::{Charge, Kind, State, Transfer, Waiting};

/// What `TM` says.
pub struct Fields {
    /// To whom.
    pub payee: Payee,
    /// How much.
    pub amount: TypedAmount,
    /// The sender's PIN.
    pub pin: Proofs,
    /// Withdrawal passwords drawn for the payee.
    pub passwords: DrawnCodes,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, sender) = scene.customer()?;
    scene.judge_pin(sender, &fields.pin, Purpose::Use, draft)?;
    judge_active(sender)?;
    let payee = mobile(fields.payee)?;
    if payee == from {
        return Err(Refusal::ToOneself.into());
    }
    let amount = Money::typed(fields.amount, sender.currency).ok_or(Refusal::BadAmount)?;
    scene.judge_sending(sender, amount, draft)?;
    let charge = scene.price(Priced::Transfer, amount);
    let transfer = |kind, withdrawal, state| Transfer {
        id: scene.new_transfer(),
        kind,
        made_at: scene.now(),
        sender: sender.id,
        sender_number: Some(from),
        payee,
        amount,
        charge,
        withdrawal,
        state,
    };
    match payee_account(scene, payee)? {
        Some(account) => {
            judge_credit(scene, account, amount, &charge)?;
            judge_funds(sender, &[amount, charge.borne_by(Payer::Sender)])?;
            let credited = transfer(
                Kind::ToWallet,
                None,
                State::Credited { account: account.id, recall_asked_at: None, commission: None },
            );
            draft_credit(scene, draft, credited, sender, account);
        }
        None => {
            let withdrawal = scene.price(Priced::Withdrawal, amount);
            let received = judge_stranger(scene, payee, amount)?;
            judge_payable(amount, &charge, &withdrawal)?;
            judge_funds(sender, &[amount, charge.borne_by(Payer::Sender), withdrawal.borne_by(Payer::Sender)])?;
            let password = scene.fresh_password(&fields.passwords, payee)?;
            let waiting = State::Waiting(Waiting {
                password: password.proof,
                expires_at: scene.now().plus_seconds(scene.books.policy().withdrawal_period_seconds),
                reminded: false,
                resent: 0,
                query: None,
                wrong_codes: 0,
                password_at_agent_closed: false,
            });
            draft.changes.extend(received);
            draft_waiting(scene, draft, transfer(Kind::ByPassword, Some(withdrawal), waiting), sender, password);
        }
    }
    Ok(())
}

/// The account to credit; none where the payee gets a password.
fn payee_account<'a>(scene: &Scene<'a>, payee: Msisdn) -> Result<Option<&'a Account>, Refusal> {
    match scene.open_account(payee) {
        Some(account) if account.agent_code().is_some() => Err(Refusal::PayeeIsAgent),
        Some(account) if account.status == Status::Frozen => Err(Refusal::PayeeFrozen),
        Some(account) if scene.books.policy().registered_payee == RegisteredPayee::Credit => Ok(Some(account)),
        _ => Ok(None),
    }
}

fn judge_credit(scene: &Scene<'_>, payee: &Account, amount: Money, charge: &Charge) -> Result<(), Refusal> {
    if payee.currency != amount.currency() {
        return Err(Refusal::OtherCurrency);
    }
    if charge.borne_by(Payer::Payee).minor() >= amount.minor() {
        return Err(Refusal::ChargesAboveAmount);
    }
    scene.judge_holding(payee, amount)
}

/// What a number without an account may be sent, counted; a registered payee who gets passwords counts by their own tier.
fn judge_stranger(scene: &Scene<'_>, payee: Msisdn, amount: Money) -> Result<Option<Change>, Refusal> {
    if scene.open_account(payee).is_some() {
        return Ok(None);
    }
    let limits = scene.books.policy().limits(Class::NonCustomer, amount.currency());
    limits.judge_amount(amount)?;
    let mut number = scene.number_or_new(payee);
    number.received = number.received.at(scene.moment).plus(amount);
    limits.judge_usage(number.received).map_err(|_| Refusal::PayeeMustRegister)?;
    Ok(Some(Change::Number(*number)))
}

/// Out of a transfer that waits, something must be left for the payee.
fn judge_payable(amount: Money, charge: &Charge, withdrawal: &Charge) -> Result<(), Refusal> {
    let taken = charge.borne_by(Payer::Payee).plus(withdrawal.borne_by(Payer::Payee)).ok_or(Refusal::BadAmount)?;
    if taken.minor() >= amount.minor() { Err(Refusal::ChargesAboveAmount) } else { Ok(()) }
}

/// Whether an account covers these parts together.
pub(super) fn judge_funds(account: &Account, parts: &[Money]) -> Result<(), Refusal> {
    let needed =
        parts.iter().try_fold(Money::zero(account.currency), |sum, part| sum.plus(*part)).ok_or(Refusal::BadAmount)?;
    if needed.minor() > account.balance() { Err(Refusal::NotEnoughMoney) } else { Ok(()) }
}

fn draft_credit(scene: &Scene<'_>, draft: &mut Draft, made: Transfer, sender: &Account, payee: &Account) {
    let (transfer, amount, charge) = (made.id, made.amount, made.charge);
    draft.about(transfer);
    draft.post(sender.id, payee.id, amount);
    let bearer = if charge.payer == Payer::Payee { payee.id } else { sender.id };
    scene.draft_charge(draft, &charge, bearer);
    let to_sender = Text::Sent {
        transfer,
        amount,
        charges: charge.borne_by(Payer::Sender),
        payee: made.payee,
        balance: scene.balance_after(draft, sender),
    };
    let charges = charge.borne_by(Payer::Payee);
    let balance = scene.balance_after(draft, payee);
    if let Some(from) = made.sender_number {
        scene.tell(draft, from, to_sender);
        scene.tell(draft, made.payee, Text::Received { transfer, amount, charges, sender: from, balance });
    }
    draft.change(Change::Transfer(made));
}

fn draft_waiting(
    scene: &Scene<'_>,
    draft: &mut Draft,
    made: Transfer,
    sender: &Account,
    password: &crate::request::DrawnCode,
) {
    let (transfer, amount, charge) = (made.id, made.amount, made.charge);
    let in_flight = SystemAccount::TransfersInFlight.id(amount.currency());
    draft.about(transfer);
    draft.post(sender.id, in_flight, amount);
    let withdrawal =
        made.withdrawal.map_or(Money::zero(amount.currency()), |withdrawal| withdrawal.borne_by(Payer::Sender));
    draft.post(sender.id, in_flight, withdrawal);
    if charge.payer == Payer::Sender {
        scene.draft_charge(draft, &charge, sender.id);
    }
    let charges = charge.borne_by(Payer::Sender).plus(withdrawal).unwrap_or(withdrawal);
    let balance = scene.balance_after(draft, sender);
    if let (Some(from), Some(waiting)) = (made.sender_number, made.waiting()) {
        let expires_at = waiting.expires_at;
        let payee = made.payee;
        scene.tell(draft, from, Text::SentByPassword { transfer, amount, charges, payee, balance, expires_at });
        let text = Text::WithdrawalPassword { transfer, amount, sender: from, expires_at };
        scene.tell_code(draft, payee, text, password.sealed.clone(), expires_at);
    }
    draft.change(Change::Transfer(made));
}
