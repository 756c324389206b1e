//! The end of a run: faults stop, all work in flight becomes final within a bound (I24), and everything is added up.

use std::collections::BTreeSet;
use std::time::Duration;

use data_center::{MessageState, StoreError};
use encryption::Keys;
use transaction_processing::Notice;
use transaction_processing::bank::TrustAccount;
use transaction_processing::ids::{Sequence, SystemAccount, TransferId};
use wakala::rooms;
use wakala::uplink::international;
use wire::sms::{DefaultAlphabet, Reference, segment_text};

use crate::audit::{Finding, Verdict};
use crate::depot::Depot;
use crate::fault::Weather;
use crate::world::{Part, World};

/// How long messages and texts are held at most.
pub(crate) const LONGEST_HELD: Duration = Duration::from_secs(40 * 3_600);
/// How long after its period the last waiting transfer may end.
const DAYS_MORE: u64 = 1;

fn finding(error: StoreError) -> Finding {
    Finding(format!("the log cannot be read: {error}"))
}

impl<D: Depot> World<D> {
    /// Ends the run.
    ///
    /// # Errors
    /// The first finding.
    pub(crate) fn finish(&mut self) -> Verdict {
        self.calm_down()?;
        self.let_pass(self.clocks.behind(self.rows.time()) + LONGEST_HELD)?;
        let validity = Duration::from_secs(u64::from(self.ground.config.messages.validity_hours) * 3600);
        let period = u64::from(self.ground.config.transfer.withdrawal_period_days) + DAYS_MORE;
        self.let_pass(validity + Duration::from_secs(4 * 3600))?;
        self.judge_told()?;
        self.let_pass(Duration::from_secs(period * 86_400))?;
        self.judge_told()?;
        self.judge_ended()?;
        self.judge_statement()?;
        self.insert_cards();
        self.ask_everybody()?;
        self.read_unread()?;
        self.rows.silent().iter().for_each(|silent| self.money.takes(silent));
        self.money.close(&self.rows)?;
        self.judge_secrets()?;
        if let Some(house) = &self.house {
            house.books(|books| self.rows.compare(books))?;
        }
        // Once more from the disk alone.
        self.die();
        self.settle("the platform recovers", |world| world.house.is_some())?;
        self.house = None;
        self.depot.verify()?;
        self.count();
        Ok(())
    }

    /// No fault strikes any more: phones are on, lines stand, the disk has room, the process runs.
    fn calm_down(&mut self) -> Verdict {
        self.stormy = false;
        self.weather = Weather::calm();
        self.set_centre_faults();
        if let Some(disk) = self.depot.disk() {
            disk.arm(None);
            disk.fail_reads(false);
        }
        self.unreachable_until.iter_mut().for_each(|until| *until = Duration::ZERO);
        for who in 0..self.people.len() {
            self.phone_on(who)?;
        }
        self.settle("the platform runs", |world| world.house.is_some() && !world.stopping)
    }

    /// Lets so much time pass, as fast as there is something to do.
    fn let_pass(&mut self, time: Duration) -> Verdict {
        let until = self.now() + time;
        while self.next_at().is_some_and(|at| at < until) {
            self.step()?;
        }
        self.clocks.pass(until);
        // The clock went on while nothing was to be done.
        self.wake(Part::Dispatch, Duration::ZERO);
        self.wake(Part::Timers, Duration::ZERO);
        let settled = self.now() + Duration::from_secs(600);
        while self.next_at().is_some_and(|at| at < settled) {
            self.step()?;
        }
        self.clocks.pass(settled);
        Ok(())
    }

    /// I24: every notice of every row has found its end, and its code is gone.
    fn judge_told(&mut self) -> Verdict {
        let mut history = self.depot.history().map_err(finding)?;
        let mut after = Sequence(0);
        loop {
            let (untold, up_to) = history.untold(after, 1_000).map_err(finding)?;
            if let Some(first) = untold.first() {
                let state = first.message.as_ref().map_or("not tried", |message| message.state.name());
                let (row, notice) = (first.id.sequence.0, first.id.notice);
                return Err(Finding(format!("I24: notice {notice} of row {row} stands {state} after everything")));
            }
            if up_to == after {
                break;
            }
            after = up_to;
        }
        let kept = self.depot.disk().and_then(|disk| disk.look(|image| image.codes().next()));
        match kept {
            Some(notice) => Err(Finding(format!("the code of row {} is kept after its end", notice.sequence.0))),
            None => Ok(()),
        }
    }

    /// I24: no transfer waits, and no money is in flight.
    fn judge_ended(&self) -> Verdict {
        let waiting = self.rows.waiting();
        let currency = self.ground.config.ledger.currency.currency();
        let in_flight = self.rows.balance(SystemAccount::TransfersInFlight.id(currency));
        if waiting > 0 || in_flight != 0 {
            return Err(Finding(format!("I24: {waiting} transfers wait, {in_flight} is in flight after everything")));
        }
        let queued = self.house.as_ref().map(|house| house.dispatch.lengths()).unwrap_or_default();
        if queued != (0, 0, 0) {
            return Err(Finding(format!("I24: the outbox is not empty: {queued:?}")));
        }
        Ok(())
    }

    /// I21: what the bank stated covers all electronic money, as the books themselves compare the two.
    fn judge_statement(&self) -> Verdict {
        let currency = self.ground.config.ledger.currency.currency();
        let sides = TrustAccount::of(self.rows.books(), [currency]);
        match sides.first().and_then(TrustAccount::difference) {
            Some(difference) if difference < 0 => Err(Finding(format!("I21: {difference} between bank and books"))),
            _ => Ok(()),
        }
    }

    /// Everybody who can asks for the balance.
    fn ask_everybody(&mut self) -> Verdict {
        for who in 0..self.people.len() {
            let Some(account) = self.rows.account_of(&self.people[who].digits) else { continue };
            let words = format!("BL*{}", self.people[who].pins.0);
            let (texts, sent) = (self.coverage.texts, self.sent);
            self.asked_balance = None;
            self.write(who, words)?;
            if self.sent == sent {
                continue;
            }
            let what = format!("the balance of {} is answered", self.people[who].digits);
            self.settle(&what, |world| world.coverage.texts > texts)?;
            if let Some(told) = self.asked_balance.take() {
                self.money.asked(account, told, &self.rows)?;
            }
        }
        Ok(())
    }

    /// Care reads what phones may not have read: it happened all the same.
    fn read_unread(&mut self) -> Verdict {
        let states = self.depot.messages().map_err(finding)?;
        let mut history = self.depot.history().map_err(finding)?;
        let style = rooms::style(&self.ground.config).map_err(|error| Finding(error.to_string()))?;
        for (id, state) in states {
            let Some(row) = history.row(id.sequence).map_err(finding)? else {
                return Err(Finding(format!("row {} is gone", id.sequence.0)));
            };
            let Some(notice) = row.notices.get(usize::from(id.notice)) else { continue };
            let text = self.rendered(notice, &style);
            // Parts may have come too far apart to be joined, and a sealed text takes several.
            let parts = segment_text(&text, DefaultAlphabet::Gsm7Unpacked, Reference::Wide(0), 3)
                .map_or(0, |parts| parts.len());
            if state == MessageState::Delivered && notice.card.is_none() && parts == 1 {
                continue;
            }
            let heard =
                self.ear.hear(&text).ok_or_else(|| Finding(format!("a text that says nothing known: {text}")))?;
            let transfer = heard.reference().and_then(|reference| self.keys.reference_id(&reference));
            let number = international(notice.to).trim_start_matches('+').to_owned();
            self.money.hear(&number, &heard, transfer, &self.rows)?;
        }
        Ok(())
    }

    fn rendered(&self, notice: &Notice, style: &wakala::downlink::Style) -> String {
        let keys: &dyn Keys = &*self.keys;
        let reference = |id: TransferId| keys.reference(id.0).map_or(String::new(), |reference| reference.to_string());
        self.ground.catalogues.render(&notice.text, None, notice.language, style, &reference).text.to_string()
    }

    /// I23: no PIN and no code stands anywhere on the disk.
    fn judge_secrets(&self) -> Verdict {
        let Some(disk) = self.depot.disk() else { return Ok(()) };
        let mut secrets: BTreeSet<&str> = BTreeSet::new();
        for person in &self.people {
            secrets.insert(&person.pins.0);
            secrets.extend(person.pins.1.as_deref());
            secrets.extend(person.mind.passwords.iter().map(|secret| secret.digits.as_str()));
            secrets.extend(person.mind.codes.iter().map(|secret| secret.digits.as_str()));
        }
        let found = disk.look(|image| image.octets().find_map(|octets| holds(octets, &secrets)));
        let found = found.or_else(|| holds(&disk.written_down(), &secrets));
        match found {
            Some(secret) => Err(Finding(format!("I23: the secret {secret} is on the disk"))),
            None => Ok(()),
        }
    }

    fn count(&mut self) {
        self.count_centre_faults();
        self.coverage.acknowledgements = self.promises.seen;
        self.coverage.seconds = self.now().as_secs();
        self.coverage.commands = self.sent;
        let head = self.rows.head();
        self.note(head);
    }
}

/// A secret of six or eight digits that stands in these octets.
fn holds(octets: &[u8], secrets: &BTreeSet<&str>) -> Option<String> {
    for length in [6, 8] {
        for window in octets.windows(length) {
            if window.iter().all(u8::is_ascii_digit)
                && let Ok(text) = std::str::from_utf8(window)
                && secrets.contains(text)
            {
                return Some(text.to_owned());
            }
        }
    }
    None
}
