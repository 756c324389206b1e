//! From a submitted message to its receipts.

use super::calendar::Calendar;
use super::settings::{ReceiptForm, ReceiptSettings};
use core::time::Duration;
use wire::smpp::{Address, MessageId, MessageIdForm, MessageState, ShortMessage, Text, receipt, tag};

/// esm_class of a delivery receipt, and of an intermediate notification (SMPP 3.4, 5.2.12).
const RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;
/// What receipts say in `err`, and in network_error_code, about a phone that cannot be reached: "absent subscriber".
const ABSENT_SUBSCRIBER: u16 = 27;

/// What is remembered of a submitted message until its last receipt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Submission {
    /// Index of the account that submitted it.
    pub(super) account: usize,
    pub(super) id: u64,
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) registered_delivery: u8,
    pub(super) submitted: Duration,
    pub(super) expires: Duration,
}

impl Submission {
    /// The esm_class of the receipt on this state, if one is wanted (SMPP 3.4, 5.2.17).
    pub(super) fn wants(&self, state: MessageState, enroute: bool) -> Option<u8> {
        let final_wanted = match self.registered_delivery & 0b11 {
            0b01 => true,
            0b10 => state != MessageState::Delivered,
            // Reserved in 3.4; since 5.0 success only.
            0b11 => state == MessageState::Delivered,
            _ => false,
        };
        match state {
            MessageState::Enroute if self.registered_delivery & 0x10 != 0 => Some(INTERMEDIATE),
            MessageState::Enroute => (enroute && self.registered_delivery & 0b11 == 0b01).then_some(RECEIPT),
            _ => final_wanted.then_some(RECEIPT),
        }
    }

    /// The receipt. Its source is the message's destination and the other way round.
    pub(super) fn receipt(
        &self,
        state: MessageState,
        esm_class: u8,
        now: Duration,
        settings: &ReceiptSettings,
        calendar: Calendar,
    ) -> ShortMessage {
        let id = id_text(self.id, settings.id_form);
        let error = if state == MessageState::Delivered { 0 } else { ABSENT_SUBSCRIBER };
        let mut message =
            ShortMessage { source: self.destination, destination: self.source, esm_class, ..Default::default() };
        if settings.form != ReceiptForm::Tlvs {
            let (submitted, done) = (calendar.stamp(self.submitted), calendar.stamp(now));
            message.body = receipt::text(&id, state, &submitted, &done, error).into_bytes().into();
        }
        if settings.form != ReceiptForm::Text {
            let [high, low] = error.to_be_bytes();
            let id = [id.as_bytes(), &[0]].concat();
            // 3 names the network of network_error_code as GSM.
            let tlvs: [(u16, &[u8]); 3] = [
                (tag::RECEIPTED_MESSAGE_ID, &id),
                (tag::MESSAGE_STATE, &[state.octet()]),
                (tag::NETWORK_ERROR, &[3, high, low]),
            ];
            for (tag, value) in tlvs.into_iter().take(if error == 0 { 2 } else { 3 }) {
                // Nothing here is message_payload or longer than 65535 octets.
                let _ = message.tlvs.push(tag, value);
            }
        }
        message
    }
}

/// The id as the centre writes it in this form.
pub(super) fn id_text(id: u64, form: MessageIdForm) -> String {
    match form {
        MessageIdForm::Decimal => format!("{id:010}"),
        MessageIdForm::Hexadecimal => format!("{id:X}"),
        MessageIdForm::Verbatim => format!("m-{id:x}"),
    }
}

pub(super) fn message_id(id: u64, form: MessageIdForm) -> MessageId {
    Text::try_from(id_text(id, form).as_str()).unwrap_or_default()
}
