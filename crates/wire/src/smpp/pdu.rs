//! The PDUs of SMPP 3.4 that a mobile-money platform speaks, and their octets.
//!
//! An own codec rather than rusmpp-core 0.4: its strings and bodies share the receive buffer, which so can be
//! neither wiped nor reused while one message lives; its `Debug` prints bodies and so
//! PINs; its errors do not say which command_status answers a malformed PDU; and its default esm_class encodes
//! 08. It serves as the second opinion in this crate's tests.
//!
//! Decoding costs no allocation but the body and, if there are any, the optional parameters.

use super::field::{Address, Body, MessageId, Text, Tlvs, tag};
use super::status::Status;
use crate::Secret;

/// The longest PDU that is read or written, in octets. A peer that announces more has lost the thread, and the
/// link is closed.
pub const PDU_MAX: usize = 64 * 1024;

/// The longest body, in octets: [`PDU_MAX`] less room for every other field and some optional parameters.
pub const BODY_MAX: usize = 60_000;

/// interface_version of SMPP 3.4.
pub const INTERFACE_VERSION: u8 = 0x34;

const HEADER: usize = 16;
/// short_message holds at most 254 octets in 3.4; longer bodies travel as message_payload.
const SHORT_MESSAGE_MAX: usize = 254;
const RESPONSE: u32 = 0x8000_0000;

mod command {
    pub(super) const GENERIC_NACK: u32 = 0x8000_0000;
    pub(super) const BIND_RECEIVER: u32 = 0x01;
    pub(super) const BIND_TRANSMITTER: u32 = 0x02;
    pub(super) const SUBMIT_SM: u32 = 0x04;
    pub(super) const DELIVER_SM: u32 = 0x05;
    pub(super) const UNBIND: u32 = 0x06;
    pub(super) const BIND_TRANSCEIVER: u32 = 0x09;
    pub(super) const ENQUIRE_LINK: u32 = 0x15;
}

/// One PDU with its header.
#[derive(Debug)]
pub struct Frame {
    /// command_status: zero in requests.
    pub status: Status,
    /// sequence_number: the response repeats the request's.
    pub sequence: u32,
    /// What it says.
    pub pdu: Pdu,
}

/// What a PDU says.
#[derive(Debug)]
pub enum Pdu {
    /// generic_nack: the request with this sequence could not be read.
    GenericNack,
    /// bind_receiver, bind_transmitter or bind_transceiver.
    Bind(Bind),
    /// The answer to a bind.
    BindResponse(BindResponse),
    /// submit_sm: ESME to message centre.
    Submit(ShortMessage),
    /// submit_sm_resp; the id is empty in refusals.
    SubmitResponse(MessageId),
    /// deliver_sm: message centre to ESME.
    Deliver(ShortMessage),
    /// deliver_sm_resp; its message_id is unused and NUL.
    DeliverResponse,
    /// unbind.
    Unbind,
    /// unbind_resp.
    UnbindResponse,
    /// enquire_link.
    EnquireLink,
    /// enquire_link_resp.
    EnquireLinkResponse,
}

/// In which directions messages travel on a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindKind {
    /// Only message centre to ESME.
    Receiver,
    /// Only ESME to message centre.
    Transmitter,
    /// Both.
    Transceiver,
}

impl BindKind {
    /// Whether the ESME may submit.
    #[must_use]
    pub fn transmits(self) -> bool {
        self != Self::Receiver
    }

    /// Whether the message centre may deliver.
    #[must_use]
    pub fn receives(self) -> bool {
        self != Self::Transmitter
    }

    fn command(self) -> u32 {
        match self {
            Self::Receiver => command::BIND_RECEIVER,
            Self::Transmitter => command::BIND_TRANSMITTER,
            Self::Transceiver => command::BIND_TRANSCEIVER,
        }
    }
}

/// A request to bind.
#[derive(Clone)]
pub struct Bind {
    /// The directions wanted.
    pub kind: BindKind,
    /// Who binds.
    pub system_id: Text<15>,
    /// Their password: at most 8 octets.
    pub password: Secret,
    /// What sort of system it is; often empty.
    pub system_type: Text<12>,
    /// [`INTERFACE_VERSION`]; 00 to 33 mean 3.3 or older.
    pub interface_version: u8,
    /// Type of number of `address_range`.
    pub address_ton: u8,
    /// Numbering plan of `address_range`.
    pub address_npi: u8,
    /// The destinations served; usually empty.
    pub address_range: Text<40>,
}

/// The password is left out.
impl core::fmt::Debug for Bind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bind").field("kind", &self.kind).field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

/// The answer to a bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindResponse {
    /// The directions that were asked for.
    pub kind: BindKind,
    /// The message centre's name.
    pub system_id: Text<15>,
    /// sc_interface_version, when the centre tells it.
    pub interface_version: Option<u8>,
}

/// A short message. submit_sm and deliver_sm have the same fields in the same order.
///
/// The default has esm_class 00: no UDH, default mode, no receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShortMessage {
    /// service_type; usually empty, `USSD` for USSD.
    pub service_type: Text<5>,
    /// Who sent it.
    pub source: Address,
    /// For whom it is.
    pub destination: Address,
    /// Mode, type and features: bit 40 says that the body begins with a user data header.
    pub esm_class: u8,
    /// protocol_id (TP-PID).
    pub protocol_id: u8,
    /// priority_flag, 0 to 3.
    pub priority: u8,
    /// schedule_delivery_time: empty (now) or 16 characters.
    pub schedule: Text<16>,
    /// validity_period: empty (the centre's default) or 16 characters, as `000000000500000R` for 5 minutes.
    pub validity: Text<16>,
    /// registered_delivery: bit 01 asks for a receipt.
    pub registered_delivery: u8,
    /// replace_if_present_flag.
    pub replace_if_present: u8,
    /// data_coding.
    pub data_coding: u8,
    /// sm_default_msg_id.
    pub default_message_id: u8,
    /// short_message, or message_payload when it is longer than 254 octets; at most [`BODY_MAX`].
    pub body: Body,
    /// Optional parameters but message_payload.
    pub tlvs: Tlvs,
}

/// esm_class bit: the body begins with a user data header.
pub const ESM_UDHI: u8 = 0x40;

/// Why octets are not a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecodable {
    /// command_length is below 16 or above [`PDU_MAX`]: the stream cannot be followed any more. Answered by
    /// generic_nack with [`Status::INVALID_COMMAND_LENGTH`]; then the link is closed.
    Stream {
        /// sequence_number, if it was there.
        sequence: u32,
    },
    /// One PDU cannot be read; the stream goes on behind it.
    Pdu {
        /// Octets to skip.
        length: usize,
        /// sequence_number.
        sequence: u32,
        /// The command_id of the answer: its response, or generic_nack. `None` when it was a response itself.
        answer: Option<u32>,
        /// The status of the answer.
        status: Status,
    },
}

/// Reads the first PDU of `octets`: it and its length, or `None` when it is not complete yet.
///
/// # Errors
/// See [`Undecodable`].
pub fn decode(octets: &[u8]) -> Result<Option<(Frame, usize)>, Undecodable> {
    let Some((length, _)) = octets.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length) as usize;
    if !(HEADER..=PDU_MAX).contains(&length) {
        return Err(Undecodable::Stream { sequence: word(octets, 12).unwrap_or(0) });
    }
    let Some(octets) = octets.get(..length) else {
        return Ok(None);
    };
    let (command, status, sequence) = match (word(octets, 4), word(octets, 8), word(octets, 12)) {
        (Some(command), Some(status), Some(sequence)) => (command, Status(status), sequence),
        _ => return Ok(None),
    };
    match decode_body(command, &octets[HEADER..]) {
        Ok(pdu) => Ok(Some((Frame { status, sequence, pdu }, length))),
        Err(status) => {
            let answer = match status {
                _ if command & RESPONSE != 0 => None,
                Status::INVALID_COMMAND_ID => Some(command::GENERIC_NACK),
                _ => Some(command | RESPONSE),
            };
            Err(Undecodable::Pdu { length, sequence, answer, status })
        }
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk::<4>().map(|word| u32::from_be_bytes(*word))
}

fn decode_body(command: u32, body: &[u8]) -> Result<Pdu, Status> {
    let mut reader = Reader(body);
    Ok(match command {
        command::SUBMIT_SM => Pdu::Submit(reader.short_message()?),
        command::DELIVER_SM => Pdu::Deliver(reader.short_message()?),
        command::BIND_RECEIVER => Pdu::Bind(reader.bind(BindKind::Receiver)?),
        command::BIND_TRANSMITTER => Pdu::Bind(reader.bind(BindKind::Transmitter)?),
        command::BIND_TRANSCEIVER => Pdu::Bind(reader.bind(BindKind::Transceiver)?),
        command::UNBIND => Pdu::Unbind,
        command::ENQUIRE_LINK => Pdu::EnquireLink,
        command::GENERIC_NACK => Pdu::GenericNack,
        _ if command & RESPONSE != 0 => match command & !RESPONSE {
            command::SUBMIT_SM => Pdu::SubmitResponse(reader.last_text()?),
            command::DELIVER_SM => Pdu::DeliverResponse,
            command::BIND_RECEIVER => Pdu::BindResponse(reader.bind_response(BindKind::Receiver)?),
            command::BIND_TRANSMITTER => Pdu::BindResponse(reader.bind_response(BindKind::Transmitter)?),
            command::BIND_TRANSCEIVER => Pdu::BindResponse(reader.bind_response(BindKind::Transceiver)?),
            command::UNBIND => Pdu::UnbindResponse,
            command::ENQUIRE_LINK => Pdu::EnquireLinkResponse,
            _ => return Err(Status::INVALID_COMMAND_ID),
        },
        _ => return Err(Status::INVALID_COMMAND_ID),
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octet(&mut self) -> Result<u8, Status> {
        let (&octet, rest) = self.0.split_first().ok_or(Status::INVALID_COMMAND_LENGTH)?;
        self.0 = rest;
        Ok(octet)
    }

    fn octets(&mut self, length: usize) -> Result<&'a [u8], Status> {
        let (octets, rest) = self.0.split_at_checked(length).ok_or(Status::INVALID_MESSAGE_LENGTH)?;
        self.0 = rest;
        Ok(octets)
    }

    /// A C-octet string; `status` when it is too long or has no end.
    fn text<const MAX: usize>(&mut self, status: Status) -> Result<Text<MAX>, Status> {
        let window = &self.0[..self.0.len().min(MAX + 1)];
        let end = window.iter().position(|&octet| octet == 0).ok_or(status)?;
        let text = Text::new(&window[..end]).map_err(|_| status)?;
        self.0 = &self.0[end + 1..];
        Ok(text)
    }

    /// A C-octet string at the end of a response: peers leave out its NUL, or all of it.
    fn last_text<const MAX: usize>(&mut self) -> Result<Text<MAX>, Status> {
        let end = self.0.iter().position(|&octet| octet == 0).unwrap_or(self.0.len());
        let text = Text::new(&self.0[..end]).map_err(|_| Status::INVALID_MESSAGE_ID)?;
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        Ok(text)
    }

    fn address(&mut self, status: Status) -> Result<Address, Status> {
        Ok(Address { ton: self.octet()?, npi: self.octet()?, digits: self.text(status)? })
    }

    fn bind(&mut self, kind: BindKind) -> Result<Bind, Status> {
        let system_id = self.text(Status::INVALID_SYSTEM_ID)?;
        let password: Text<8> = self.text(Status::INVALID_PASSWORD)?;
        Ok(Bind {
            kind,
            system_id,
            password: password.as_str().ok_or(Status::INVALID_PASSWORD)?.into(),
            system_type: self.text(Status::INVALID_SYSTEM_TYPE)?,
            interface_version: self.octet()?,
            address_ton: self.octet()?,
            address_npi: self.octet()?,
            address_range: self.text(Status::BIND_FAILED)?,
        })
    }

    fn bind_response(&mut self, kind: BindKind) -> Result<BindResponse, Status> {
        let system_id = self.last_text()?;
        let (tlvs, _) = Tlvs::split(self.0).unwrap_or_default();
        Ok(BindResponse { kind, system_id, interface_version: tlvs.octet(tag::INTERFACE_VERSION) })
    }

    fn short_message(&mut self) -> Result<ShortMessage, Status> {
        let mut message = ShortMessage {
            service_type: self.text(Status::INVALID_SERVICE_TYPE)?,
            source: self.address(Status::INVALID_SOURCE)?,
            destination: self.address(Status::INVALID_DESTINATION)?,
            esm_class: self.octet()?,
            protocol_id: self.octet()?,
            priority: self.octet()?,
            schedule: self.text(Status::INVALID_SCHEDULE)?,
            validity: self.text(Status::INVALID_EXPIRY)?,
            registered_delivery: self.octet()?,
            replace_if_present: self.octet()?,
            data_coding: self.octet()?,
            default_message_id: self.octet()?,
            body: Body::default(),
            tlvs: Tlvs::default(),
        };
        let length = usize::from(self.octet()?);
        let short = self.octets(length)?;
        let (tlvs, payload) = Tlvs::split(self.0).ok_or(Status::INVALID_TLVS)?;
        // Two bodies would leave it open which of them moves money.
        let body = match payload {
            None | Some([]) => short,
            Some(payload) if short.is_empty() => payload,
            Some(_) => return Err(Status::TLV_NOT_ALLOWED),
        };
        message.body = Body::from(body);
        message.tlvs = tlvs;
        Ok(message)
    }
}

/// Appends the PDU to `out`.
pub fn encode(frame: &Frame, out: &mut Vec<u8>) {
    let Frame { status, sequence, pdu } = frame;
    match pdu {
        Pdu::GenericNack => put(out, command::GENERIC_NACK, *status, *sequence, |_| ()),
        Pdu::Bind(bind) => put(out, bind.kind.command(), *status, *sequence, |out| put_bind(out, bind)),
        Pdu::BindResponse(response) => {
            put(out, response.kind.command() | RESPONSE, *status, *sequence, |out| put_bind_response(out, response));
        }
        Pdu::Submit(message) => encode_submit(message, *sequence, out),
        Pdu::SubmitResponse(id) => {
            put(out, command::SUBMIT_SM | RESPONSE, *status, *sequence, |out| put_text(out, id));
        }
        Pdu::Deliver(message) => encode_deliver(message, *sequence, out),
        Pdu::DeliverResponse => put(out, command::DELIVER_SM | RESPONSE, *status, *sequence, |out| out.push(0)),
        Pdu::Unbind => put(out, command::UNBIND, *status, *sequence, |_| ()),
        Pdu::UnbindResponse => put(out, command::UNBIND | RESPONSE, *status, *sequence, |_| ()),
        Pdu::EnquireLink => put(out, command::ENQUIRE_LINK, *status, *sequence, |_| ()),
        Pdu::EnquireLinkResponse => put(out, command::ENQUIRE_LINK | RESPONSE, *status, *sequence, |_| ()),
    }
}

/// Appends `message` as submit_sm to `out`.
pub fn encode_submit(message: &ShortMessage, sequence: u32, out: &mut Vec<u8>) {
    put(out, command::SUBMIT_SM, Status::OK, sequence, |out| put_short_message(out, message));
}

/// Appends `message` as deliver_sm to `out`.
pub fn encode_deliver(message: &ShortMessage, sequence: u32, out: &mut Vec<u8>) {
    put(out, command::DELIVER_SM, Status::OK, sequence, |out| put_short_message(out, message));
}

/// Appends a header without a body: the answer to a PDU that could not be read.
pub(super) fn encode_header(command: u32, status: Status, sequence: u32, out: &mut Vec<u8>) {
    put(out, command, status, sequence, |_| ());
}

fn put(out: &mut Vec<u8>, command: u32, status: Status, sequence: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    body(out);
    let length = (out.len() - start) as u32;
    let words = [length, command, status.0, sequence];
    for (place, word) in out[start..].chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_be_bytes());
    }
}

fn put_text<const MAX: usize>(out: &mut Vec<u8>, text: &Text<MAX>) {
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn put_address(out: &mut Vec<u8>, address: &Address) {
    out.extend_from_slice(&[address.ton, address.npi]);
    put_text(out, &address.digits);
}

fn put_bind(out: &mut Vec<u8>, bind: &Bind) {
    put_text(out, &bind.system_id);
    // A longer password, or one with NUL, would push all that follows out of place.
    let password = bind.password.expose().as_bytes();
    put_text(out, &Text::<8>::new(password).unwrap_or_default());
    put_text(out, &bind.system_type);
    out.extend_from_slice(&[bind.interface_version, bind.address_ton, bind.address_npi]);
    put_text(out, &bind.address_range);
}

fn put_bind_response(out: &mut Vec<u8>, response: &BindResponse) {
    put_text(out, &response.system_id);
    if let Some(version) = response.interface_version {
        out.extend_from_slice(&[0x02, 0x10, 0x00, 0x01, version]);
    }
}

fn put_short_message(out: &mut Vec<u8>, message: &ShortMessage) {
    debug_assert!(message.body.len() <= BODY_MAX);
    put_text(out, &message.service_type);
    put_address(out, &message.source);
    put_address(out, &message.destination);
    out.extend_from_slice(&[message.esm_class, message.protocol_id, message.priority]);
    put_text(out, &message.schedule);
    put_text(out, &message.validity);
    let ShortMessage { registered_delivery, replace_if_present, data_coding, default_message_id, .. } = *message;
    out.extend_from_slice(&[registered_delivery, replace_if_present, data_coding, default_message_id]);
    let body = &message.body[..];
    if body.len() <= SHORT_MESSAGE_MAX {
        out.push(body.len() as u8);
        out.extend_from_slice(body);
    } else {
        out.push(0);
        out.extend_from_slice(&tag::MESSAGE_PAYLOAD.to_be_bytes());
        out.extend_from_slice(&(body.len() as u16).to_be_bytes());
        out.extend_from_slice(body);
    }
    out.extend_from_slice(message.tlvs.as_bytes());
}
