//! A waiting transfer is claimed once: by the agent with the payee's verification code (`GM`, Z6), by the agent with the
//! password alone (`GW`, Z7, where the policy allows it), or by the payee into an own wallet (`DP`). One claim, three proofs.

use super::parties::{is_own, judge_active, mobile};
use super::query::cash_of;
use super::secrets::Purpose;
use super::{Draft, Scene, Stop};
use crate::account::{Agent, Proof, Proofs};
use crate::decision::Change;
use crate::ids::SystemAccount;
use crate::money::{Money, TypedAmount};
use crate::msisdn::Msisdn;
use crate::notice::Text;
use crate::number::Private;
use crate::refusal::Refusal;
use crate::request::Payee;
use crate::tariff::{Payer, Priced};
use crate::transfer::{Charge, PaidOut, State, Transfer, Waiting};

/// What `GM`, `GW` and `DP` say.
pub struct Fields {
    /// The PIN of the one who asks.
    pub pin: Proofs,
    /// How the claim is proved, and by whom.
    pub claimant: Claimant,
}

/// How a claim is proved.
pub enum Claimant {
    /// `GM` and `GW`.
    Agent {
        /// For whom.
        payee: Payee,
        /// The amount of the transfer.
        amount: TypedAmount,
        /// What the payee told the agent.
        told: Told,
        /// The number of the payee's identity document.
        document: Option<Private>,
    },
    /// `DP`.
    Payee {
        /// The withdrawal password.
        password: Proofs,
    },
}

/// What a payee told an agent.
pub enum Told {
    /// The verification code (`GM`).
    Code(Proofs),
    /// The withdrawal password (`GW`).
    Password(Proofs),
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    match &fields.claimant {
        Claimant::Payee { password } => deposit(scene, &fields.pin, password, draft),
        Claimant::Agent { payee, amount, told, document } => {
            pay_out(scene, &fields.pin, (*payee, *amount), told, document.as_ref(), draft)
        }
    }
}

// ---- DP -----------------------------------------------------------------------------------------------------------

fn deposit(scene: &Scene<'_>, pin: &Proofs, password: &Proofs, draft: &mut Draft) -> Result<(), Stop> {
    let (from, account) = scene.customer()?;
    scene.judge_pin(account, pin, Purpose::Use, draft)?;
    judge_active(account)?;
    let found = scene.waiting_by_password(from, password, draft)?;
    if found.amount.currency() != account.currency {
        return Err(Refusal::OtherCurrency.into());
    }
    scene.judge_holding(account, found.amount)?;

    let in_flight = SystemAccount::TransfersInFlight.id(account.currency);
    draft.about(found.id);
    draft.post(in_flight, account.id, found.amount);
    if found.charge.payer == Payer::Payee {
        scene.draft_charge(draft, &found.charge, account.id);
    }
    // What the sender paid ahead for a withdrawal at an agent was not needed. A sender whose account is closed by now gets it
    // as every return goes there: through unclaimed money.
    if let Some(ahead) = found.withdrawal.map(|charge| charge.borne_by(Payer::Sender)) {
        scene.draft_return(draft, found, in_flight, ahead);
    }
    draft.change(Change::Transfer(Transfer { state: State::Deposited { at: scene.now() }, ..found.clone() }));
    let balance = scene.balance_after(draft, account);
    let charges = found.charge.borne_by(Payer::Payee);
    scene.tell(draft, from, Text::Deposited { transfer: found.id, amount: found.amount, charges, balance });
    tell_sender(scene, draft, found);
    Ok(())
}

// ---- GM and GW ----------------------------------------------------------------------------------------------------

fn pay_out(
    scene: &Scene<'_>,
    pin: &Proofs,
    (payee, amount): (Payee, TypedAmount),
    told: &Told,
    document: Option<&Private>,
    draft: &mut Draft,
) -> Result<(), Stop> {
    let (from, account, agent) = scene.agent()?;
    scene.judge_pin(account, pin, Purpose::Use, draft)?;
    judge_active(account)?;
    let payee = mobile(payee)?;
    if is_own(agent, account, payee) {
        return Err(Refusal::OwnDealing.into());
    }
    let amount = Money::typed(amount, account.currency).ok_or(Refusal::BadAmount)?;
    let proof = match told {
        Told::Code(typed) => by_code(scene, agent, payee, amount, typed, draft)?,
        Told::Password(typed) => by_password(scene, agent, payee, amount, typed, draft)?,
    };
    let (found, proved_by) = proof;
    // Money of the agent's own, sent through somebody else to be paid out by the agent, earns nothing either.
    if found.sender_number.is_some_and(|sender| is_own(agent, account, sender)) {
        return Err(Refusal::OwnDealing.into());
    }
    if amount.minor() > scene.books.policy().identity_above && document.is_none() {
        return Err(Refusal::IdentityNeeded.into());
    }
    let charge = found.withdrawal.unwrap_or(Charge::none(amount.currency()));
    let (commission, dealings) = scene.commission(&charge, amount, agent, payee, Priced::Withdrawal);
    scene.judge_operator_funds(&charge, commission)?;

    let cash = cash_of(found);
    let in_flight = SystemAccount::TransfersInFlight.id(amount.currency());
    draft.about(found.id);
    draft.post(in_flight, account.id, cash);
    scene.draft_shared_charge(draft, &charge, in_flight, account.id, commission);
    if found.charge.payer == Payer::Payee {
        scene.draft_charge(draft, &found.charge, in_flight);
    }
    let paid = PaidOut { agent: agent.code, at: scene.now(), cash, commission, proved_by: Some(proved_by) };
    draft.change(Change::Transfer(Transfer { state: State::PaidOut(paid), ..found.clone() }));
    draft.change(Change::Dealings(dealings));
    let mut number = scene.number_or_new(payee);
    number.last_paid = Some(found.id);
    draft.change(Change::Number(*number));
    if let Some(document) = document {
        draft.change(Change::Identified { transfer: found.id, document: document.clone() });
    }
    let balance = scene.balance_after(draft, account);
    let transfer = found.id;
    scene.tell(draft, from, Text::PaidOutByYou { transfer, amount, cash, payee, commission, balance });
    scene.tell(draft, payee, Text::PaidOutToYou { transfer, amount, cash, agent: agent.code });
    tell_sender(scene, draft, found);
    Ok(())
}

/// The transfer of this amount that the payee bound to this agent, proved by the verification code.
fn by_code<'a>(
    scene: &Scene<'a>,
    agent: &Agent,
    payee: Msisdn,
    amount: Money,
    typed: &Proofs,
    draft: &mut Draft,
) -> Result<(&'a Transfer, Proof), Stop> {
    let bound = |transfer: &&Transfer| {
        let query = transfer.waiting().and_then(|waiting| waiting.query.as_ref());
        transfer.amount == amount && query.is_some_and(|query| query.agent == agent.code)
    };
    let candidates = || scene.books.waiting_for(payee).filter(bound);
    let policy = scene.books.policy();
    let tried_out = |transfer: &&Transfer| {
        transfer.waiting().is_none_or(|waiting| waiting.wrong_codes >= policy.verification_code_tries)
    };
    let query_of = |transfer: &'a Transfer| transfer.waiting().and_then(|waiting| waiting.query.as_ref());
    let open = |transfer: &&'a Transfer| {
        !tried_out(transfer) && query_of(transfer).is_some_and(|query| scene.now() < query.expires_at)
    };
    let proves = |transfer: &&'a Transfer| query_of(transfer).is_some_and(|query| typed.proves(&query.code));
    if let Some(found) = candidates().filter(open).filter(proves).last() {
        return Ok((found, typed.newest()));
    }
    judge_unpaid(scene, agent, payee, amount, typed)?;
    let Some(any) = candidates().next() else { return Err(nothing_bound(scene, payee, amount).into()) };
    if candidates().all(|transfer| tried_out(&transfer)) {
        return Err(Refusal::CodesExhausted.into());
    }
    if candidates().find(open).is_none() {
        draft.about(any.id);
        return Err(Refusal::CodeExpired.into());
    }
    for transfer in candidates().filter(open) {
        if let Some(waiting) = transfer.waiting() {
            let counted = Waiting { wrong_codes: waiting.wrong_codes.saturating_add(1), ..waiting.clone() };
            draft.about(transfer.id);
            draft.count(Change::Transfer(Transfer { state: State::Waiting(counted), ..transfer.clone() }));
        }
    }
    Err(Refusal::WrongCode.into())
}

/// What proved the last payment to this payee is no wrong try at another transfer: a lost answer must not cost the payee the
/// cash, so the agent who paid is told what to hand over, and anyone else that it is paid.
fn judge_unpaid(scene: &Scene<'_>, agent: &Agent, payee: Msisdn, amount: Money, typed: &Proofs) -> Result<(), Stop> {
    let Some(id) = scene.books.number(payee).and_then(|number| number.last_paid) else { return Ok(()) };
    let Some(transfer) = scene.books.transfer(id)? else { return Ok(()) };
    let State::PaidOut(paid) = &transfer.state else { return Ok(()) };
    if transfer.amount != amount || !paid.proved_by.is_some_and(|proof| typed.proves(&proof)) {
        return Ok(());
    }
    if paid.agent != agent.code {
        return Err(Refusal::AlreadyPaid.into());
    }
    let text = Text::AlreadyPaidByYou { transfer: id, cash: paid.cash, payee, at: paid.at };
    Err(Stop::Told(Refusal::AlreadyPaid, text))
}

/// Nothing of this amount is bound to this agent: it may be bound to somebody else.
fn nothing_bound(scene: &Scene<'_>, payee: Msisdn, amount: Money) -> Refusal {
    let elsewhere = |transfer: &Transfer| {
        transfer.amount == amount && transfer.waiting().is_some_and(|waiting| waiting.query.is_some())
    };
    if scene.books.waiting_for(payee).any(elsewhere) { Refusal::OtherAgent } else { Refusal::NothingToPayOut }
}

/// The transfer of this amount that waits for the payee, proved by the withdrawal password. A wrong one closes this way for
/// good, but not `QT`, whose code reaches only the payee.
fn by_password<'a>(
    scene: &Scene<'a>,
    agent: &Agent,
    payee: Msisdn,
    amount: Money,
    typed: &Proofs,
    draft: &mut Draft,
) -> Result<(&'a Transfer, Proof), Stop> {
    if !scene.books.policy().password_at_agent {
        return Err(Refusal::PasswordAtAgentOff.into());
    }
    let candidates = || scene.books.waiting_for(payee).filter(|transfer| transfer.amount == amount);
    let elsewhere = |waiting: &Waiting| {
        waiting.query.as_ref().is_some_and(|query| query.agent != agent.code && scene.now() < query.expires_at)
    };
    let free = |transfer: &&Transfer| transfer.waiting().is_some_and(|waiting| !elsewhere(waiting));
    let open = |transfer: &&Transfer| {
        free(transfer) && transfer.waiting().is_some_and(|waiting| !waiting.password_at_agent_closed)
    };
    let proves = |transfer: &&Transfer| transfer.waiting().is_some_and(|waiting| typed.proves(&waiting.password));
    if let Some(found) = candidates().filter(open).filter(proves).last() {
        return Ok((found, typed.newest()));
    }
    judge_unpaid(scene, agent, payee, amount, typed)?;
    if candidates().next().is_none() {
        return Err(nothing_bound(scene, payee, amount).into());
    }
    if candidates().find(free).is_none() {
        return Err(Refusal::OtherAgent.into());
    }
    if candidates().find(open).is_none() {
        return Err(Refusal::PasswordAtAgentClosed.into());
    }
    for transfer in candidates().filter(open) {
        if let Some(waiting) = transfer.waiting() {
            let closed = Waiting { password_at_agent_closed: true, ..waiting.clone() };
            draft.about(transfer.id);
            draft.count(Change::Transfer(Transfer { state: State::Waiting(closed), ..transfer.clone() }));
        }
    }
    Err(Refusal::WrongPassword.into())
}

/// Tells the sender where their account is reached now; one that was closed is told nothing.
fn tell_sender(scene: &Scene<'_>, draft: &mut Draft, transfer: &Transfer) {
    if let Some(sender) = scene.books.account(transfer.sender).and_then(|account| account.msisdn) {
        scene.tell(
            draft,
            sender,
            Text::Collected { transfer: transfer.id, amount: transfer.amount, payee: transfer.payee },
        );
    }
}
