//! From a notice to the parts of a short message: words, seal, cut.

use data_center::MessageState;
use encryption::{Zeroizing, secured_packet};
use transaction_processing::ids::{Iccid, TransferId};
use transaction_processing::notice::Notice;
use transaction_processing::time::Time;
use wire::smpp::{Address, ESM_UDHI, ShortMessage, Text};
use wire::sms::{Reference, Segment, segment_binary, segment_text};

use super::entry::{Matter, Part};
use super::{Centre, Outbox};
use crate::uplink::international;

/// 8-bit data, class 2: to the card (TS 23.038, clause 4).
const TO_THE_CARD: u8 = 0xF6;
/// (U)SIM data download (TS 23.040, 9.2.3.9).
const CARD_DOWNLOAD: u8 = 0x7F;
/// A text is one message, or knowingly two; a sealed one may take three.
const MOST_PARTS: u8 = 3;
/// Downlink counters begin here: they count milliseconds, so that no restart ever repeats one, and 40 bits last for 34 years.
const COUNTERS_SINCE_MS: i64 = 1_767_225_600_000;
/// Counters of cards are remembered while they are ahead of the clock; this many at most before those behind are dropped.
const MOST_COUNTERS: usize = 65_536;

impl Outbox {
    /// Renders, seals and cuts one message. Whether it may be sent; where not, it is given up.
    pub(super) fn compose(&mut self, now: Time, key: u64, centre: u16) -> bool {
        let Some(parts) = self.cut(now, key, centre) else {
            let lapsed = self.entries.get(&key).is_some_and(|entry| entry.lapses <= now);
            self.give_up(now, key, if lapsed { MessageState::Lapsed } else { MessageState::Undelivered });
            return false;
        };
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        entry.attempts = entry.attempts.saturating_add(1);
        entry.parts = parts.into_iter().map(|part| Part::Cut(Box::new(part))).collect();
        true
    }

    fn cut(&mut self, now: Time, key: u64, centre: u16) -> Option<Vec<ShortMessage>> {
        let entry = self.entries.get(&key)?;
        let (text, card, code) = match &entry.matter {
            Matter::Logged(_, notice) | Matter::Answer(notice, _) => {
                (self.words(notice)?, notice.card, notice.code.is_some())
            }
            Matter::Advice(advice, _) => {
                let outgoing = self.catalogues.malformed(&advice.malformed, advice.language);
                (outgoing.text, advice.card, false)
            }
        };
        let (to, lapses) = (entry.to(), entry.lapses);
        let logged = entry.id().is_some();
        let settings = self.settings.centres.get(usize::from(centre))?;
        let template = ShortMessage {
            source: settings.source,
            destination: Address::international(&international(to)).ok()?,
            priority: u8::from(code),
            validity: validity(lapses, now)?,
            registered_delivery: u8::from(logged),
            ..ShortMessage::default()
        };
        let reference = self.next_reference;
        self.next_reference = reference.wrapping_add(1);
        let reference =
            if settings.wide_references { Reference::Wide(reference) } else { Reference::Narrow(reference as u8) };
        match card {
            None => plain(&text, settings, reference, &template),
            Some(card) => self.sealed(now, &text, card, reference, &template),
        }
    }

    /// The words of a notice, with its code in them.
    fn words(&self, notice: &Notice) -> Option<Zeroizing<String>> {
        let code = match &notice.code {
            None => None,
            Some(sealed) => Some(self.keys.open_at_rest("code", international(notice.to).as_bytes(), &sealed.0).ok()?),
        };
        let code = code.as_ref().map(|octets| std::str::from_utf8(octets)).transpose().ok()?;
        let reference = |transfer: TransferId| {
            self.keys.reference(transfer.0).map_or(String::new(), |reference| reference.to_string())
        };
        Some(self.catalogues.render(&notice.text, code, notice.language, &self.style, &reference).text)
    }

    fn sealed(
        &mut self,
        now: Time,
        text: &str,
        card: Iccid,
        reference: Reference,
        template: &ShortMessage,
    ) -> Option<Vec<ShortMessage>> {
        let counter = secured_packet::Counter::new(self.next_counter(now, card))?;
        let keys = self.keys.downlink_keys(&card.digits().to_string());
        let packet = secured_packet::seal(&keys, counter, text.as_bytes()).ok()?;
        let element = &secured_packet::COMMAND_HEADER[1..];
        let segments = segment_binary(element, &packet, TO_THE_CARD, reference, MOST_PARTS).ok()?;
        let template = ShortMessage { protocol_id: CARD_DOWNLOAD, ..template.clone() };
        Some(filled(segments, &template))
    }

    fn next_counter(&mut self, now: Time, card: Iccid) -> u64 {
        let clock = (now.0 - COUNTERS_SINCE_MS).max(1).cast_unsigned();
        if self.counters.len() >= MOST_COUNTERS {
            self.counters.retain(|_, counter| *counter >= clock);
        }
        let counter = self.counters.get(&card).map_or(clock, |last| clock.max(last + 1));
        self.counters.insert(card, counter);
        counter
    }
}

fn plain(text: &str, centre: &Centre, reference: Reference, template: &ShortMessage) -> Option<Vec<ShortMessage>> {
    let segments = segment_text(text, centre.alphabet, reference, MOST_PARTS).ok()?;
    Some(filled(segments, template))
}

fn filled(segments: Vec<Segment>, template: &ShortMessage) -> Vec<ShortMessage> {
    segments.into_iter().map(|segment| segment.into_message(template)).collect()
}

/// The rest of a validity as SMPP writes it relatively (3.4, 7.1.1.2): YYMMDDhhmmss000R; none where nothing is left.
fn validity(lapses: Time, now: Time) -> Option<Text<16>> {
    let seconds = (lapses.0 - now.0).div_euclid(1000);
    if seconds <= 0 {
        return None;
    }
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, minutes, seconds) = (rest / 3600, rest % 3600 / 60, rest % 60);
    let text = format!("00{:02}{:02}{hours:02}{minutes:02}{seconds:02}000R", days / 30, days % 30);
    Text::new(text.as_bytes()).ok()
}

/// The header bit of a part that carries a secured packet is set by cutting; asserted here because a default that says
/// otherwise has cost others dearly.
const _: () = assert!(ESM_UDHI == 0x40);
