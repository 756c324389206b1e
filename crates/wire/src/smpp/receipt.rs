//! Delivery receipts: what became of a message that was submitted before.
//!
//! SMPP 3.4 gives two TLVs for it and, in appendix B, the text that some centres send instead or besides. The
//! text is vendor-specific by its own words, so reading it is tolerant: letter case, missing fields, other
//! orders, spaces after colons and longer state names do not matter.

use super::field::{Address, MessageId, Text, tag};
use super::pdu::ShortMessage;

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The message it is about, in canonical form (see [`MessageIdForm`]).
    pub message_id: MessageId,
    /// What became of it; [`MessageState::Unknown`] too when the receipt does not say.
    pub state: MessageState,
    /// The network's or centre's error, as it stands there.
    pub error: Option<Text<8>>,
    /// The receipt's source: the message's destination.
    pub source: Address,
    /// The receipt's destination: the message's source.
    pub destination: Address,
}

/// message_state (SMPP 3.4, 5.2.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// 1: on its way.
    Enroute,
    /// 2: delivered.
    Delivered,
    /// 3: its validity ended.
    Expired,
    /// 4: deleted.
    Deleted,
    /// 5: cannot be delivered.
    Undeliverable,
    /// 6: read by customer service on behalf of the subscriber.
    Accepted,
    /// 7: the centre does not know.
    Unknown,
    /// 8: rejected.
    Rejected,
}

impl MessageState {
    /// Whether no further receipt will change it.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Enroute | Self::Accepted | Self::Unknown)
    }

    /// The state of this number.
    #[must_use]
    pub fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
            1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Undeliverable,
            6 => Self::Accepted,
            7 => Self::Unknown,
            8 => Self::Rejected,
            _ => return None,
        })
    }

    /// Its number.
    #[must_use]
    pub fn octet(self) -> u8 {
        match self {
            Self::Enroute => 1,
            Self::Delivered => 2,
            Self::Expired => 3,
            Self::Deleted => 4,
            Self::Undeliverable => 5,
            Self::Accepted => 6,
            Self::Unknown => 7,
            Self::Rejected => 8,
        }
    }

    /// Its seven letters in the text of a receipt.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enroute => "ENROUTE",
            Self::Delivered => "DELIVRD",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
            Self::Undeliverable => "UNDELIV",
            Self::Accepted => "ACCEPTD",
            Self::Unknown => "UNKNOWN",
            Self::Rejected => "REJECTD",
        }
    }

    /// By the first five letters, which spelled-out names share; case does not matter.
    fn from_name(name: &str) -> Option<Self> {
        let start = name.get(..5)?;
        (1..=8).filter_map(Self::from_octet).find(|state| state.name()[..5].eq_ignore_ascii_case(start))
    }
}

/// How a centre writes message ids. Some write them hexadecimal in submit_sm_resp and decimal in receipts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MessageIdForm {
    /// Compared octet by octet.
    #[default]
    Verbatim,
    /// A decimal number; leading zeros do not matter.
    Decimal,
    /// A hexadecimal number in either letter case; leading zeros do not matter.
    Hexadecimal,
}

impl MessageIdForm {
    /// The form in which ids are compared: numbers in decimal without leading zeros. What is no such number
    /// stays as it is.
    #[must_use]
    pub fn canonical(self, id: &MessageId) -> MessageId {
        let radix = match self {
            Self::Verbatim => return *id,
            Self::Decimal => 10,
            Self::Hexadecimal => 16,
        };
        // from_str_radix would take a sign.
        let digits = id.as_str().filter(|id| id.chars().all(|c| c.is_digit(radix)));
        let number = digits.and_then(|digits| u128::from_str_radix(digits, radix).ok());
        number.and_then(|number| number.to_string().as_str().try_into().ok()).unwrap_or(*id)
    }
}

/// Whether a delivered message is a receipt: by its type (esm_class bits 5 to 2: 1 receipt, 8 intermediate
/// notification), or, as some centres forget that, by both TLVs.
#[must_use]
pub fn is_receipt(message: &ShortMessage) -> bool {
    let tlvs = &message.tlvs;
    matches!(message.esm_class & 0x3C, 0x04 | 0x20)
        || (tlvs.get(tag::RECEIPTED_MESSAGE_ID).is_some() && tlvs.get(tag::MESSAGE_STATE).is_some())
}

/// Reads a receipt: its TLVs first, its text for what they leave out. `None` when it names no message.
#[must_use]
pub fn parse(message: &ShortMessage, form: MessageIdForm) -> Option<Receipt> {
    let text = Fields::of(message);
    let id = match message.tlvs.get(tag::RECEIPTED_MESSAGE_ID).map(trim_nul) {
        Some(id) if !id.is_empty() => MessageId::new(id).ok()?,
        _ => text.get("id")?.try_into().ok()?,
    };
    let state = message.tlvs.octet(tag::MESSAGE_STATE).and_then(MessageState::from_octet);
    let state = state.or_else(|| MessageState::from_name(text.get("stat")?));
    let error = text.get("err").and_then(|error| error.try_into().ok());
    Some(Receipt {
        message_id: form.canonical(&id),
        state: state.unwrap_or(MessageState::Unknown),
        error: error.or_else(|| network_error(message.tlvs.get(tag::NETWORK_ERROR)?)),
        source: message.source,
        destination: message.destination,
    })
}

/// Writes the text of a receipt as appendix B has it; dates as `YYMMDDhhmm`.
#[must_use]
pub fn text(id: &str, state: MessageState, submitted: &str, done: &str, error: u16) -> String {
    let delivered = u8::from(state == MessageState::Delivered);
    format!(
        "id:{id} sub:001 dlvrd:{delivered:03} submit date:{submitted} done date:{done} stat:{} err:{error:03} text:",
        state.name()
    )
}

fn trim_nul(octets: &[u8]) -> &[u8] {
    let end = octets.iter().position(|&octet| octet == 0).unwrap_or(octets.len());
    &octets[..end]
}

/// network_error_code: one octet names the network, two the error.
fn network_error(octets: &[u8]) -> Option<Text<8>> {
    let [network, high, low] = *octets else {
        return None;
    };
    format!("{network}-{}", u16::from_be_bytes([high, low])).as_str().try_into().ok()
}

/// The text of a receipt up to the copy of the message's own beginning, which could fake any field.
struct Fields(String);

impl Fields {
    fn of(message: &ShortMessage) -> Self {
        let body = &message.body;
        // UCS-2 in some places: the high octets of what is ASCII are zero.
        let mut text: String = body
            .iter()
            .filter(|octet| **octet != 0)
            .map(|&octet| if octet.is_ascii() { char::from(octet) } else { '?' })
            .collect();
        let end = Self::find(&text, "text").map_or(text.len(), |(start, _)| start);
        text.truncate(end);
        Self(text)
    }

    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = Self::find(&self.0, key)?;
        let value = self.0[value..].trim_start();
        let end = value.find(|c: char| c.is_ascii_whitespace() || c == ',' || c == ';').unwrap_or(value.len());
        Some(&value[..end]).filter(|value| !value.is_empty() && !value.contains(':'))
    }

    /// Where `key:` begins, as a whole word, and where its value does.
    fn find(text: &str, key: &str) -> Option<(usize, usize)> {
        let octets = text.as_bytes();
        (0..octets.len()).find_map(|start| {
            let end = start + key.len();
            let word = start == 0 || !octets[start - 1].is_ascii_alphanumeric();
            let found = word && octets.get(start..end)?.eq_ignore_ascii_case(key.as_bytes());
            let colon = found.then(|| octets[end..].iter().position(|&octet| octet != b' '))??;
            (octets[end + colon] == b':').then_some((start, end + colon + 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::field::Body;

    fn receipt(text: &str) -> ShortMessage {
        ShortMessage { esm_class: 0x04, body: Body::from(text.as_bytes()), ..Default::default() }
    }

    fn read(text: &str) -> Option<(String, MessageState, Option<String>)> {
        let receipt = parse(&receipt(text), MessageIdForm::Verbatim)?;
        let error = receipt.error.map(|error| error.as_str().unwrap().to_owned());
        Some((receipt.message_id.as_str()?.to_owned(), receipt.state, error))
    }

    #[test]
    fn texts_of_many_vendors() {
        use MessageState::*;
        let cases = [
            (
                "id:0123456789 sub:001 dlvrd:001 submit date:0209011235 done date:0209011237 stat:DELIVRD err:000 text:Hello",
                "0123456789",
                Delivered,
                Some("000"),
            ),
            (
                "id:ab-1 sub:1 dlvrd:0 submit date:020901123500 done date:020901123700 stat:UNDELIV err:0AF Text:",
                "ab-1",
                Undeliverable,
                Some("0AF"),
            ),
            ("ID:9 STAT:Delivered", "9", Delivered, None),
            ("id: 77 stat: EXPIRED err: 1", "77", Expired, Some("1")),
            ("stat:REJECTED id:x", "x", Rejected, None),
            ("id:5 stat:ACCEPTED,err:3", "5", Accepted, Some("3")),
            ("id:5 sub:001 stat:whatever", "5", Unknown, None),
            ("id:5", "5", Unknown, None),
            ("id : 12;stat : ENROUTE", "12", Enroute, None),
            ("id:1 stat:DELETED text:id:2 stat:DELIVRD err:9", "1", Deleted, None),
        ];
        for (text, id, state, error) in cases {
            assert_eq!(read(text), Some((id.to_owned(), state, error.map(str::to_owned))), "{text}");
        }
        for text in ["", "id", "id:", "hello", "TM*0712000002*500*1234", "text:id:4 stat:DELIVRD", "grid:5"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn ucs2_text() {
        let body: Vec<u8> = "id:42 stat:DELIVRD".bytes().flat_map(|octet| [0, octet]).collect();
        let message = ShortMessage { data_coding: 8, body: body.into(), ..receipt("") };
        assert_eq!(parse(&message, MessageIdForm::Verbatim).unwrap().state, MessageState::Delivered);
    }

    #[test]
    fn tlvs_come_before_the_text() {
        let mut message = receipt("id:1 stat:UNDELIV err:011 text:");
        message.tlvs.push(tag::RECEIPTED_MESSAGE_ID, b"abc\0").unwrap();
        message.tlvs.push(tag::MESSAGE_STATE, &[2]).unwrap();
        let receipt = parse(&message, MessageIdForm::Verbatim).unwrap();
        assert_eq!((receipt.message_id.as_str(), receipt.state), (Some("abc"), MessageState::Delivered));
        message.esm_class = 0;
        assert!(is_receipt(&message), "both TLVs make a receipt of it");
        assert!(!is_receipt(&ShortMessage::default()));
    }

    #[test]
    fn network_error_stands_in_for_a_missing_one() {
        let mut message = receipt("id:1 stat:UNDELIV");
        message.tlvs.push(tag::NETWORK_ERROR, &[3, 0, 27]).unwrap();
        assert_eq!(parse(&message, MessageIdForm::Verbatim).unwrap().error.unwrap().as_str(), Some("3-27"));
    }

    #[test]
    fn ids_meet_across_their_forms() {
        use MessageIdForm::*;
        let canonical = |form: MessageIdForm, id: &str| form.canonical(&id.try_into().unwrap());
        for (response, receipt) in [("1F4A", "8010"), ("00001f4a", "0000008010"), ("0", "000")] {
            assert_eq!(canonical(Hexadecimal, response), canonical(Decimal, receipt));
        }
        assert_eq!(canonical(Decimal, "+12").as_str(), Some("+12"));
        assert_eq!(canonical(Decimal, "not a number").as_str(), Some("not a number"));
        assert_eq!(canonical(Verbatim, "007").as_str(), Some("007"));
        assert_eq!(canonical(Decimal, "").as_str(), Some(""));
    }

    #[test]
    fn own_text_is_read_back() {
        for state in (1..=8).filter_map(MessageState::from_octet) {
            let text = text("77", state, "2611220000", "2611220001", 3);
            assert_eq!(read(&text), Some(("77".into(), state, Some("003".into()))));
        }
    }
}
