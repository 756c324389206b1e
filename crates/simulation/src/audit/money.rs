//! The auditor of money: counts it from what phones are told, never from the books. Each text that tells of a movement tells the
//! balance after it, so that all the movements of an account make one chain from nothing to what it holds at the end; a text too
//! few, too many or with a wrong figure breaks it, in whatever order texts come.

use std::collections::{BTreeMap, BTreeSet};

use transaction_processing::ids::{AccountId, Sequence, TransferId};
use transaction_processing::time::Time;

use super::rows::{Rows, Silent};
use super::{Finding, Verdict};
use crate::hearing::Heard;

/// A movement that somebody was told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Told {
    change: i64,
    balance: i64,
}

/// What a text is about, so that the same told twice is known.
type Matter = (&'static str, String);

#[derive(Clone, Default)]
struct Wallet {
    told: BTreeMap<Matter, Told>,
    /// The last balance that was asked for and told.
    asked: Option<i64>,
}

/// Somebody wants to move money: from where, where to, how much.
pub type Wish = (String, String, i64);

/// A wish in the words that were written, and when it was written first, by the platform's time.
#[derive(Clone)]
struct Written {
    first: Time,
    sealed: bool,
}

/// See the [module](self).
#[derive(Clone, Default)]
pub struct Money {
    wallets: BTreeMap<AccountId, Wallet>,
    wishes: BTreeMap<Wish, BTreeMap<String, Written>>,
    /// The references under which a wish was told to be done.
    done: BTreeMap<Wish, BTreeSet<String>>,
    /// Transfers that a restore has lost.
    lost: BTreeSet<TransferId>,
    /// Balances that lost rows about transfers led to, those that it has kept among them: their texts may still come.
    undone: BTreeSet<(TransferId, i64)>,
    /// Texts that told of money.
    pub heard: u64,
}

impl Money {
    /// Somebody writes a wish to move money. A sealed message is another one each time, a plain one with the same words is the
    /// same for as long as it is remembered.
    pub fn wished(&mut self, wish: Wish, words: String, sealed: bool, now: Time) {
        let written = self.wishes.entry(wish).or_default();
        let name = if sealed { format!("{} sealed {words}", written.len()) } else { words };
        written.entry(name).or_insert(Written { first: now, sealed });
    }

    /// A phone reads a text, or care reads what could not be delivered.
    ///
    /// # Errors
    /// Where it tells what is not so.
    pub fn hear(&mut self, number: &str, heard: &Heard<'_>, transfer: Option<u64>, rows: &Rows) -> Verdict {
        if transfer.is_some_and(|id| self.is_lost(id)) {
            return Ok(());
        }
        if heard.name == "balance" {
            return Ok(());
        }
        let Some((change, balance)) = movement(heard) else { return Ok(()) };
        let undone = |id| self.undone.contains(&(id, balance)) && !rows.led_to().contains(&(id, balance));
        if transfer.is_some_and(|id| undone(TransferId(id))) {
            return Ok(());
        }
        self.heard += 1;
        let finding = |what: String| Err(Finding(format!("{number} was told \"{}\": {what}", heard.name)));
        let reference = heard.reference().unwrap_or_else(|| format!("{change} {balance}"));
        let account = match transfer {
            Some(id) => rows.party(heard.name, TransferId(id), number),
            None => rows.paid_unclaimed(change, balance),
        };
        let Some(account) = account else {
            return finding(format!("I20: reference {reference} moved no money of theirs"));
        };
        let told = Told { change, balance };
        let wallet = self.wallets.entry(account).or_default();
        match wallet.told.insert((heard.name, reference.clone()), told) {
            Some(before) if before != told => finding(format!("{told:?}, and before {before:?}")),
            Some(_) => Ok(()),
            None => self.judge_wish(number, heard, reference, rows.time()),
        }
    }

    /// I5, I7: a wish is done once for each time that it was meant.
    fn judge_wish(&mut self, number: &str, heard: &Heard<'_>, reference: String, now: Time) -> Verdict {
        let other = match heard.name {
            "sent" | "sent-by-password" => heard.digits("payee"),
            "cash-taken-in" => heard.digits("customer"),
            _ => None,
        };
        let (Some(other), Some(amount)) = (other, heard.amount("amount")) else { return Ok(()) };
        let wish = (number.to_owned(), other, amount);
        let window = 72 * 3600 * 1000;
        let meant = self.wishes.get(&wish).into_iter().flatten().map(|(_, written)| {
            let again = if written.sealed { 0 } else { (now.0 - written.first.0).max(0) / window };
            1 + again
        });
        let meant: i64 = meant.sum();
        let done = self.done.entry(wish).or_default();
        done.insert(reference);
        if done.len() as i64 <= meant {
            return Ok(());
        }
        let all: Vec<&str> = done.iter().map(String::as_str).collect();
        Err(Finding(format!("I5: {number} meant {amount} {meant} times, it was done as {}", all.join(", "))))
    }

    /// A restore has lost rows: of all that were before, only those of `kept` are there still.
    pub fn restored(&mut self, before: &Rows, kept: &Rows, id_of: impl Fn(&str) -> Option<u64>) {
        let last = kept.next().0 - 1;
        self.lost.extend(before.transfers_after(Sequence(last)));
        self.undone.extend(before.led_to().difference(kept.led_to()));
        let undone =
            |id, told: &Told| self.undone.contains(&(id, told.balance)) && !kept.led_to().contains(&(id, told.balance));
        for wallet in self.wallets.values_mut() {
            wallet.told.retain(|(_, reference), told| {
                id_of(reference).is_none_or(|id| id <= last && !undone(TransferId(id), told))
            });
        }
        let kept = |reference: &String| id_of(reference).is_none_or(|id| id <= last);
        self.done.values_mut().for_each(|done| done.retain(kept));
    }

    /// Whether a restore has lost this transfer.
    pub fn is_lost(&self, id: u64) -> bool {
        self.lost.contains(&TransferId(id))
    }

    /// Takes a movement for told of which no text speaks.
    pub fn takes(&mut self, silent: &Silent) {
        let told = Told { change: silent.change, balance: silent.balance };
        self.wallets.entry(silent.account).or_default().told.insert(("silent", silent.transfer.0.to_string()), told);
    }

    /// With every text read, the movements told of each account lead from nothing to what it holds.
    ///
    /// # Errors
    /// Names the account of which too little, too much or something else was told.
    pub fn close(&self, rows: &Rows) -> Verdict {
        for (account, wallet) in &self.wallets {
            let mut ends: BTreeMap<i64, i64> = BTreeMap::new();
            for told in wallet.told.values() {
                *ends.entry(told.balance).or_default() += 1;
                *ends.entry(told.balance - told.change).or_default() -= 1;
            }
            let open = !rows.is_closed(*account);
            let sum: i64 = wallet.told.values().map(|told| told.change).sum();
            // What a closed account still held went to unclaimed money.
            let held = if open { rows.balance(*account) } else { sum };
            *ends.entry(held).or_default() -= 1;
            *ends.entry(0).or_default() += 1;
            let loose: Vec<String> = ends
                .iter()
                .filter(|(_, count)| **count != 0)
                .map(|(balance, count)| format!("{balance}: {count}"))
                .collect();
            if !loose.is_empty() || sum != held {
                let told: Vec<String> =
                    wallet.told.iter().map(|(matter, told)| format!("{matter:?} {told:?}")).collect();
                return Err(Finding(format!(
                    "account {} holds {held}, but {sum} was told; loose ends {}; told:\n  {}",
                    account.0,
                    loose.join(", "),
                    told.join("\n  ")
                )));
            }
        }
        for account in rows.holders() {
            let untold = !self.wallets.contains_key(&account) && rows.balance(account) != 0;
            if untold {
                return Err(Finding(format!(
                    "account {} holds {} that nobody was told of",
                    account.0,
                    rows.balance(account)
                )));
            }
        }
        Ok(())
    }

    /// Somebody asked for the balance and was told, with nothing under way.
    ///
    /// # Errors
    /// Where the account holds something else.
    pub fn asked(&mut self, account: AccountId, told: i64, rows: &Rows) -> Verdict {
        self.wallets.entry(account).or_default().asked = Some(told);
        let held = rows.balance(account);
        if held == told { Ok(()) } else { Err(Finding(format!("account {} holds {held}, told {told}", account.0))) }
    }
}

/// What a text says of its reader's money: the change, and the balance after it.
fn movement(heard: &Heard<'_>) -> Option<(i64, i64)> {
    let of = |name: &str| heard.amount(name).unwrap_or(0);
    let change = match heard.name {
        "sent" | "sent-by-password" => -of("amount") - of("charges"),
        "received" | "deposited" | "cash-put-in" => of("amount") - of("charges"),
        "paid-out-by-you" | "cash-to-hand-over" => of("cash") + of("commission"),
        "recalled" | "refunded" | "got-back" => of("returned"),
        "given-back" => -of("amount"),
        "cash-taken-in" => of("commission") - of("amount"),
        "cash-taken-out" => -of("cash") - of("charges"),
        "float-supplied" | "unclaimed-paid" => of("amount"),
        "float-withdrawn" => -of("amount"),
        _ => return None,
    };
    Some((change, heard.amount("balance")?))
}
