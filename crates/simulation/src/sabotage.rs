//! Puts a defect of the [museum](crate::museum) back, at the seams of the simulation: where a request passes from a link to the
//! writer, where a row is read, where the policy is handed over, where a text reaches its phone. Those of the disk stand in
//! [`crate::disk`]. The product knows nothing of it.

use transaction_processing::account::{Proof, Proofs};
use transaction_processing::decision::{Change, Row};
use transaction_processing::ids::{Sequence, SystemAccount};
use transaction_processing::money::TypedAmount;
use transaction_processing::policy::Policy;
use transaction_processing::proposal::{Measure, ProposalState};
use transaction_processing::request::{Action, Origin, Payee, RequestKey};
use transaction_processing::requests::claim::{Claimant, Told};
use transaction_processing::transfer::State;
use transaction_processing::{Books, Currency, Money, Msisdn, Refusal, Request};

use data_center::batch::LogRow;

use crate::audit::Verdict;
use crate::depot::Depot;
use crate::dice::Dice;
use crate::museum::Defect;
use crate::world::World;

/// How many texts are left alone first.
const FIRST_TEXTS: u64 = 60;
/// How many rows are.
const FIRST_ROWS: u64 = 160;

/// The policy as the platform has it; auditors keep the true one.
pub fn policy(defect: Option<Defect>, mut policy: Policy) -> Policy {
    match defect {
        Some(Defect::PinsWithoutEnd) => (policy.pin_tries, policy.pin_tries_in_all) = (u8::MAX, u8::MAX),
        Some(Defect::PinPauseForgotten) => policy.pin_lock_seconds = 0,
        Some(Defect::CodesWithoutEnd) => policy.verification_code_tries = u8::MAX,
        Some(Defect::PasswordsWithoutEnd) => policy.password_tries = u8::MAX,
        Some(Defect::RegistrationsWithoutEnd) => policy.registrations_a_day = u8::MAX,
        Some(Defect::RegistrationCodesWithoutEnd) => policy.registration_code_tries = u8::MAX,
        Some(Defect::ResendsWithoutEnd) => policy.resends = u8::MAX,
        Some(Defect::DayWithoutLimit) => policy.limits.iter_mut().for_each(|limits| limits.per_day = limits.per_month),
        Some(Defect::MonthWithoutLimit) => policy.limits.iter_mut().for_each(|limits| limits.per_month = i64::MAX),
        Some(Defect::OnceWithoutLimit) => {
            policy.limits.iter_mut().for_each(|limits| limits.per_transaction = limits.per_day);
        }
        Some(Defect::ForgetsSoon) => policy.repeat_window_seconds = 60,
        Some(Defect::ExpiresEarly) => policy.withdrawal_period_seconds /= 1_000,
        _ => {}
    }
    policy
}

/// A request as the writer gets it.
pub fn request(defect: Defect, request: &mut Request, books: &Books, dice: &mut Dice) {
    match defect {
        Defect::KeyPerDelivery => {
            let drawn = u128::from(dice.number()) << 64 | u128::from(dice.number());
            request.key = request.key.map(|_| RequestKey(drawn.to_be_bytes()));
        }
        Defect::ShortKeys => {
            request.key = request.key.map(|RequestKey(octets)| RequestKey([octets[0]; 16]));
        }
        Defect::DecimalsLost => amount(request, |amount| amount.scale = 0),
        Defect::AmountInFloat => amount(request, |amount| amount.digits = amount.digits as f32 as u64),
        Defect::WrongPayee => payee(request),
        Defect::PinNotCompared => right_pin(request, books),
        Defect::CodeNotCompared | Defect::PasswordNotCompared => right_code(defect, request, books),
        _ => {}
    }
}

fn amount(request: &mut Request, alter: impl FnOnce(&mut TypedAmount)) {
    match &mut request.action {
        Action::Transfer(fields) => alter(&mut fields.amount),
        Action::CashIn(fields) => alter(&mut fields.amount),
        _ => {}
    }
}

fn payee(request: &mut Request) {
    if let Action::Transfer(fields) = &mut request.action
        && let Payee::Mobile(to) = fields.payee
        && let Some(other) = Msisdn::new(to.digits() ^ 1)
    {
        fields.payee = Payee::Mobile(other);
    }
}

fn right_pin(request: &mut Request, books: &Books) {
    let Origin::Handset { from, .. } = request.origin else { return };
    let Some(proof) = books.account_of(from).and_then(|account| account.pin.proof) else { return };
    match &mut request.action {
        Action::Transfer(fields) => put(&mut fields.pin, proof),
        Action::CashIn(fields) => put(&mut fields.pin, proof),
        _ => {}
    }
}

fn right_code(defect: Defect, request: &mut Request, books: &Books) {
    let Origin::Handset { from, .. } = request.origin else { return };
    let password_of = |payee| books.waiting_for(payee).find_map(|transfer| Some(transfer.waiting()?.password));
    let code_of = |payee| books.waiting_for(payee).find_map(|transfer| Some(transfer.waiting()?.query.as_ref()?.code));
    let codes = defect == Defect::CodeNotCompared;
    match &mut request.action {
        Action::Query(fields) if !codes => {
            if let Some(proof) = password_of(from) {
                put(&mut fields.password, proof);
            }
        }
        Action::Claim(fields) => match &mut fields.claimant {
            Claimant::Payee { password } if !codes => {
                if let Some(proof) = password_of(from) {
                    put(password, proof);
                }
            }
            Claimant::Agent { payee: Payee::Mobile(payee), told: Told::Code(typed), .. } if codes => {
                if let Some(proof) = code_of(*payee) {
                    put(typed, proof);
                }
            }
            Claimant::Agent { payee: Payee::Mobile(payee), told: Told::Password(typed), .. } if !codes => {
                if let Some(proof) = password_of(*payee) {
                    put(typed, proof);
                }
            }
            _ => {}
        },
        _ => {}
    }
}

fn put(typed: &mut Proofs, right: Proof) {
    if let Some(right) = Proofs::new(vec![right]) {
        *typed = right;
    }
}

/// What staff ask, as the writer gets it.
pub fn office(defect: Option<Defect>, request: &mut Request, serial: u64) {
    let Action::Propose(fields) = &mut request.action else { return };
    let Measure::Issue { amount, bank_reference } = &mut fields.measure else { return };
    match defect {
        Some(Defect::IssuesAgain) => bank_reference.push_str(&format!(" ({serial})")),
        Some(Defect::IssuesTooMuch) => {
            *amount = Money::new(amount.minor().saturating_mul(1_000), amount.currency()).unwrap_or(*amount);
        }
        _ => {}
    }
}

/// The figures of a row as it would stand.
pub fn figures(defect: Option<Defect>, row: &mut LogRow) {
    match defect.filter(|_| row.sequence.0 > FIRST_ROWS) {
        Some(Defect::LeavesGap) => row.sequence = Sequence(row.sequence.0 + 1),
        Some(Defect::TimeFalls) => row.moment.time = row.moment.time.less_seconds(3_600),
        _ => {}
    }
}

/// A row as it would have been decided.
pub fn row(defect: Defect, row: &mut Row) {
    if row.sequence.0 < FIRST_ROWS {
        return;
    }
    let sequence = row.sequence;
    let returned =
        |change: &Change| matches!(change, Change::Transfer(after) if matches!(after.state, State::Returned { .. }));
    match defect {
        Defect::RefundsTwice if row.changes.iter().any(returned) => {
            if let Some(first) = row.entered.first().copied() {
                let minor = first.posting.amount.minor();
                let (from_balance, to_balance) = (first.from_balance - minor, first.to_balance + minor);
                let (from_previous, to_previous) = (sequence, sequence);
                let second = transaction_processing::journal::Entered {
                    from_balance,
                    to_balance,
                    from_previous,
                    to_previous,
                    ..first
                };
                row.entered.insert(1, second);
            }
        }
        Defect::RefusedAndDone if !row.entered.is_empty() => row.refusal = Some(Refusal::WrongPin),
        Defect::MoneyFromNothing => {
            if let Some(entered) = row.entered.first_mut() {
                entered.to_balance += entered.posting.amount.minor();
            }
        }
        Defect::Overdraws => {
            if let Some(entered) = row.entered.first_mut().filter(|entered| entered.posting.from.0 > 0) {
                let more = entered.from_balance + 1;
                let (minor, currency) = (entered.posting.amount.minor() + more, entered.posting.amount.currency());
                entered.posting.amount = Money::new(minor, currency).unwrap_or(entered.posting.amount);
                (entered.from_balance, entered.to_balance) = (-1, entered.to_balance + more);
            }
        }
        Defect::PostsToItself => {
            if let Some(entered) = row.entered.first_mut() {
                entered.posting.to = entered.posting.from;
            }
        }
        Defect::MixesCurrencies => {
            if let Some(entered) = row.entered.first_mut() {
                let euro = Currency { numeric: 978, minor_digits: 2 };
                entered.posting.amount =
                    Money::new(entered.posting.amount.minor(), euro).unwrap_or(entered.posting.amount);
            }
        }
        Defect::LosesFee => row
            .entered
            .retain(|entered| entered.posting.to != SystemAccount::Fees.id(entered.posting.amount.currency())),
        Defect::MakerApproves | Defect::CounterFalls | Defect::TransferChanges => {
            row.changes.iter_mut().for_each(|changed| change(defect, changed, sequence));
        }
        _ => {}
    }
}

fn change(defect: Defect, change: &mut Change, sequence: Sequence) {
    match (defect, change) {
        (Defect::MakerApproves, Change::Proposal(proposal)) => {
            if let ProposalState::Approved { checker, .. } = &mut proposal.state {
                *checker = proposal.maker;
            }
        }
        (Defect::CounterFalls, Change::CardUsed { counter, .. }) => *counter = 0,
        (Defect::TransferChanges, Change::Transfer(after)) if after.id.0 != sequence.0 => {
            let less = Money::new(after.amount.minor() - 1, after.amount.currency());
            after.amount = less.unwrap_or(after.amount);
        }
        _ => {}
    }
}

impl<D: Depot> World<D> {
    /// A text as a phone gets it, and which phone; none where it is swallowed.
    pub(crate) fn meddled(&mut self, who: usize, text: String) -> Option<(usize, String)> {
        let moves_money = text.contains("Fees ") && self.coverage.texts > FIRST_TEXTS && self.stormy;
        if !moves_money || self.meddled {
            return Some((who, text));
        }
        let meddled = match self.plan.exhibit {
            Some(Defect::TextLost) => None,
            Some(Defect::TextAltered) => Some((who, text.replace("Balance ", "Balance 1"))),
            Some(Defect::TextCrossed) => Some(((who + 1) % self.people.len(), text)),
            Some(Defect::TextForged) => {
                let words = "Ref 1234 5678 9012: you received TZS 9.00 from +255712000001. Fees 0.00. Balance 9.00.";
                Some((who, words.to_owned()))
            }
            _ => return Some((who, text)),
        };
        self.meddled = true;
        meddled
    }

    /// Acknowledges what should wait.
    pub(crate) fn acknowledge_early(&mut self, receipts: bool) -> Verdict {
        let meant = if receipts { Defect::ReceiptsEarly } else { Defect::AnswersEarly };
        if self.plan.exhibit != Some(meant) || !self.stormy {
            return Ok(());
        }
        for reply in self.promises.waiting() {
            let pending = self.house.iter().flat_map(crate::house::House::pending);
            self.promises.acknowledged(reply, pending)?;
        }
        Ok(())
    }
}
