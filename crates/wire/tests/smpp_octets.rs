//! PDUs octet by octet, against the standard and against another codec.

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp_core::command::owned::Command;
use rusmpp_core::decode::owned::DecodeWithLength as _;
use rusmpp_core::encode::Length as _;
use rusmpp_core::encode::owned::Encode as _;
use rusmpp_core::pdus::owned as other;
use rusmpp_core::tlvs::owned::MessageSubmissionRequestTlvValue;
use rusmpp_core::types::owned::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp_core::values::{EsmClass, Npi, Ton};
use wire::smpp::pdu::{self, BODY_MAX, BindResponse, Frame, PDU_MAX, Pdu, Undecodable};
use wire::smpp::{Address, Bind, BindKind, MessageId, ShortMessage, Status, Text, Tlvs};

fn encode(sequence: u32, pdu: Pdu) -> Vec<u8> {
    let mut octets = Vec::new();
    pdu::encode(&Frame { status: Status::OK, sequence, pdu }, &mut octets);
    octets
}

fn decode(octets: &[u8]) -> Pdu {
    let (frame, length) = pdu::decode(octets).unwrap().unwrap();
    assert_eq!(length, octets.len());
    frame.pdu
}

fn message() -> ShortMessage {
    ShortMessage {
        source: Address::short_code("15050").unwrap(),
        destination: Address::international("+255712000001").unwrap(),
        body: b"Hi".as_slice().into(),
        ..Default::default()
    }
}

#[test]
fn submit_sm_has_esm_class_00_by_default() {
    let octets = encode(7, Pdu::Submit(message()));
    let expected = [
        &[0, 0, 0, 0x34, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7][..],
        &[0],               // service_type
        b"\x03\x0015050\0", // source
        b"\x01\x01255712000001\0",
        &[0x00],       // esm_class
        &[0, 0],       // protocol_id, priority_flag
        &[0, 0],       // schedule_delivery_time, validity_period
        &[0, 0, 0, 0], // registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
        b"\x02Hi",
    ];
    assert_eq!(octets, expected.concat());
}

#[test]
fn every_esm_class_survives() {
    for esm_class in 0..=255 {
        let sent = ShortMessage { esm_class, ..message() };
        let octets = encode(1, Pdu::Deliver(sent.clone()));
        assert_eq!(octets[16 + 1 + 8 + 15], esm_class);
        assert!(matches!(decode(&octets), Pdu::Deliver(received) if received == sent));
    }
}

#[test]
fn bind_says_version_34() {
    let bind = Bind {
        kind: BindKind::Transceiver,
        system_id: "wakala".try_into().unwrap(),
        password: "secret".into(),
        system_type: Text::EMPTY,
        interface_version: pdu::INTERFACE_VERSION,
        address_ton: 0,
        address_npi: 0,
        address_range: Text::EMPTY,
    };
    let octets = encode(1, Pdu::Bind(bind));
    assert_eq!(octets[..16], [0, 0, 0, 0x23, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(&octets[16..], b"wakala\0secret\0\0\x34\0\0\0");
    assert!(matches!(decode(&octets), Pdu::Bind(bind) if bind.password.expose() == "secret"));
}

#[test]
fn responses_without_a_body_and_without_nul() {
    let header = |command: u32, body: &[u8]| {
        let words = [16 + body.len() as u32, command, 0, 9];
        [words.map(u32::to_be_bytes).concat(), body.to_vec()].concat()
    };
    assert!(matches!(decode(&header(0x8000_0004, b"")), Pdu::SubmitResponse(id) if id.is_empty()));
    assert!(matches!(decode(&header(0x8000_0004, b"abc")), Pdu::SubmitResponse(id) if id.as_str() == Some("abc")));
    assert!(matches!(decode(&header(0x8000_0004, b"abc\0")), Pdu::SubmitResponse(id) if id.as_str() == Some("abc")));
    assert!(matches!(decode(&header(0x8000_0005, b"anything")), Pdu::DeliverResponse));
    let bound = decode(&header(0x8000_0009, b"centre\0\x02\x10\0\x01\x34"));
    let Pdu::BindResponse(BindResponse { system_id, interface_version, .. }) = bound else { panic!() };
    assert_eq!((system_id.as_str(), interface_version), (Some("centre"), Some(0x34)));
    assert!(matches!(decode(&header(0x8000_0009, b"")), Pdu::BindResponse(_)));
}

#[test]
fn malformed_pdus_name_their_answer() {
    let submit = |tail: &[u8]| {
        let body = [b"\0\x00\x001\0\x00\x002\0\0\0\0\0\0\0\0\0\0", tail].concat();
        [[16 + body.len() as u32, 4, 0, 9].map(u32::to_be_bytes).concat(), body].concat()
    };
    let pdu = |command: u32, body: &[u8]| {
        [[16 + body.len() as u32, command, 0, 9].map(u32::to_be_bytes).concat(), body.to_vec()].concat()
    };
    assert!(pdu::decode(&submit(b"\x02Hi")).is_ok());
    let long = [b"\0\x00\x00".as_slice(), &[b'1'; 21], b"\0"].concat();
    let two_bodies = b"\x02Hi\x04\x24\0\x02Ho";
    let two_payloads = b"\0\x04\x24\0\x01a\x04\x24\0\x01b";
    let cases: [(Vec<u8>, Option<u32>, Status); 12] = [
        (submit(b""), Some(0x8000_0004), Status::INVALID_COMMAND_LENGTH),
        (submit(b"\x09Hi"), Some(0x8000_0004), Status::INVALID_MESSAGE_LENGTH),
        (submit(b"\x02Hi\x04"), Some(0x8000_0004), Status::INVALID_TLVS),
        (submit(b"\x02Hi\x02\x04\x00\x09\x01"), Some(0x8000_0004), Status::INVALID_TLVS),
        (submit(two_bodies), Some(0x8000_0004), Status::TLV_NOT_ALLOWED),
        (submit(two_payloads), Some(0x8000_0004), Status::INVALID_TLVS),
        (pdu(5, b"USSDXX\0"), Some(0x8000_0005), Status::INVALID_SERVICE_TYPE),
        (pdu(5, &long), Some(0x8000_0005), Status::INVALID_SOURCE),
        (pdu(9, b"0123456789012345\0"), Some(0x8000_0009), Status::INVALID_SYSTEM_ID),
        (pdu(9, b"a\0toolongpw\0"), Some(0x8000_0009), Status::INVALID_PASSWORD),
        (pdu(0x103, b""), Some(0x8000_0000), Status::INVALID_COMMAND_ID),
        (pdu(0x8000_0103, b""), None, Status::INVALID_COMMAND_ID),
    ];
    for (octets, answer, status) in cases {
        let error = pdu::decode(&octets).unwrap_err();
        assert_eq!(error, Undecodable::Pdu { length: octets.len(), sequence: 9, answer, status });
    }
    for length in [0u32, 15, PDU_MAX as u32 + 1, u32::MAX] {
        let octets = [length, 4, 0, 9].map(u32::to_be_bytes).concat();
        assert_eq!(pdu::decode(&octets).unwrap_err(), Undecodable::Stream { sequence: 9 });
    }
}

#[test]
fn long_bodies_travel_as_message_payload() {
    for (length, payload) in [(0, false), (254, false), (255, true), (1000, true), (BODY_MAX, true)] {
        let sent = ShortMessage { body: vec![b'x'; length].into(), ..message() };
        let octets = encode(1, Pdu::Submit(sent.clone()));
        let fixed = encode(1, Pdu::Submit(ShortMessage { body: Vec::new().into(), ..message() })).len();
        assert_eq!(octets.len(), fixed + length + if payload { 4 } else { 0 });
        assert!(octets.len() <= PDU_MAX);
        assert!(matches!(decode(&octets), Pdu::Submit(received) if received == sent));
    }
}

#[test]
fn nothing_printed_shows_a_body_or_a_password() {
    let secret = ShortMessage { body: b"TM*1*2*4321".as_slice().into(), ..message() };
    assert!(!format!("{:?}", Pdu::Submit(secret)).contains("4321"));
}

prop_compose! {
    fn any_message()(
        service_type in "[A-Z]{0,5}", source in "[0-9A-Za-z]{0,20}", destination in "[0-9]{0,20}",
        numbers in any::<[u8; 4]>(), octets in any::<[u8; 8]>(), validity in prop::option::of("[0-9]{15}R"),
        body in prop::collection::vec(any::<u8>(), 0..400), reference in prop::option::of(any::<[u8; 2]>()),
    ) -> ShortMessage {
        let [source_ton, source_npi, ton, npi] = numbers;
        let [esm_class, protocol_id, priority, registered_delivery, replace_if_present, data_coding, default_message_id, _] = octets;
        let mut tlvs = Tlvs::default();
        if let Some(reference) = reference {
            tlvs.push(wire::smpp::tag::USER_MESSAGE_REFERENCE, &reference).unwrap();
        }
        ShortMessage {
            service_type: service_type.as_str().try_into().unwrap(),
            source: Address::new(source_ton, source_npi, &source).unwrap(),
            destination: Address::new(ton, npi, &destination).unwrap(),
            esm_class, protocol_id, priority,
            schedule: Text::EMPTY,
            validity: validity.unwrap_or_default().as_str().try_into().unwrap(),
            registered_delivery, replace_if_present, data_coding, default_message_id,
            body: body.into(),
            tlvs,
        }
    }
}

fn string<const MIN: usize, const MAX: usize>(text: &Text<20>) -> COctetString<MIN, MAX> {
    COctetString::from_bytes([text.as_bytes(), b"\0"].concat().into()).unwrap()
}

/// The same message as the other codec has it.
fn as_other(message: &ShortMessage) -> other::SubmitSm {
    let validity = match message.validity.is_empty() {
        true => EmptyOrFullCOctetString::empty(),
        false => EmptyOrFullCOctetString::from_bytes([message.validity.as_bytes(), b"\0"].concat().into()).unwrap(),
    };
    let mut submit = other::SubmitSm::builder()
        .source_addr_ton(Ton::from(message.source.ton))
        .source_addr_npi(Npi::from(message.source.npi))
        .source_addr(string(&message.source.digits))
        .dest_addr_ton(Ton::from(message.destination.ton))
        .dest_addr_npi(Npi::from(message.destination.npi))
        .destination_addr(string(&message.destination.digits))
        .esm_class(EsmClass::from(message.esm_class))
        .protocol_id(message.protocol_id)
        .priority_flag(message.priority.into())
        .validity_period(validity)
        .registered_delivery(message.registered_delivery.into())
        .replace_if_present_flag(message.replace_if_present.into())
        .data_coding(message.data_coding.into())
        .sm_default_msg_id(message.default_message_id);
    if message.body.len() <= 254 {
        submit = submit.short_message(OctetString::from_bytes(message.body.to_vec().into()).unwrap());
    } else {
        let payload = AnyOctetString::from_bytes(message.body.to_vec().into());
        submit = submit.push_tlv(MessageSubmissionRequestTlvValue::MessagePayload(payload.into()));
    }
    submit.build()
}

proptest! {
    #[test]
    fn messages_go_there_and_back(sent in any_message(), sequence: u32) {
        let octets = encode(sequence, Pdu::Deliver(sent.clone()));
        let (frame, length) = pdu::decode(&octets).unwrap().unwrap();
        prop_assert_eq!((frame.sequence, length), (sequence, octets.len()));
        prop_assert!(matches!(frame.pdu, Pdu::Deliver(received) if received == sent));
        for cut in 0..octets.len() {
            prop_assert!(matches!(pdu::decode(&octets[..cut]), Ok(None)));
        }
    }

    #[test]
    fn another_codec_writes_the_same_octets(sent in any_message(), sequence: u32) {
        let sent = ShortMessage { service_type: Text::EMPTY, tlvs: Tlvs::default(), ..sent };
        let command = Command::new(rusmpp_core::CommandStatus::EsmeRok, sequence, as_other(&sent));
        // The other codec leaves command_length to its framing.
        let mut octets = BytesMut::from(&((command.length() + 4) as u32).to_be_bytes()[..]);
        let mut rest = BytesMut::with_capacity(command.length());
        command.encode(&mut rest);
        octets.extend_from_slice(&rest);
        let ours = encode(sequence, Pdu::Submit(sent));
        prop_assert_eq!(&ours[..], &octets[..]);
        // And it reads ours.
        let mut body = BytesMut::from(&ours[4..]);
        let length = body.len();
        let (read, _) = Command::decode(&mut body, length).unwrap();
        prop_assert_eq!(read, command);
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = pdu::decode(&octets);
    }

    #[test]
    fn arbitrary_bodies_never_panic(
        command in prop::sample::select(&[1u32, 2, 4, 5, 6, 9, 0x15, 0x8000_0000, 0x8000_0004, 0x8000_0005, 0x8000_0009]),
        body in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..200),
    ) {
        let words = [16 + body.len() as u32, command, 0, 1];
        let octets = [words.map(u32::to_be_bytes).concat(), body].concat();
        if let Ok(Some((frame, _))) = pdu::decode(&octets) {
            let mut again = Vec::new();
            pdu::encode(&frame, &mut again);
            prop_assert!(pdu::decode(&again).is_ok_and(|frame| frame.is_some()));
        }
    }

    #[test]
    fn ids_go_there_and_back(id in "[0-9A-Za-z-]{0,64}") {
        let id = MessageId::try_from(id.as_str()).unwrap();
        let octets = encode(1, Pdu::SubmitResponse(id));
        let back = matches!(decode(&octets), Pdu::SubmitResponse(same) if same == id);
        prop_assert!(back);
    }
}
