//! Compares all the time what all wallets hold with what the bank holds for them, and raises an alarm where they differ.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use data_center::Writer;
use tokio::time::MissedTickBehavior;
use transaction_processing::Currency;
use transaction_processing::bank::TrustAccount;

use crate::config::CurrencyCode;
use crate::observe::metrics::Metrics;

/// How often both sides are looked at: a difference is told within a minute.
pub const EVERY: Duration = Duration::from_secs(30);

/// What there is to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Both sides differ, or differ by another amount than before: by how much the bank has more, minor units. Below zero
    /// money has no cover.
    Differs(Currency, i64),
    /// They agree again.
    Agrees(Currency),
}

/// Which differences were told.
#[derive(Default)]
pub struct Watch {
    told: BTreeMap<Currency, i64>,
}

impl Watch {
    /// Looks at the sides as they stand. What was told already is not told again.
    pub fn look(&mut self, sides: &[TrustAccount]) -> Vec<Event> {
        let mut events = Vec::new();
        for side in sides {
            let currency = side.currency;
            let now = side.difference().filter(|difference| *difference != 0);
            let before = match now {
                Some(difference) => self.told.insert(currency, difference),
                None => self.told.remove(&currency),
            };
            match now {
                Some(difference) if before != now => events.push(Event::Differs(currency, difference)),
                None if before.is_some() => events.push(Event::Agrees(currency)),
                _ => {}
            }
        }
        events
    }
}

fn tell(event: &Event) {
    let code = |currency: &Currency| CurrencyCode::numbered(currency.numeric).map_or("unknown", CurrencyCode::code);
    match event {
        Event::Differs(currency, minor_units) => {
            let (currency, covered) = (code(currency), *minor_units > 0);
            tracing::error!(currency, minor_units, covered, "trust account: the bank has another sum than the wallets");
        }
        Event::Agrees(currency) => {
            tracing::info!(currency = code(currency), "trust account: the bank and the wallets agree again");
        }
    }
}

/// Looks again and again, until the writer ends.
pub async fn run(writer: Writer, currencies: Vec<Currency>, metrics: Arc<Metrics>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    loop {
        every.tick().await;
        let (writer, currencies) = (writer.clone(), currencies.clone());
        let asking = move || writer.read(move |books| TrustAccount::of(books, currencies));
        let Ok(Ok(sides)) = tokio::task::spawn_blocking(asking).await else { return };
        metrics.proofs.compared(&sides);
        watch.look(&sides).iter().for_each(tell);
    }
}
