//! The operator's office: two people for every measure, mostly two different ones; and the bank, whose statement is the only
//! source of what the trust account holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use data_center::Answer;
use encryption::{Code, Keys, Purpose};
use transaction_processing::account::{Account, Proof, Status, Tier};
use transaction_processing::ids::{AgentCode, CaseId, Iccid, ProposalId, Sequence, StaffId, SystemAccount, TransferId};
use transaction_processing::notice::SealedCode;
use transaction_processing::proposal::{Measure, Proposal, ProposalState};
use transaction_processing::request::{Action, Origin};
use transaction_processing::requests::approve::{self, OneTimePin, Verdict};
use transaction_processing::requests::{propose, staff, tariff};
use transaction_processing::time::Time;
use transaction_processing::{Books, Currency, Money, Msisdn, Refusal, Request};
use wakala::uplink::{international, private};

use crate::dice::Dice;

/// An answer to the office.
pub struct Letter {
    /// What was approved, where that was asked.
    pub measure: Option<Measure>,
    /// Why not.
    pub refusal: Option<Refusal>,
}

/// Where answers come. Clones are the same box.
#[derive(Clone, Default)]
pub struct Letters(Arc<Mutex<Vec<Letter>>>);

impl Letters {
    /// An answer came.
    pub fn put(&self, measure: Option<Measure>, answer: &Answer) {
        let letter = Letter { measure, refusal: answer.refusal };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
    }

    /// Takes what came.
    pub fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The office.
pub struct Office {
    currency: Currency,
    /// What the bank confirmed, by its reference, and what it paid out.
    deposits: BTreeMap<String, i64>,
    paid_out: BTreeMap<String, i64>,
    /// Deposits that may have been issued: the answer never came.
    open: BTreeSet<String>,
    serial: u64,
    /// Serial numbers of cards.
    cards: u64,
}

/// Numbers that the office deals with.
pub struct Numbers<'a> {
    /// Everybody's, and some of nobody.
    pub all: &'a [String],
    /// Codes of agents, and some of nobody.
    pub agents: &'a [u32],
    /// Transfers that somebody was told of.
    pub transfers: &'a [u64],
}

impl Office {
    /// An office whose bank account is empty.
    pub fn new(currency: Currency) -> Office {
        let (deposits, paid_out, open) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Office { currency, deposits, paid_out, open, serial: 0, cards: 0 }
    }

    /// What the bank holds in trust: no more may be issued (I21).
    pub fn trust(&self) -> i64 {
        self.deposits.values().sum::<i64>() - self.paid_out.values().sum::<i64>()
    }

    /// A restore has lost movements: the bank takes back payments that the books do not know of, and what they do not know of
    /// deposits may be issued again.
    pub fn reconcile(&mut self, books: &Books) {
        self.paid_out.retain(|reference, _| books.is_bank_reference_used(reference));
        self.open =
            self.deposits.keys().filter(|reference| !books.is_bank_reference_used(reference)).cloned().collect();
    }

    /// One of the first two members of staff.
    pub fn first_staff(&self, name: &str) -> Request {
        let fields = staff::Fields { name: name.to_owned(), verifier: "none".to_owned() };
        request(Origin::Platform, Action::EnrolFirstStaff(fields))
    }

    /// The bank confirms a deposit, to be issued.
    pub fn deposit(&mut self, minor: i64) -> Measure {
        self.serial += 1;
        let bank_reference = format!("deposit {}", self.serial);
        self.deposits.insert(bank_reference.clone(), minor);
        self.open.insert(bank_reference.clone());
        Measure::Issue { amount: self.money(minor), bank_reference }
    }

    /// An answer came: what the bank has to know of it.
    pub fn read(&mut self, letter: &Letter) {
        match &letter.measure {
            Some(Measure::Issue { bank_reference, .. }) => {
                let done = letter.refusal.is_none() || letter.refusal == Some(Refusal::BankReferenceUsed);
                if done {
                    self.open.remove(bank_reference);
                }
            }
            Some(Measure::Redeem { amount, bank_reference }) if letter.refusal.is_none() => {
                self.paid_out.insert(bank_reference.clone(), amount.minor());
            }
            _ => {}
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency).unwrap_or(Money::zero(self.currency))
    }

    /// A proposal of this measure.
    pub fn propose(maker: StaffId, measure: Measure) -> Request {
        request(Origin::Staff(maker), Action::Propose(propose::Fields { measure }))
    }

    /// A checker's word on a proposal. Where the measure sends a one-time PIN it is drawn here.
    pub fn check(checker: StaffId, proposal: &Proposal, verdict: Verdict, keys: &dyn Keys, dice: &mut Dice) -> Request {
        let to = match &proposal.measure {
            Measure::EnrolAgent { msisdn, .. } | Measure::ResetPin { msisdn } => Some(*msisdn),
            Measure::ChangeNumber { to, .. } => Some(*to),
            _ => None,
        };
        let one_time_pin = to.and_then(|to| one_time_pin(to, keys, dice));
        let moved_name = match &proposal.measure {
            Measure::ChangeNumber { to, .. } => Some(private(keys, "name", *to, b"somebody", dice.generator())),
            _ => None,
        };
        let fields = approve::Fields { proposal: proposal.id, verdict, one_time_pin, moved_name };
        request(Origin::Staff(checker), Action::Approve(fields))
    }

    /// What the office does next, and the measure that it approves, if it does. Told from what is in the books: staff look.
    pub fn act(
        &mut self,
        books: &Books,
        numbers: &Numbers<'_>,
        keys: &dyn Keys,
        dice: &mut Dice,
    ) -> (Request, Option<Measure>) {
        let staff: Vec<StaffId> = books.all_staff().map(|staff| staff.id).collect();
        let somebody = |dice: &mut Dice| dice.pick(&staff).copied().unwrap_or(StaffId(1));
        let open: Vec<Proposal> =
            books.proposals().filter(|proposal| proposal.state == ProposalState::Open).cloned().collect();
        if let Some(proposal) = dice.pick(&open)
            && dice.below(5) != 0
        {
            let other = staff.iter().copied().find(|staff| *staff != proposal.maker && dice.below(8) != 0);
            let checker = other.unwrap_or_else(|| somebody(dice));
            let verdict = if dice.below(15) == 0 { Verdict::Reject } else { Verdict::Approve };
            let approved = (verdict == Verdict::Approve).then(|| proposal.measure.clone());
            let mut request = Office::check(checker, proposal, verdict, keys, dice);
            // Now and then nobody has drawn the one-time PIN that goes with it.
            if let Action::Approve(fields) = &mut request.action
                && dice.below(15) == 0
            {
                fields.one_time_pin = None;
            }
            return (request, approved);
        }
        if dice.below(30) == 0 {
            return (self.odd(books, somebody(dice), dice), None);
        }
        let measure = self.measure(books, numbers, keys, dice);
        (Office::propose(somebody(dice), measure), None)
    }

    /// What nobody should ask for.
    fn odd(&self, books: &Books, staff: StaffId, dice: &mut Dice) -> Request {
        match dice.below(5) {
            0 => self.first_staff("a third"),
            1 => {
                let fields = approve::Fields {
                    proposal: ProposalId(u64::MAX),
                    verdict: Verdict::Approve,
                    one_time_pin: None,
                    moved_name: None,
                };
                request(Origin::Staff(staff), Action::Approve(fields))
            }
            2 => {
                let fields = approve::Fields {
                    proposal: ProposalId(1),
                    verdict: Verdict::Reject,
                    one_time_pin: None,
                    moved_name: None,
                };
                request(Origin::Staff(StaffId(u64::MAX)), Action::Approve(fields))
            }
            3 => match books.tariffs().next() {
                Some(held) => {
                    let fields = tariff::Fields { terms: held.terms.clone() };
                    request(Origin::Staff(staff), Action::AdoptTariff(fields))
                }
                None => self.first_staff("nobody"),
            },
            _ => {
                let closed = books.proposals().find(|proposal| proposal.state != ProposalState::Open);
                let proposal = closed.map_or(ProposalId(1), |proposal| proposal.id);
                let fields =
                    approve::Fields { proposal, verdict: Verdict::Approve, one_time_pin: None, moved_name: None };
                request(Origin::Staff(staff), Action::Approve(fields))
            }
        }
    }

    fn measure(&mut self, books: &Books, numbers: &Numbers<'_>, keys: &dyn Keys, dice: &mut Dice) -> Measure {
        let msisdn = |dice: &mut Dice| {
            let digits = dice.pick(numbers.all).and_then(|digits| digits.parse().ok());
            digits.and_then(Msisdn::new).unwrap_or_else(|| unreachable!("numbers of the simulation are numbers"))
        };
        let code = |dice: &mut Dice| AgentCode(dice.pick(numbers.agents).copied().unwrap_or(1));
        let minor = 1_000_00 * (1 + dice.below(2_000)) as i64;
        let of = msisdn(dice);
        self.serial += 1;
        match dice.weighted(&[8, 3, 14, 5, 3, 4, 5, 3, 6, 3, 3, 4, 2, 2, 1, 5, 2, 1, 1, 2, 3, 2, 1]) {
            0 => self.deposit_or_again(minor * 10, dice),
            1 => {
                // Now and then the operator takes out what it has, but for a little.
                let held = books.system(SystemAccount::OperatorFunds, self.currency).map_or(0, Account::balance);
                let rest = held - dice.below(100_00) as i64;
                let amount = self.money(if dice.below(10) == 0 && rest > 0 { rest } else { minor });
                let used = self.deposits.keys().next().cloned().filter(|_| dice.below(6) == 0);
                let bank_reference = used.unwrap_or_else(|| format!("payment {}", self.serial));
                Measure::Redeem { amount, bank_reference }
            }
            2 => Measure::SupplyFloat { agent: code(dice), amount: self.money(minor * 4) },
            3 => Measure::WithdrawFloat { agent: code(dice), amount: self.money(minor) },
            4 => Measure::CollectFees { amount: self.money(minor / 100) },
            5 => {
                let open = books.cases().filter(|case| case.closed_at.is_none() || dice.below(5) == 0);
                let case = open.map(|case| case.id).last().unwrap_or(CaseId(1));
                Measure::PayUnclaimed { case, msisdn: of }
            }
            6 => Measure::Reverse { transfer: TransferId(dice.pick(numbers.transfers).copied().unwrap_or(1)) },
            7 => {
                let taken = dice.below(3) == 0;
                let code = if taken { code(dice) } else { AgentCode(2_000 + self.serial as u32 % 10_000) };
                let name = private(keys, "name", of, b"another agent", dice.generator());
                Measure::EnrolAgent { code, msisdn: of, name, own_numbers: Vec::new() }
            }
            8 => {
                let tier = [Tier::Entry, Tier::Standard, Tier::Full][dice.index(3)];
                Measure::SetTier { msisdn: of, tier }
            }
            9 => Measure::UnlockPin { msisdn: of },
            10 => Measure::ResetPin { msisdn: of },
            11 => Measure::Freeze { msisdn: of },
            12 => Measure::Close { msisdn: of },
            13 => Measure::ChangeNumber { msisdn: of, to: msisdn(dice) },
            14 => Measure::RecycleNumber { msisdn: of },
            15 => Measure::Unfreeze { msisdn: self.frozen(books).unwrap_or(of) },
            16 => Measure::BindCard { msisdn: of, iccid: self.card(books, dice) },
            17 => Measure::ForgetCard { msisdn: of },
            18 => Measure::EnrolStaff { name: format!("member {}", dice.below(6)), verifier: "none".to_owned() },
            19 => Measure::Issue {
                amount: Money::new(1, Currency { numeric: 978, minor_digits: 2 }).unwrap_or(self.money(1)),
                bank_reference: format!("euro {}", self.serial),
            },
            20 => self.confirm(books),
            21 => Measure::Erase { msisdn: of, up_to: Sequence(dice.below(books.next().0 + 2)) },
            _ => {
                let staff: Vec<StaffId> = books.all_staff().map(|staff| staff.id).collect();
                Measure::DismissStaff { staff: dice.pick(&staff).copied().unwrap_or(StaffId(1)) }
            }
        }
    }

    /// The bank's statement of the last moment before now: where the clock was set back, rows to come have the time of the
    /// last one. It has every deposit, those that are not issued yet too, and what was entered since that moment.
    fn confirm(&self, books: &Books) -> Measure {
        let statement = format!("statement {}", self.serial);
        let as_of = Time(books.moment().time.0 - 1);
        let entered = books.bank_movements().filter(|movement| movement.at > as_of);
        let entered = entered.map(|movement| movement.reference.clone());
        let includes = self.open.iter().cloned().chain(entered).collect();
        Measure::ConfirmBank { balance: self.money(self.trust()), as_of, statement, includes }
    }

    fn deposit_or_again(&mut self, minor: i64, dice: &mut Dice) -> Measure {
        let open: Vec<String> = self.open.iter().cloned().collect();
        match dice.pick(&open) {
            Some(bank_reference) => {
                let minor = self.deposits.get(bank_reference).copied().unwrap_or(0);
                Measure::Issue { amount: self.money(minor), bank_reference: bank_reference.clone() }
            }
            None => self.deposit(minor),
        }
    }

    fn frozen(&self, books: &Books) -> Option<Msisdn> {
        books.accounts().find(|account| account.status == Status::Frozen).and_then(|account| account.msisdn)
    }

    /// A new card, or one that serves somebody already.
    fn card(&mut self, books: &Books, dice: &mut Dice) -> Iccid {
        let used = books.numbers().find_map(|number| number.card.as_ref()).map(|card| card.iccid);
        if let Some(used) = used.filter(|_| dice.below(4) == 0) {
            return used;
        }
        self.new_card()
    }

    /// A card that serves nobody yet.
    pub fn new_card(&mut self) -> Iccid {
        self.cards += 1;
        card_numbered(self.cards)
    }

    /// All cards there ever were, those among them of which a restore or a lost answer left no trace.
    pub fn cards(&self) -> impl Iterator<Item = Iccid> {
        (1..=self.cards).map(card_numbered)
    }
}

fn card_numbered(number: u64) -> Iccid {
    Iccid::new(89_255_000_000_000_000_000 + u128::from(number))
        .unwrap_or_else(|| unreachable!("twenty digits are a serial"))
}

fn request(origin: Origin, action: Action) -> Request {
    Request { key: None, origin, action }
}

fn one_time_pin(to: Msisdn, keys: &dyn Keys, dice: &mut Dice) -> Option<OneTimePin> {
    let code = Code::draw(Purpose::OneTimePin, dice.generator());
    let number = international(to);
    let (version, proof) = keys.pin_proofs(&number, &code.as_pin()?).newest();
    let sealed = keys.seal_at_rest(dice.generator(), "code", number.as_bytes(), code.expose().as_bytes());
    Some(OneTimePin { to, proof: Proof { version: version.0, tag: proof.0 }, sealed: SealedCode(sealed) })
}
