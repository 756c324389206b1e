//! The auditor of codes: money that waits is paid to nobody who has not written a code that was told for it (I16).

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Verdict};
use crate::hearing::Heard;

/// See the [module](self).
#[derive(Default)]
pub struct Codes {
    /// Codes and passwords that texts told, by the reference of the transfer.
    told: BTreeMap<String, BTreeSet<String>>,
    /// What may have been one in what people wrote.
    said: BTreeSet<String>,
}

impl Codes {
    /// Somebody writes a claim, or something else.
    pub fn said(&mut self, words: &str) {
        let claims = ["GM*", "GW*", "DP*"].iter().any(|way| words.starts_with(way));
        let codes = words.split('*').filter(|field| matches!(field.len(), 6 | 8));
        self.said.extend(codes.filter(|_| claims).map(str::to_owned));
    }

    /// Somebody reads a text.
    ///
    /// # Errors
    /// Where it tells of a payment that no code was written for.
    pub fn hear(&mut self, heard: &Heard<'_>) -> Verdict {
        let Some(reference) = heard.reference() else { return Ok(()) };
        match heard.name {
            "withdrawal-password" | "verification-code" => {
                let code = heard.value("code").unwrap_or_default().to_owned();
                self.told.entry(reference).or_default().insert(code);
                Ok(())
            }
            "paid-out-to-you" | "deposited" => {
                let told = self.told.get(&reference);
                let was_said = told.is_some_and(|told| told.iter().any(|code| self.said.contains(code)));
                if was_said {
                    return Ok(());
                }
                Err(Finding(format!(
                    "I16: reference {reference} was paid, and nobody wrote a code that was told for it"
                )))
            }
            _ => Ok(()),
        }
    }
}
