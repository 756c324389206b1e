//! What the uplink must know of numbers before a decision.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use transaction_processing::Msisdn;
use transaction_processing::ids::{Iccid, TransferId};
use transaction_processing::number::{Language, Number};

use crate::uplink::Directory;

/// What the uplink must know of a number.
#[derive(Clone, Copy)]
struct Known {
    language: Option<Language>,
    card: Option<Iccid>,
}

/// Languages and cards of numbers, as the last commits left them.
pub struct Numbers {
    language: Language,
    known: RwLock<HashMap<Msisdn, Known>>,
    payees: Box<dyn Fn(TransferId) -> Option<Msisdn> + Send + Sync>,
}

impl Numbers {
    /// Those of the books at start; `language` is for those who chose none, `payees` finds the payee of a waiting transfer.
    pub fn new(language: Language, payees: impl Fn(TransferId) -> Option<Msisdn> + Send + Sync + 'static) -> Numbers {
        Numbers { language, known: RwLock::default(), payees: Box::new(payees) }
    }

    /// Takes what a commit says of a number.
    pub fn learn(&self, number: &Number) {
        let card = number.card.as_deref().map(|card| card.iccid);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if number.language.is_none() && card.is_none() {
            known.remove(&number.msisdn);
        } else {
            known.insert(number.msisdn, Known { language: number.language, card });
        }
    }

    fn get(&self, msisdn: Msisdn) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&msisdn).copied()
    }
}

impl Directory for Numbers {
    fn card(&self, msisdn: Msisdn) -> Option<Iccid> {
        self.get(msisdn)?.card
    }

    fn language(&self, msisdn: Msisdn) -> Language {
        self.get(msisdn).and_then(|known| known.language).unwrap_or(self.language)
    }

    fn payee(&self, transfer: TransferId) -> Option<Msisdn> {
        (self.payees)(transfer)
    }
}
