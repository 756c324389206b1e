//! `CO*agent code*amount*pin` (Z12): a customer takes cash out at an agent; wallet balance becomes float.

use super::parties::{is_own, judge_active};
use super::secrets::Purpose;
use super::transfer::judge_funds;
use super::{Draft, Scene, Stop};
use crate::account::Proofs;
use crate::decision::Change;
use crate::ids::AgentCode;
use crate::money::{Money, TypedAmount};
use crate::notice::Text;
use crate::refusal::Refusal;
use crate::tariff::{Payer, Priced};
use crate::transfer::{Kind, PaidOut, State, Transfer};

/// What `CO` says.
pub struct Fields {
    /// At whom.
    pub agent: AgentCode,
    /// How much is debited.
    pub amount: TypedAmount,
    /// The customer's PIN.
    pub pin: Proofs,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let (from, customer) = scene.customer()?;
    scene.judge_pin(customer, &fields.pin, Purpose::Use, draft)?;
    judge_active(customer)?;
    let (float, agent) = scene.agent_coded(fields.agent)?;
    if is_own(agent, float, from) {
        return Err(Refusal::OwnDealing.into());
    }
    if customer.currency != float.currency {
        return Err(Refusal::OtherCurrency.into());
    }
    let amount = Money::typed(fields.amount, customer.currency).ok_or(Refusal::BadAmount)?;
    scene.judge_sending(customer, amount, draft)?;
    let charge = scene.price(Priced::CashOut, amount);
    let charges = charge.borne_by(Payer::Payee).plus(charge.borne_by(Payer::Sender)).ok_or(Refusal::BadAmount)?;
    // The customer is sender and receiver of the cash at once: `sender` adds the charge, `payee` takes it out of the cash.
    let cash =
        amount.less(charge.borne_by(Payer::Payee)).filter(|cash| !cash.is_zero()).ok_or(Refusal::ChargesAboveAmount)?;
    judge_funds(customer, &[amount, charge.borne_by(Payer::Sender)])?;
    let (commission, dealings) = scene.commission(&charge, amount, agent, from, Priced::CashOut);
    scene.judge_operator_funds(&charge, commission)?;

    let transfer = scene.new_transfer();
    draft.about(transfer);
    draft.post(customer.id, float.id, cash);
    scene.draft_shared_charge(draft, &charge, customer.id, float.id, commission);
    let paid = PaidOut { agent: agent.code, at: scene.now(), cash, commission, proved_by: None };
    draft.change(Change::Transfer(Transfer {
        id: transfer,
        kind: Kind::CashOut,
        made_at: scene.now(),
        sender: customer.id,
        sender_number: Some(from),
        payee: from,
        amount,
        charge,
        withdrawal: None,
        state: State::PaidOut(paid),
    }));
    draft.change(Change::Dealings(dealings));
    let balance = scene.balance_after(draft, customer);
    scene.tell(draft, from, Text::CashTakenOut { transfer, amount, cash, charges, agent: agent.code, balance });
    if let Some(number) = float.msisdn {
        let balance = scene.balance_after(draft, float);
        scene.tell(draft, number, Text::CashToHandOver { transfer, cash, customer: from, commission, balance });
    }
    Ok(())
}
