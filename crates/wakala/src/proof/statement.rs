//! The signed statement of the trust account: what every wallet together holds, what the bank holds for it, and at which row
//! of the log; a text for people that a machine reads back, checked with the public key alone.
//!
//! Signed, for the purpose [`PURPOSE`], is everything before the line `signature`. Amounts are in whole currency with its
//! decimals. There is one way to write a statement: one that is written otherwise is none.

use std::fmt::{self, Write as _};

use encryption::{Keys, Signature, VerifyingKey};
use transaction_processing::bank::{TrustAccount, Whose};
use transaction_processing::time::Time;

use super::{hex, read_link, read_moment, sign, verifies, written};
use crate::administration::shapes;

/// In whose name statements are signed.
pub const PURPOSE: &str = "trust account";

const TITLE: &str = "wakala trust account statement 1";
/// In the place of what the bank says.
const NOTHING: &str = "bank: nothing stated";
const SIGNATURE: &str = "signature: ";

/// What is stated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// When it was made.
    pub made_at: Time,
    /// The last row of the log that the sums are as of, and its link; zero and zeros for none.
    pub head: (u64, [u8; 32]),
    /// The version of the key that signed.
    pub key: u32,
    /// Each currency.
    pub sides: Vec<Side>,
}

/// Both sides in one currency. Sums are in minor units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// ISO 4217.
    pub currency: String,
    /// Decimal digits of its minor unit.
    pub minor_digits: u8,
    /// Accounts and what stands on them, by whose they are.
    pub held: [(u64, i128); Whose::ALL.len()],
    /// The sum of it.
    pub money: i128,
    /// What the bank holds; none where it has never stated anything.
    pub bank: Option<Bank>,
}

/// What the bank holds, minor units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bank {
    /// The bank's reference of its last statement.
    pub statement: String,
    /// As of when that is.
    pub as_of: Time,
    /// Its balance.
    pub balance: i128,
    /// What was deposited less what was paid out since.
    pub moved: i128,
    /// Both together.
    pub now: i128,
    /// By how much that is more than the electronic money.
    pub difference: i128,
}

impl Side {
    /// As the books have it.
    pub fn of(side: &TrustAccount) -> Side {
        let bank = side.confirmed.as_ref().zip(side.at_bank()).zip(side.difference());
        let bank = bank.map(|((said, now), difference)| Bank {
            statement: said.statement.clone(),
            as_of: said.as_of,
            balance: said.balance.minor().into(),
            moved: side.moved.into(),
            now: now.into(),
            difference: difference.into(),
        });
        Side {
            currency: shapes::currency(side.currency),
            minor_digits: side.currency.minor_digits,
            held: side.held.map(|(accounts, sum)| (accounts, sum.into())),
            money: side.money().into(),
            bank,
        }
    }

    /// What does not add up.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut judge = |what: &str, stated: i128, found: i128| {
            if stated != found {
                let [stated, found] = [stated, found].map(|minor| shapes::decimal(minor, self.minor_digits));
                wrong.push(format!("{}: {what} is stated as {stated}, but adds up to {found}", self.currency));
            }
        };
        judge("electronic money", self.money, self.held.iter().map(|(_, sum)| sum).sum());
        if let Some(bank) = &self.bank {
            judge("what is at the bank", bank.now, bank.balance + bank.moved);
            judge("the difference", bank.difference, bank.now - self.money);
        }
        wrong
    }
}

/// The words for whose money it is.
pub fn whose(whose: Whose) -> &'static str {
    match whose {
        Whose::Customers => "customers' wallets",
        Whose::Agents => "agents' floats",
        Whose::Platform(role) => shapes::system_account(role),
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statement { made_at, head: (row, link), key, sides } = self;
        write!(f, "{TITLE}\nmade at: {}\nlog row: {row}\nlog head: {}\nkey: {key}\n", written(*made_at), hex(link))?;
        sides.iter().try_for_each(|side| side.fmt(f))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |minor: i128| shapes::decimal(minor, self.minor_digits);
        write!(f, "\ncurrency: {}, {} decimals\n", self.currency, self.minor_digits)?;
        for (of, (accounts, sum)) in Whose::ALL.into_iter().zip(self.held) {
            writeln!(f, "{}: {} on {accounts}", whose(of), amount(sum))?;
        }
        writeln!(f, "electronic money: {}", amount(self.money))?;
        let Some(bank) = &self.bank else { return writeln!(f, "{NOTHING}") };
        writeln!(f, "bank statement: {}", bank.statement)?;
        writeln!(f, "bank balance: {} as of {}", amount(bank.balance), written(bank.as_of))?;
        writeln!(f, "moved since: {}", amount(bank.moved))?;
        writeln!(f, "at the bank: {}", amount(bank.now))?;
        writeln!(f, "difference: {}", amount(bank.difference))
    }
}

/// Why a text is not taken for a statement.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Untrue {
    /// It is none.
    #[error("this is no statement of the trust account, or it was changed: {0}")]
    NoStatement(String),
    /// It is one, and nobody known has signed it.
    #[error("none of the public keys signed this statement: it was changed, or signed by somebody else")]
    NotSigned,
    /// It was signed, and does not add up.
    #[error("the statement is signed, but its sums are wrong: {}", .0.join("; "))]
    Sums(Vec<String>),
}

impl Statement {
    /// States both sides as of a row of the log, with the signature at the end.
    pub fn sign(keys: &dyn Keys, made_at: Time, head: (u64, [u8; 32]), sides: Vec<Side>) -> String {
        let mut statement = Statement { made_at, head, key: 0, sides };
        let (mut text, signature) = sign(keys, PURPOSE, |version| {
            statement.key = version;
            statement.to_string()
        });
        // Writing to a string does not fail.
        let _ = writeln!(text, "{SIGNATURE}{signature}");
        text
    }

    /// Reads a statement that one of these keys signed, and adds it up again.
    ///
    /// # Errors
    /// [`Untrue`].
    pub fn check(text: &str, keys: &[VerifyingKey]) -> Result<Statement, Untrue> {
        let none = |what: &str| Untrue::NoStatement(what.to_owned());
        let (signed, signature) = text.rsplit_once(SIGNATURE).ok_or_else(|| none("it has no signature"))?;
        let written = signature.strip_suffix('\n').unwrap_or_default();
        let signature: Option<Signature> = written.parse().ok().filter(|read: &Signature| read.to_string() == written);
        let signature = signature.ok_or_else(|| none("its signature cannot be read"))?;
        if !verifies(keys, PURPOSE, signed, &signature) {
            return Err(Untrue::NotSigned);
        }
        let statement = read(signed).filter(|read| read.to_string() == signed);
        let statement = statement.ok_or_else(|| none("it is written in another way"))?;
        let wrong: Vec<String> = statement.sides.iter().flat_map(Side::wrong).collect();
        if wrong.is_empty() { Ok(statement) } else { Err(Untrue::Sums(wrong)) }
    }
}

/// Lines to be read, one after another.
struct Lines<'a>(std::iter::Peekable<std::str::Lines<'a>>);

impl<'a> Lines<'a> {
    /// What the next line says of this.
    fn of(&mut self, what: &str) -> Option<&'a str> {
        self.0.next()?.strip_prefix(what)?.strip_prefix(": ")
    }
}

fn read(text: &str) -> Option<Statement> {
    let mut lines = Lines(text.lines().peekable());
    if lines.0.next()? != TITLE {
        return None;
    }
    let made_at = read_moment(lines.of("made at")?)?;
    let head = (lines.of("log row")?.parse().ok()?, read_link(lines.of("log head")?)?);
    let key = lines.of("key")?.parse().ok()?;
    let mut sides = Vec::new();
    while lines.0.next_if_eq(&"").is_some() {
        sides.push(read_side(&mut lines)?);
    }
    lines.0.next().is_none().then_some(Statement { made_at, head, key, sides })
}

fn read_side(lines: &mut Lines<'_>) -> Option<Side> {
    let (currency, digits) = lines.of("currency")?.strip_suffix(" decimals")?.split_once(", ")?;
    let minor_digits = digits.parse().ok()?;
    let mut held = [(0, 0); Whose::ALL.len()];
    for (of, held) in Whose::ALL.into_iter().zip(&mut held) {
        let (sum, accounts) = lines.of(whose(of))?.split_once(" on ")?;
        *held = (accounts.parse().ok()?, read_amount(sum, minor_digits)?);
    }
    let money = read_amount(lines.of("electronic money")?, minor_digits)?;
    let side = |bank| Side { currency: currency.to_owned(), minor_digits, held, money, bank };
    if lines.0.next_if_eq(&NOTHING).is_some() {
        return Some(side(None));
    }
    let statement = lines.of("bank statement")?.to_owned();
    let (balance, as_of) = lines.of("bank balance")?.split_once(" as of ")?;
    let bank = Bank {
        statement,
        as_of: read_moment(as_of)?,
        balance: read_amount(balance, minor_digits)?,
        moved: read_amount(lines.of("moved since")?, minor_digits)?,
        now: read_amount(lines.of("at the bank")?, minor_digits)?,
        difference: read_amount(lines.of("difference")?, minor_digits)?,
    };
    Some(side(Some(bank)))
}

/// What books can hold, so that no sum of it leaves the room that there is.
fn read_amount(text: &str, minor_digits: u8) -> Option<i128> {
    let digits: String = text.chars().filter(|character| *character != '.').collect();
    let minor = i128::from(digits.parse::<i64>().ok()?);
    (shapes::decimal(minor, minor_digits) == text).then_some(minor)
}
