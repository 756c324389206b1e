//! Figures of what is proven to others: the trust account, and the heads of the log that a witness has.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use transaction_processing::bank::TrustAccount;

use crate::config::CurrencyCode;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    currency: &'static str,
}

type PerCurrency = Family<Labels, Gauge>;

/// These figures.
pub struct Proofs {
    money: PerCurrency,
    bank: PerCurrency,
    difference: PerCurrency,
    alarm: PerCurrency,
    stated: PerCurrency,
    row: Gauge,
    failures: Counter,
}

impl Proofs {
    pub(super) fn new(all: &mut Registry) -> Proofs {
        let mut family = |name: &str, about: &str| {
            let family = PerCurrency::default();
            all.register(name, about, family.clone());
            family
        };
        let proofs = Proofs {
            money: family("trust_money_minor_units", "All electronic money, added up account by account"),
            bank: family(
                "trust_bank_minor_units",
                "What the bank holds for it: its last statement and what moved since",
            ),
            difference: family("trust_difference_minor_units", "By how much the bank has more; below zero no cover"),
            alarm: family("trust_alarm", "1 while the bank and the wallets differ"),
            stated: family("trust_stated_timestamp_seconds", "As of when the bank's last statement is"),
            row: Gauge::default(),
            failures: Counter::default(),
        };
        all.register("witness_row", "The row of the last head of the log that the witness has", proofs.row.clone());
        all.register("witness_failures", "Heads of the log that could not be written", proofs.failures.clone());
        proofs
    }

    /// Both sides of the trust account, as they stand.
    pub fn compared(&self, sides: &[TrustAccount]) {
        for side in sides {
            let code = CurrencyCode::numbered(side.currency.numeric).map_or("unknown", CurrencyCode::code);
            let set = |family: &PerCurrency, value: i64| family.get_or_create(&Labels { currency: code }).set(value);
            set(&self.money, side.money());
            set(&self.alarm, i64::from(side.difference().is_some_and(|difference| difference != 0)));
            if let (Some(said), Some(at_bank), Some(difference)) = (&side.confirmed, side.at_bank(), side.difference())
            {
                set(&self.bank, at_bank);
                set(&self.difference, difference);
                set(&self.stated, said.as_of.0 / 1000);
            }
        }
    }

    /// The witness has a head.
    pub fn attested(&self, row: u64) {
        self.row.set(i64::try_from(row).unwrap_or(i64::MAX));
    }

    /// A head could not be written.
    pub fn not_attested(&self) {
        self.failures.inc();
    }
}
