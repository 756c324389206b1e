//! What proves to others that the books are what they were, and that all the money in them is at the bank.
//!
//! [`head`] is what the platform signs of the chain, and how a file of such statements is judged; [`witness`] writes them
//! where another organisation keeps them. [`statement`] is the trust account's, signed in the same way; [`watch`] compares
//! both sides of it all the time. Whoever checks needs the public key alone.

pub mod head;
pub mod statement;
#[cfg(test)]
mod tests;
pub mod watch;
pub mod witness;

use std::sync::Arc;

use data_center::{Location, Part, StoreError, Value};
use encryption::{Keys, Signature, VerifyingKey};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use transaction_processing::time::Time;

use crate::platform::Services;
use witness::Witness;

/// Signed in the purpose's name, and how: the version of the key, and the signature over what `text` makes of that version.
fn sign(keys: &dyn Keys, purpose: &str, text: impl FnOnce(u32) -> String) -> (String, Signature) {
    let version = keys.verifying_keys().first().map_or(0, |(version, _)| version.0);
    let text = text(version);
    let signature = keys.sign(purpose, text.as_bytes());
    (text, signature)
}

/// Whether one of these keys signed exactly this text in the purpose's name.
fn verifies(keys: &[VerifyingKey], purpose: &str, text: &str, signature: &Signature) -> bool {
    keys.iter().any(|key| key.verifies(purpose, text.as_bytes(), signature))
}

/// Every public key of a text that holds some, as `wakala keys public` prints them: whatever stands between is passed over.
pub fn public_keys(text: &str) -> Vec<VerifyingKey> {
    const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
    const END: &str = "-----END PUBLIC KEY-----";
    let blocks = text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END));
    blocks.filter_map(|(body, _)| VerifyingKey::from_pem(&format!("{BEGIN}{body}{END}\n")).ok()).collect()
}

/// A moment as statements write it: in UTC, to the millisecond.
pub(crate) fn written(time: Time) -> String {
    Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// What [`written`] wrote, and nothing else.
fn read_moment(text: &str) -> Option<Time> {
    let time = Time(text.parse::<Timestamp>().ok()?.as_millisecond());
    (written(time) == text).then_some(time)
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A link of the chain as [`hex`] writes it.
pub(crate) fn read_link(text: &str) -> Option<[u8; 32]> {
    let link = (0..32).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok());
    let link: [u8; 32] = link.collect::<Option<Vec<u8>>>()?.try_into().ok()?;
    (hex(&link) == text).then_some(link)
}

/// The last durable row before `before` and its link of the chain; none where there is no row.
///
/// # Errors
/// [`StoreError`].
pub fn newest(database: &Location, before: Option<u64>) -> Result<Option<(u64, [u8; 32])>, StoreError> {
    let which = before.map(|before| format!("WHERE sequence < {before}")).unwrap_or_default();
    let mut found = None;
    let question = format!("SELECT sequence, chain FROM log {which} ORDER BY sequence DESC LIMIT 1");
    database.query(&question, &mut |part| {
        if let Part::Row(row) = part
            && let [Value::Integer(row), Value::Octets(link)] = row.as_slice()
        {
            found = link.as_slice().try_into().ok().map(|link| (row.cast_unsigned(), link));
        }
        true
    })?;
    Ok(found)
}

/// The work that proves things while the platform runs.
pub struct Running {
    witness: Option<Arc<Witness>>,
    tasks: Vec<JoinHandle<()>>,
}

/// Begins to watch the trust account, and to write heads of the chain where the configuration says so.
pub fn start(services: &Arc<Services>) -> Running {
    let mut tasks = vec![tokio::spawn(watch::run(
        services.writer.clone(),
        services.config.currencies().into_iter().map(crate::config::CurrencyCode::currency).collect(),
        Arc::clone(&services.metrics),
    ))];
    let witness = Witness::of(services).map(Arc::new);
    if let Some(witness) = &witness {
        tasks.push(tokio::spawn(witness::run(Arc::clone(witness), services.config.witness.every_seconds)));
    }
    Running { witness, tasks }
}

impl Running {
    /// Ends, once the writer has: the last head is written.
    pub async fn end(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Some(witness) = self.witness {
            // A failure was logged.
            let _ = tokio::task::spawn_blocking(move || witness.write()).await;
        }
    }
}
