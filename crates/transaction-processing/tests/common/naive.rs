//! A ledger for the simple-minded: a map of balances and a list of transfers, moved by what was asked and whether it was
//! done. It knows nothing of journals and reckons fees by a formula of its own, so what it predicts is a second opinion.

use std::collections::{BTreeMap, BTreeSet};

use transaction_processing::Refusal;
use transaction_processing::ids::{SystemAccount, TransferId};
use transaction_processing::notice::Text;
use transaction_processing::tariff::{Payer, Priced, Terms};
use transaction_processing::time::{Moment, Time};

use super::{AGENT, AGENT_PHONE, Answer, OTHER_AGENT, OTHER_AGENT_PHONE, Say, World, number};

/// Whose money it is: the holder of a number, and how many held it before.
pub type Holder = (u64, u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    Waits,
    Credited,
    Ended,
}

#[derive(Clone, Debug)]
pub struct Moved {
    pub sender: Holder,
    pub payee: u64,
    pub credited: Option<Holder>,
    pub amount: i64,
    /// The business day of a cash-in; none of anything else.
    pub cash_in: Option<i32>,
    pub commission: i64,
    /// When it was priced by whom.
    pub payer: Option<Payer>,
    pub fee: i64,
    pub levy: i64,
    pub withdrawal_payer: Option<Payer>,
    pub withdrawal_fee: i64,
    pub withdrawal_levy: i64,
    pub stands: Stands,
    pub password: u32,
    pub bound: Option<(u32, u32, Time)>,
    pub asked: bool,
}

#[derive(Default)]
pub struct Naive {
    pub money: BTreeMap<Holder, i64>,
    pub generation: BTreeMap<u64, u32>,
    pub open: BTreeSet<u64>,
    pub frozen: BTreeSet<u64>,
    pub pins: BTreeMap<u64, u32>,
    /// The PIN that was chosen last for a number without an account.
    chosen: BTreeMap<u64, u32>,
    wrong_pins: BTreeMap<u64, (u32, i64)>,
    pub in_flight: i64,
    /// Fees and what divisions left over, together.
    pub fees: i64,
    pub levies: i64,
    pub unclaimed: i64,
    pub funds: i64,
    pub tariffs: Vec<Terms>,
    /// Whether customers get passwords too.
    pub passwords_for_all: bool,
    pub transfers: BTreeMap<TransferId, Moved>,
    dealt: BTreeMap<(u32, u64, Priced, i32), (i64, i64)>,
    sent: BTreeMap<(Holder, i32), i64>,
    sent_in_month: BTreeMap<(Holder, i32), i64>,
}

impl Naive {
    /// As a world stands before the first step.
    pub fn of(world: &World, numbers: &[u64]) -> Naive {
        let mut naive = Naive { funds: world.held(SystemAccount::OperatorFunds), ..Naive::default() };
        naive.fees = world.held(SystemAccount::Fees) + world.held(SystemAccount::Remainders);
        naive.levies = world.held(SystemAccount::Levies);
        naive.tariffs = world.books.tariffs().map(|tariff| tariff.terms.clone()).collect();
        for of in numbers {
            if world.books.account_of(number(*of)).is_some() {
                naive.open.insert(*of);
                naive.pins.insert(*of, super::PIN);
                naive.money.insert((*of, 0), world.balance(*of));
            }
        }
        for dealings in world.books.all_dealings() {
            let key = (dealings.agent.0, dealings.customer.digits(), dealings.priced, dealings.day.0);
            naive.dealt.insert(key, (dealings.sum, dealings.earned));
        }
        naive
    }

    /// The books hold what is predicted.
    pub fn compare(&self, world: &World) {
        for of in &self.open {
            assert_eq!(world.balance(*of), self.money[&self.holder(*of)], "balance of {of}");
        }
        let closed =
            self.money.iter().filter(|(holder, _)| !self.open.contains(&holder.0) || **holder != self.holder(holder.0));
        assert!(closed.into_iter().all(|(_, money)| *money == 0), "a closed account holds money");
        assert_eq!(world.held(SystemAccount::TransfersInFlight), self.in_flight, "in flight");
        let fees = world.held(SystemAccount::Fees) + world.held(SystemAccount::Remainders);
        assert_eq!(fees, self.fees, "fees");
        assert_eq!(world.held(SystemAccount::Levies), self.levies, "levies");
        assert_eq!(world.held(SystemAccount::UnclaimedMoney), self.unclaimed, "unclaimed money");
        assert_eq!(world.held(SystemAccount::OperatorFunds), self.funds, "the operator's funds");
    }

    pub fn holder(&self, of: u64) -> Holder {
        (of, self.generation.get(&of).copied().unwrap_or(0))
    }

    fn is_open(&self, holder: Holder) -> bool {
        self.open.contains(&holder.0) && self.holder(holder.0) == holder
    }

    fn add(&mut self, holder: Holder, minor: i64) {
        let held = self.money.entry(holder).or_insert(0);
        *held += minor;
        assert!(*held >= 0, "the naive ledger foresees {held} for {holder:?}");
    }

    /// Money back to a sender, wherever it goes.
    fn back(&mut self, holder: Holder, minor: i64) {
        if self.is_open(holder) { self.add(holder, minor) } else { self.unclaimed += minor }
    }

    // ---- prices -----------------------------------------------------------------------------------------------------

    fn terms(&self, priced: Priced) -> Option<&Terms> {
        self.tariffs.iter().rev().find(|terms| terms.priced == priced)
    }

    /// Payer, fee and levy.
    pub fn price(&self, priced: Priced, amount: i64) -> (Option<Payer>, i64, i64) {
        let Some(terms) = self.terms(priced) else { return (None, 0, 0) };
        let fee = fee(terms, amount);
        let levy = fee * i64::from(terms.levy_per_mille_of_fee) / 1000
            + amount * i64::from(terms.levy_per_mille_of_amount) / 1000;
        (Some(terms.payer), fee, if terms.payer == Payer::Operator { 0 } else { levy })
    }

    /// What the agent earns, noted for the day.
    fn commission(&mut self, priced: Priced, agent: u32, customer: u64, amount: i64, charged: i64, day: i32) -> i64 {
        let (sum, earned) = self.dealt.get(&(agent, customer, priced, day)).copied().unwrap_or((0, 0));
        let due = self.terms(priced).map_or(0, |terms| {
            let share = i64::from(terms.agent_share_per_mille);
            let most = (charged * share + 999) / 1000;
            (fee(terms, sum + amount) * share / 1000 - earned).clamp(0, most)
        });
        self.dealt.insert((agent, customer, priced, day), (sum + amount, earned + due));
        due
    }

    // ---- what happened ----------------------------------------------------------------------------------------------

    /// A message was answered.
    pub fn hear(&mut self, from: u64, say: Say, again: bool, answer: &Answer, moment: Moment) {
        self.count_pin(from, answer, moment.time);
        if answer.refusal.is_some() {
            return;
        }
        if answer.row.is_none() {
            let repeated = matches!(answer.text_to(from), Text::Repeated { .. });
            let question = matches!(say, Say::Bl(_) | Say::St(_) | Say::Ck(_) | Say::Hp);
            assert!(repeated || question || again, "{say:?} had no effect");
            if let (Say::Bl(_), Text::Balance { balance }, false) = (say, answer.text_to(from), again) {
                assert_eq!(balance.minor(), self.money[&self.holder(from)]);
            }
            return;
        }
        if let Some(pin) = pin_of(say) {
            assert_eq!(self.pins.get(&from), Some(&pin), "{say:?} was done with a wrong PIN");
            let may_be_frozen = matches!(say, Say::Bl(_) | Say::St(_) | Say::Pn(..));
            assert!(may_be_frozen || !self.frozen.contains(&from), "a frozen account acted");
        }
        match say {
            Say::Tm(payee, amount, _) => self.transfer(from, payee, amount, answer, moment),
            Say::Qt(password, agent) => self.query(from, password, agent, answer, moment.time),
            Say::Gm(payee, amount, code, _) | Say::GmWithDocument(payee, amount, code, _) => {
                let agent = agent_of(from);
                let moved = &self.transfers[&answer.id()];
                assert!(
                    moved.bound.is_some_and(|(to, held, until)| (to, held) == (agent, code) && moment.time < until)
                );
                self.pay_out(agent, from, payee, amount, answer, moment.day.0);
            }
            Say::Gw(payee, amount, password, _) => {
                let agent = agent_of(from);
                let moved = &self.transfers[&answer.id()];
                assert_eq!(moved.password, password);
                assert!(moved.bound.is_none_or(|(to, _, until)| to == agent || moment.time >= until));
                self.pay_out(agent, from, payee, amount, answer, moment.day.0);
            }
            Say::Dp(password, _) => self.deposit(from, password, answer),
            Say::Rs(id, _) => {
                let payee = self.transfers[&id].payee;
                let moved = self.transfers.get_mut(&id).unwrap();
                assert_eq!((moved.sender, moved.stands), ((from, moved.sender.1), Stands::Waits));
                (moved.password, moved.bound) = (answer.code_to(payee), None);
            }
            Say::Rc(id, _) => {
                assert_eq!(self.transfers[&id].sender, self.holder(from));
                if self.transfers[&id].stands == Stands::Waits {
                    self.give_back(id);
                } else {
                    self.transfers.get_mut(&id).unwrap().asked = true;
                }
            }
            Say::Ra(id, _) => {
                assert!(self.transfers[&id].asked && self.transfers[&id].credited == Some(self.holder(from)));
                self.take_back(id);
            }
            Say::Rg(own) => {
                self.chosen.insert(from, own);
            }
            Say::RgCode(_) | Say::RgCodePin(..) => {
                self.open.insert(from);
                self.pins.insert(from, self.chosen[&from]);
                let holder = self.holder(from);
                self.money.insert(holder, 0);
            }
            Say::Ci(customer, amount, _) => self.cash_in(from, customer, amount, answer, moment.day.0),
            Say::Co(agent, amount, _) => self.cash_out(from, agent, amount, answer, moment),
            Say::Pn(_, new) => {
                self.pins.insert(from, new);
            }
            _ => {}
        }
    }

    /// I15: never more than three tries between two locks, nor ten in a row.
    fn count_pin(&mut self, from: u64, answer: &Answer, now: Time) {
        let judged = self.wrong_pins.entry(from).or_insert((0, i64::MIN));
        if answer.refusal == Some(Refusal::WrongPin) && answer.row.is_some() {
            assert!(now.0 >= judged.1, "a PIN was judged while locked");
            judged.0 += 1;
            assert!(judged.0 <= 10, "I15");
            if judged.0.is_multiple_of(3) {
                judged.1 = now.0 + 1_800_000;
            }
            if judged.0 == 10 {
                judged.1 = i64::MAX;
            }
        } else if answer.refusal.is_none()
            && answer.row.is_some()
            && answer.message.and_then(|message| pin_of(message.say)).is_some()
        {
            assert!(now.0 >= judged.1, "a PIN was judged while locked");
            *judged = (0, i64::MIN);
        } else if let Some(row) = &answer.row {
            // A right PIN with something else wrong ends the counting too.
            let cleared = row
                .changes
                .iter()
                .any(|change| matches!(change, transaction_processing::Change::Pin { pin, .. } if pin.wrong == 0));
            if cleared {
                *judged = (0, i64::MIN);
            }
        }
    }

    /// Care has reset or unlocked a PIN.
    pub fn unlocked(&mut self, of: u64) {
        self.wrong_pins.remove(&of);
    }

    fn transfer(&mut self, from: u64, payee: u64, amount: i64, answer: &Answer, moment: Moment) {
        let sender = self.holder(from);
        self.count_sent(sender, amount, moment);
        let (payer, fee, levy) = self.price(Priced::Transfer, amount);
        let by_sender = if payer == Some(Payer::Sender) { fee + levy } else { 0 };
        let by_payee = if payer == Some(Payer::Payee) { fee + levy } else { 0 };
        let mut moved = Moved {
            sender,
            payee,
            credited: None,
            amount,
            cash_in: None,
            commission: 0,
            payer,
            fee,
            levy,
            withdrawal_payer: None,
            withdrawal_fee: 0,
            withdrawal_levy: 0,
            stands: Stands::Waits,
            password: 0,
            bound: None,
            asked: false,
        };
        assert!(!self.frozen.contains(&payee));
        if self.open.contains(&payee) && !self.passwords_for_all {
            let charges = crate::told!(answer, from, Text::Sent { charges, .. } => charges.minor());
            assert_eq!(charges, by_sender);
            self.add(sender, -amount - by_sender);
            let holder = self.holder(payee);
            self.add(holder, amount - by_payee);
            self.charge(payer, fee, levy);
            (moved.stands, moved.credited) = (Stands::Credited, Some(holder));
        } else {
            let (payer_out, fee_out, levy_out) = self.price(Priced::Withdrawal, amount);
            let ahead = if payer_out == Some(Payer::Sender) { fee_out + levy_out } else { 0 };
            let charges = crate::told!(answer, from, Text::SentByPassword { charges, .. } => charges.minor());
            assert_eq!(charges, by_sender + ahead);
            self.add(sender, -amount - by_sender - ahead);
            self.in_flight += amount + ahead;
            if payer == Some(Payer::Sender) {
                self.charge(payer, fee, levy);
            }
            (moved.withdrawal_payer, moved.withdrawal_fee, moved.withdrawal_levy) = (payer_out, fee_out, levy_out);
            moved.password = answer.code_to(payee);
        }
        self.transfers.insert(answer.id(), moved);
    }

    /// I17.
    fn count_sent(&mut self, sender: Holder, amount: i64, moment: Moment) {
        let today = self.sent.entry((sender, moment.day.0)).or_insert(0);
        *today += amount;
        assert!(*today <= 10_000_00, "the day's limit");
        let month = self.sent_in_month.entry((sender, moment.month.0)).or_insert(0);
        *month += amount;
        assert!(*month <= 30_000_00, "the month's limit");
    }

    fn charge(&mut self, payer: Option<Payer>, fee: i64, levy: i64) {
        if payer != Some(Payer::Operator) {
            self.fees += fee;
            self.levies += levy;
        }
    }

    fn query(&mut self, from: u64, password: u32, agent: u32, answer: &Answer, now: Time) {
        let cash = self.cash(answer.id());
        let moved = self.transfers.get_mut(&answer.id()).unwrap();
        assert_eq!((moved.payee, moved.password, moved.stands), (from, password, Stands::Waits));
        moved.bound = Some((agent, answer.code_to(from), now.plus_seconds(1800)));
        assert_eq!(crate::told!(answer, from, Text::VerificationCode { cash, .. } => cash.minor()), cash);
    }

    /// What the payee gets in cash.
    fn cash(&self, id: TransferId) -> i64 {
        let moved = &self.transfers[&id];
        let first = if moved.payer == Some(Payer::Payee) { moved.fee + moved.levy } else { 0 };
        let second =
            if moved.withdrawal_payer == Some(Payer::Payee) { moved.withdrawal_fee + moved.withdrawal_levy } else { 0 };
        moved.amount - first - second
    }

    fn pay_out(&mut self, agent: u32, from: u64, payee: u64, amount: i64, answer: &Answer, day: i32) {
        let id = answer.id();
        let moved = self.transfers[&id].clone();
        assert_eq!((moved.payee, moved.amount, moved.stands), (payee, amount, Stands::Waits));
        let commission = self.commission(Priced::Withdrawal, agent, payee, amount, moved.withdrawal_fee, day);
        let cash = self.cash(id);
        let told = crate::told!(answer, from, Text::PaidOutByYou { cash, commission, .. } => (cash.minor(), commission.minor()));
        assert_eq!(told, (cash, commission));
        let holder = self.holder(from);
        self.add(holder, cash + commission);
        let ahead = if moved.withdrawal_payer == Some(Payer::Sender) {
            moved.withdrawal_fee + moved.withdrawal_levy
        } else {
            0
        };
        self.in_flight -= amount + ahead;
        if moved.withdrawal_payer == Some(Payer::Operator) {
            self.funds -= commission;
        } else {
            self.charge(moved.withdrawal_payer, moved.withdrawal_fee - commission, moved.withdrawal_levy);
        }
        if moved.payer == Some(Payer::Payee) {
            self.charge(moved.payer, moved.fee, moved.levy);
        }
        self.end(id);
    }

    fn end(&mut self, id: TransferId) {
        let moved = self.transfers.get_mut(&id).unwrap();
        assert_ne!(moved.stands, Stands::Ended, "I8");
        (moved.stands, moved.bound) = (Stands::Ended, None);
    }

    fn deposit(&mut self, from: u64, password: u32, answer: &Answer) {
        let id = answer.id();
        let moved = self.transfers[&id].clone();
        assert_eq!((moved.payee, moved.password, moved.stands), (from, password, Stands::Waits));
        let ahead = if moved.withdrawal_payer == Some(Payer::Sender) {
            moved.withdrawal_fee + moved.withdrawal_levy
        } else {
            0
        };
        let charges = if moved.payer == Some(Payer::Payee) { moved.fee + moved.levy } else { 0 };
        self.in_flight -= moved.amount + ahead;
        let holder = self.holder(from);
        self.add(holder, moved.amount - charges);
        if charges > 0 {
            self.charge(moved.payer, moved.fee, moved.levy);
        }
        self.back(moved.sender, ahead);
        self.end(id);
    }

    /// Recall or expiry.
    pub fn give_back(&mut self, id: TransferId) {
        let moved = self.transfers[&id].clone();
        assert_eq!(moved.stands, Stands::Waits);
        let ahead = if moved.withdrawal_payer == Some(Payer::Sender) {
            moved.withdrawal_fee + moved.withdrawal_levy
        } else {
            0
        };
        self.in_flight -= moved.amount + ahead;
        let mut sum = moved.amount + ahead;
        if moved.payer == Some(Payer::Sender) {
            let kept = self.terms(Priced::Transfer).is_some_and(|terms| terms.fee_kept_on_return);
            let fee = if kept { 0 } else { moved.fee };
            (self.fees, self.levies, sum) = (self.fees - fee, self.levies - moved.levy, sum + fee + moved.levy);
        }
        self.back(moved.sender, sum);
        self.end(id);
    }

    /// Consent or care.
    pub fn take_back(&mut self, id: TransferId) {
        let moved = self.transfers[&id].clone();
        assert_eq!(moved.stands, Stands::Credited);
        let borne = match moved.payer {
            Some(Payer::Payee) => moved.fee + moved.levy,
            Some(Payer::Sender) if moved.cash_in.is_some() => moved.fee + moved.levy,
            _ => 0,
        };
        self.add(moved.credited.unwrap(), borne - moved.amount);
        self.back(moved.sender, moved.amount - borne);
        if let Some(day) = moved.cash_in {
            if moved.payer == Some(Payer::Operator) {
                self.add(moved.sender, -moved.commission);
                self.funds += moved.commission;
            }
            let key = (agent_of(moved.sender.0), moved.payee, Priced::CashIn, day);
            if let Some((sum, earned)) = self.dealt.get_mut(&key) {
                (*sum, *earned) = ((*sum - moved.amount).max(0), (*earned - moved.commission).max(0));
            }
        }
        self.end(id);
    }

    fn cash_in(&mut self, from: u64, customer: u64, amount: i64, answer: &Answer, day: i32) {
        let (payer, fee, levy) = self.price(Priced::CashIn, amount);
        let commission = self.commission(Priced::CashIn, agent_of(from), customer, amount, fee, day);
        let told = crate::told!(answer, from, Text::CashTakenIn { commission, .. } => commission.minor());
        assert_eq!(told, commission);
        let (sender, credited) = (self.holder(from), self.holder(customer));
        self.add(sender, commission - amount);
        if payer == Some(Payer::Operator) {
            self.add(credited, amount);
            self.funds -= commission;
        } else {
            self.add(credited, amount - fee - levy);
            self.charge(payer, fee - commission, levy);
        }
        let moved = Moved {
            sender,
            payee: customer,
            credited: Some(credited),
            amount,
            cash_in: Some(day),
            commission,
            payer,
            fee,
            levy,
            withdrawal_payer: None,
            withdrawal_fee: 0,
            withdrawal_levy: 0,
            stands: Stands::Credited,
            password: 0,
            bound: None,
            asked: false,
        };
        self.transfers.insert(answer.id(), moved);
    }

    fn cash_out(&mut self, from: u64, agent: u32, amount: i64, answer: &Answer, moment: Moment) {
        let customer = self.holder(from);
        self.count_sent(customer, amount, moment);
        let (payer, fee, levy) = self.price(Priced::CashOut, amount);
        let commission = self.commission(Priced::CashOut, agent, from, amount, fee, moment.day.0);
        let (on_top, out_of) = match payer {
            Some(Payer::Sender) => (fee + levy, 0),
            Some(Payer::Payee) => (0, fee + levy),
            _ => (0, 0),
        };
        let cash = crate::told!(answer, from, Text::CashTakenOut { cash, .. } => cash.minor());
        assert_eq!(cash, amount - out_of);
        self.add(customer, -amount - on_top);
        let float = self.holder(phone_of(agent));
        self.add(float, cash + commission);
        if payer == Some(Payer::Operator) {
            self.funds -= commission;
        } else {
            self.charge(payer, fee - commission, levy);
        }
    }

    /// A number's account is closed; what it held is unclaimed.
    pub fn close(&mut self, of: u64) {
        let holder = self.holder(of);
        self.unclaimed += self.money.insert(holder, 0).unwrap_or(0);
        self.open.remove(&of);
        self.frozen.remove(&of);
        self.wrong_pins.remove(&of);
        *self.generation.entry(of).or_insert(0) += 1;
    }

    /// What the waiting transfers would take back of the fees.
    pub fn refundable(&self) -> i64 {
        let kept = self.terms(Priced::Transfer).is_some_and(|terms| terms.fee_kept_on_return);
        let waiting = self.transfers.values().filter(|moved| moved.stands == Stands::Waits);
        let by_sender = waiting.filter(|moved| moved.payer == Some(Payer::Sender) && !kept);
        by_sender.map(|moved| moved.fee).sum()
    }
}

fn fee(terms: &Terms, amount: i64) -> i64 {
    let band = terms.bands.iter().find(|band| amount <= band.up_to).unwrap_or_else(|| terms.bands.last().unwrap());
    (band.fixed + amount * i64::from(band.per_mille) / 1000).max(band.minimum).min(band.maximum)
}

pub fn agent_of(phone: u64) -> u32 {
    if phone == AGENT_PHONE { AGENT } else { OTHER_AGENT }
}

pub fn phone_of(agent: u32) -> u64 {
    if agent == AGENT { AGENT_PHONE } else { OTHER_AGENT_PHONE }
}

/// The PIN that a message carries, of the one who wrote it.
pub fn pin_of(say: Say) -> Option<u32> {
    match say {
        Say::Tm(_, _, pin)
        | Say::TmNotMobile(_, pin)
        | Say::TmTyped(_, _, pin)
        | Say::Gm(_, _, _, pin)
        | Say::GmWithDocument(_, _, _, pin)
        | Say::Gw(_, _, _, pin)
        | Say::Dp(_, pin)
        | Say::Rs(_, pin)
        | Say::Rc(_, pin)
        | Say::Ra(_, pin)
        | Say::Ci(_, _, pin)
        | Say::Co(_, _, pin)
        | Say::Bl(pin)
        | Say::St(pin)
        | Say::Pn(pin, _) => Some(pin),
        _ => None,
    }
}
