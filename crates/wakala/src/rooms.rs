//! What the rooms of the platform are made of, from one configuration: neither sockets nor threads nor files are needed for it,
//! so that a simulation furnishes them as the program does.

use std::sync::{Arc, Mutex, PoisonError};

use encryption::Keys;
use transaction_processing::number::Number;
use transaction_processing::request::{Action, Origin};
use transaction_processing::requests::{epoch, tariff};
use transaction_processing::time::{Moment, Time};
use transaction_processing::{Books, Request};
use wire::Secret;
use wire::smpp::Address;

use crate::communication_gateway::{Clock, INBOUND_WINDOW, link};
use crate::config::{Config, MessageCentre};
use crate::downlink::outbox::{Centre, Outbox, Settings};
use crate::downlink::{Catalogues, NumberForm, Style};
use crate::numbering::Numbering;
use crate::uplink::Rations;

/// Messages that wait within one bind; few, so that the outbox keeps the order of importance.
const LINK_QUEUE: usize = 1_024;

/// Numbers that a restored database leaves out at least: more than could have been given since the backup, so that no reference
/// that somebody holds from the lost stretch is given again. References reach to 10¹¹, so there is room for dozens of restores.
const EPOCH_JUMP: u64 = 1_000_000_000;
/// Numbers left out besides for each second since the backup's last row: a backup that is restored a second time does not give
/// the numbers of its first epoch again, unless more rows a second than these were made in it.
const EPOCH_JUMP_A_SECOND: u64 = 1_000;
/// An older backup than this, seconds, leaves out no more: 30 days.
const EPOCH_SECONDS: u64 = 30 * 86_400;

/// How many numbers an epoch leaves out that opens now, over books whose last row was made then. The number that is `drawn`
/// keeps two epochs apart where the clock does not, because it was set back.
fn epoch_jump(last: Time, (now, drawn): (Time, u64)) -> u64 {
    let seconds = (now.0 - last.0).max(0).unsigned_abs() / 1_000;
    EPOCH_JUMP + EPOCH_JUMP_A_SECOND * seconds.min(EPOCH_SECONDS) + drawn % EPOCH_JUMP
}

/// What in a configuration cannot be built. A configuration that was checked has nothing of the kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

fn unfit(why: impl ToString) -> Unfit {
    Unfit(why.to_string())
}

/// The clock, but never before the last row of the log: the machine's may have been set back while the platform was down. A
/// second is added, so that no counter of a card that was taken from the clock in that row's millisecond is taken again.
pub fn not_before(last: Arc<Mutex<Moment>>, clock: Clock) -> Clock {
    Arc::new(move || {
        let (now, last) = (clock(), *last.lock().unwrap_or_else(PoisonError::into_inner));
        let least = last.time.plus_seconds(1);
        Moment { time: now.time.max(least), day: now.day.max(last.day), month: now.month.max(last.month) }
    })
}

/// What is to be decided before the doors open: a new epoch where the books were restored from a backup, and the adoption of
/// tariffs that they do not hold yet.
///
/// An epoch needs the time and a uniform number.
pub fn opening(books: &Books, config: &Config, restored: bool, epoch: (Time, u64)) -> Vec<Request> {
    let jump = epoch_jump(books.moment().time, epoch);
    let epoch = restored.then_some(Action::OpenEpoch(epoch::Fields { jump }));
    let missing = config.terms().into_iter().filter(|terms| !books.tariffs().any(|tariff| tariff.terms == *terms));
    let adopted = missing.map(|terms| Action::AdoptTariff(tariff::Fields { terms }));
    let request = |action| Request { key: None, origin: Origin::Platform, action };
    epoch.into_iter().chain(adopted).map(request).collect()
}

/// The numbers that the uplink must know of before a decision.
pub fn known(books: &Books) -> Vec<Number> {
    books.numbers().filter(|number| number.language.is_some() || number.card.is_some()).cloned().collect()
}

/// How typed numbers are read.
///
/// # Errors
/// [`Unfit`].
pub fn numbering(config: &Config) -> Result<Numbering, Unfit> {
    let country = &config.ledger.country;
    Numbering::new(country, &config.numbers).ok_or_else(|| unfit(format!("the country {country} is not known")))
}

/// What each sender gets in an hour.
pub fn rations(config: &Config) -> Rations {
    Rations {
        answers: config.messages.malformed_answers_per_hour,
        receipts: config.messages.receipts_per_hour,
        senders: config.messages.counted_senders as usize,
    }
}

/// The words of all languages.
///
/// # Errors
/// [`Unfit`]; never for the catalogues that the tests have seen.
pub fn catalogues() -> Result<Catalogues, Unfit> {
    Catalogues::load().map_err(unfit)
}

/// The outbox, empty. Its first parts bear a reference that is drawn at every start.
///
/// # Errors
/// [`Unfit`].
pub fn outbox(
    config: &Config,
    keys: Arc<dyn Keys>,
    catalogues: Arc<Catalogues>,
    first_reference: u16,
) -> Result<Outbox, Unfit> {
    let short_code = &config.messages.short_code;
    let centre = |centre: &MessageCentre| {
        let source = Address::new(centre.source_ton, centre.source_npi, short_code);
        Ok(Centre {
            alphabet: centre.default_alphabet.into(),
            source: source.map_err(|_| unfit(format!("the short code {short_code} is too long")))?,
            wide_references: centre.wide_references,
            prefixes: centre.prefixes.clone(),
        })
    };
    let settings = Settings {
        centres: config.message_centre.iter().map(centre).collect::<Result<Vec<_>, Unfit>>()?,
        validity_seconds: config.messages.validity_hours.saturating_mul(3600),
        resends: u16::from(config.messages.resends),
        resend_after_seconds: config.messages.resend_after_seconds,
        most_waiting: config.messages.queue_messages as usize,
        first_reference,
    };
    Ok(Outbox::new(settings, keys, catalogues, style(config)?))
}

/// How values stand in texts.
///
/// # Errors
/// [`Unfit`].
pub fn style(config: &Config) -> Result<Style, Unfit> {
    let zone = config.ledger.zone.time_zone().clone();
    Style::new(zone, NumberForm::International, &config.messages.care_number).map_err(unfit)
}

/// How a bind to a centre is made.
///
/// # Errors
/// [`Unfit`].
pub fn link(centre: &MessageCentre, password: Secret) -> Result<link::Settings, Unfit> {
    let too_long = |_| unfit(format!("{}: system_id or system_type is too long", centre.name));
    Ok(link::Settings {
        name: centre.name.clone(),
        hosts: centre.hosts.clone(),
        client: centre.client(password, LINK_QUEUE, INBOUND_WINDOW).map_err(too_long)?,
        alphabet: centre.default_alphabet.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_that_is_restored_twice_gives_no_number_twice() {
        let last = Time(1_772_442_000_000);
        let after = |seconds| epoch_jump(last, (last.plus_seconds(seconds), 0));
        let (first, hours) = (after(60), 6 * 3_600);
        assert!(after(60 + hours) >= first + u64::from(hours) * EPOCH_JUMP_A_SECOND);
        assert_eq!(epoch_jump(last, (last.less_seconds(9), 7)), EPOCH_JUMP + 7, "the clock was set back");
        assert_eq!(epoch_jump(Time(0), (last, EPOCH_JUMP)), EPOCH_JUMP + 2_592_000_000, "at most");
    }
}
