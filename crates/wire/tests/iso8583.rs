//! ISO 8583 on both links: the vectors, every refusal by name, what any message does, and what may be printed.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::LazyLock;
use wire::iso8583::{
    Covers, Envelope, Failure, Field, InstitutionHeader, InstitutionId, Kind, LONGEST_FRAME, Length, LinkProfile,
    Message, Mti, Place, Refusal, ResponseCode, Style, Tpdu, Transaction, Why, frame_size,
};

fn vectors() -> &'static Value {
    static ALL: LazyLock<Value> = LazyLock::new(|| {
        let all: Value = serde_json::from_str(include_str!("vectors/iso8583.json")).expect("JSON");
        all["groups"]["iso8583"].clone()
    });
    &ALL
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"))
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn profile(case: &Value) -> LinkProfile {
    match text(case, "link") {
        "pos" => LinkProfile::point_of_sale(),
        _ => LinkProfile::institution(),
    }
}

/// Messages that state a body.
fn messages() -> impl Iterator<Item = &'static Value> {
    vectors()["messages"].as_array().expect("a list").iter().filter(|case| case["body"].is_string())
}

fn refusal(link: &LinkProfile, octets: &[u8]) -> Option<(Place, Why)> {
    link.read(octets).err().map(|Refusal { place, why }| (place, why))
}

/// Read, and taken for authentic.
fn read(link: &LinkProfile, octets: &[u8]) -> Message {
    let received = link.read(octets).unwrap_or_else(|why| panic!("{why}"));
    received.verified(|_, _| Ok::<_, Infallible>(true)).unwrap_or_else(|why| panic!("{why}"))
}

/// Written with the code that the message states.
fn write(link: &LinkProfile, message: &Message) -> Vec<u8> {
    let code = message.get(link.style.code_field()).and_then(|code| code.try_into().ok()).unwrap_or_default();
    link.write(message, |_| Ok::<_, Infallible>(code)).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn messages_of_the_vectors_are_read_and_written_octet_for_octet() {
    let mut seen = 0;
    for case in messages() {
        let (mut link, body) = (profile(case), hex(text(case, "body")));
        if text(case, "name") == "odd-length fields" {
            // It has no code, which the profile would not let pass.
            assert_eq!(refusal(&link, &body), Some((Place::Field(64), Why::Missing)));
            link.without_code = Mti::ALL.to_vec();
        }
        let message = read(&link, &body);
        assert_eq!(message.mti().digits(), text(case, "mti").as_bytes());
        let stated = case["fields"].as_object().expect("fields");
        assert_eq!(message.fields().count(), stated.len(), "{case}");
        for (number, value) in message.fields() {
            let stated = stated[&number.to_string()].as_str().expect("a text");
            let is_octets = link.field(number).is_some_and(|row| row.kind == Kind::B) && number != 128;
            assert_eq!(value, if is_octets { hex(stated) } else { stated.into() }, "field {number} of {case}");
        }
        assert_eq!(write(&link, &message), body, "{case}");
        seen += 1;
    }
    assert_eq!(seen, 21);
}

#[test]
fn what_a_code_covers_is_that_of_the_vectors() {
    let mut seen = 0;
    for case in messages().filter(|case| case["mac"].is_object()) {
        let (link, mab) = (profile(case), text(&case["mac"], "mab"));
        let expected = if link.covers == Covers::Everything { hex(mab) } else { mab.into() };
        let received = link.read(&hex(text(case, "body"))).expect("a message");
        let mut asked = None;
        let result = received.verified(|covered, code| {
            asked = Some((covered.to_vec(), code.to_vec()));
            Ok::<_, Infallible>(false)
        });
        assert_eq!(result.err(), Some(Failure::NotAuthentic));
        let (covered, code) = asked.expect("asked");
        assert_eq!(String::from_utf8_lossy(&covered), String::from_utf8_lossy(&expected));
        assert_eq!(code.len(), 8);
        // Of a message without its code it is the same.
        let mut message = read(&link, &hex(text(case, "body")));
        message.remove(link.style.code_field());
        assert_eq!(*link.covered(&message).expect("it fits"), expected);
        seen += 1;
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn frames_of_the_vectors_are_opened_and_closed_octet_for_octet() {
    let mut seen = 0;
    for case in vectors()["messages"].as_array().expect("a list") {
        let style = profile(case).style;
        let frame = match (style, case["frame"].as_str(), case["header"].as_str(), case["body"].as_str()) {
            (_, Some(frame), ..) => hex(frame),
            (Style::Institution, None, Some(header), Some(body)) => hex(&[header, body].concat()),
            // A header alone, of a message that is elsewhere.
            (Style::Institution, None, Some(header), None) => {
                let total = case["header_fields"]["total_length"].as_u64().expect("a length") as usize;
                let mut frame = hex(header);
                frame.resize(total, 0);
                frame
            }
            _ => continue,
        };
        assert_eq!(frame_size(style, &frame), Ok(Some(frame.len())));
        let (envelope, message) = Envelope::open(style, &frame).unwrap_or_else(|why| panic!("{why} {case}"));
        assert_eq!(envelope.around(message).expect("short"), frame);
        assert_eq!(envelope.answer().answer(), envelope);
        match envelope {
            Envelope::PointOfSale { .. } => assert!(message == hex(text(case, "body"))),
            Envelope::Institution(header) => {
                assert_eq!(header.destination.as_str(), text(&case["header_fields"], "destination"));
                assert_eq!(header.source.as_str(), text(&case["header_fields"], "source"));
            }
        }
        seen += 1;
    }
    assert!(seen >= 18, "{seen}");
}

#[test]
fn messages_that_the_vectors_refuse_are_refused_by_name() {
    let expected = [
        (Place::Field(60), Why::Truncated),
        (Place::End, Why::Trailing),
        (Place::Field(2), Why::TooLong),
        (Place::Field(60), Why::TooLong),
        (Place::Field(60), Why::LengthDigits),
    ];
    let cases = vectors()["reject"].as_array().expect("a list");
    assert_eq!(cases.len(), expected.len());
    for (case, expected) in cases.iter().zip(expected) {
        assert_eq!(refusal(&profile(case), &hex(text(case, "body"))), Some(expected), "{case}");
    }
}

#[test]
fn octets_that_are_no_message_are_refused_by_name() {
    let pos = LinkProfile::point_of_sale();
    for (octets, place, why) in [
        ("", Place::Mti, Why::Truncated),
        ("08", Place::Mti, Why::Truncated),
        ("0840", Place::Mti, Why::Unknown),
        ("1200", Place::Mti, Why::Unknown),
        ("0F00", Place::Mti, Why::Unknown),
        ("0820", Place::Bitmap, Why::Truncated),
        ("0820 8000000000000000", Place::Bitmap, Why::Unknown),
        ("0820 0800000000000000", Place::Field(5), Why::Unknown),
        ("0820 0020000000000000 0000", Place::Field(11), Why::Truncated),
        ("0820 0020000000000000 00000A", Place::Field(11), Why::Digit),
        ("0820 0000040000000000 01", Place::Field(22), Why::Truncated),
        ("0820 0000040000000000 0121", Place::Field(22), Why::Padding),
        ("0820 0000020000000000 1012", Place::Field(23), Why::Padding),
        ("0820 4000000000000000 20", Place::Field(2), Why::TooLong),
        ("0820 4000000000000000 0A", Place::Field(2), Why::LengthDigits),
        ("0820 0000000020000000 03123C", Place::Field(35), Why::Digit),
        ("0820 0000000000800000 4141414141414100", Place::Field(41), Why::Character),
        ("0820 0000000008000000 20202020202020202020203F", Place::Field(37), Why::Character),
        ("0200 0000000000000000", Place::Field(64), Why::Missing),
        ("0500 0000000000000000 00", Place::End, Why::Trailing),
    ] {
        assert_eq!(refusal(&pos, &hex(&octets.replace(' ', ""))), Some((place, why)), "{octets}");
    }
    let institution = LinkProfile::institution();
    let bits = |numbers: &[u8]| {
        let mut map = [0; 16];
        numbers.iter().for_each(|number| map[usize::from(number - 1) / 8] |= 0x80 >> ((number - 1) % 8));
        map
    };
    for (numbers, behind, place, why) in [
        (&[11][..], "000001", Place::Bitmap, Why::Unknown),
        (&[1, 8], "", Place::Field(8), Why::Unknown),
        (&[1, 65], "", Place::Field(65), Why::Unknown),
        (&[1, 11], "00000A", Place::Field(11), Why::Digit),
        (&[1, 102], "2A", Place::Field(102), Why::LengthDigits),
        (&[1, 102], "29", Place::Field(102), Why::TooLong),
        (&[1, 102], "03AB", Place::Field(102), Why::Truncated),
        (&[1, 48], "513", Place::Field(48), Why::TooLong),
        (&[1, 35], "05123C", Place::Field(35), Why::Truncated),
        (&[1, 35], "04123C", Place::Field(35), Why::Digit),
        (&[1, 70], "301", Place::Field(128), Why::Missing),
        (&[1, 70, 128], "3010123456", Place::Field(128), Why::Truncated),
    ] {
        let octets = [b"0820".as_slice(), &bits(numbers), behind.as_bytes()].concat();
        assert_eq!(refusal(&institution, &octets), Some((place, why)), "{numbers:?} {behind}");
    }
}

#[test]
fn a_message_that_does_not_fit_is_not_written() {
    let pos = LinkProfile::point_of_sale();
    for (number, value, why) in [
        (2, "12345678901234567890", Why::TooLong),
        (3, "00000", Why::Length),
        (3, "0000000", Why::Length),
        (4, "00000001234 ", Why::Digit),
        (35, "6200000000000013^3012", Why::Digit),
        (39, "é", Why::Character),
        (42, "WAKALA\n00000001", Why::Character),
        (1, "0", Why::Unknown),
        (0, "0", Why::Unknown),
        (33, "1", Why::Unknown),
        (65, "1", Why::Unknown),
        (129, "1", Why::Unknown),
    ] {
        let message = Message::new(Mti::NetworkRequest).with(number, value);
        let refused = pos.write(&message, |_| Ok::<_, Infallible>([0; 8])).err();
        assert_eq!(refused, Some(Failure::Refused(Refusal { place: Place::Field(number), why })), "{number} {value}");
    }
}

#[test]
fn frames_that_are_none_are_refused_by_name() {
    let open = |style, octets: &str| {
        let octets = hex(&octets.replace(' ', ""));
        Envelope::open(style, &octets).err().map(|refusal| (refusal.place, refusal.why))
    };
    for (octets, why) in [
        ("", Why::Truncated),
        ("00", Why::Truncated),
        ("000A 6000030000603100310730", Why::Length),
        ("000C 6000030000603100310730", Why::Truncated),
        ("000B 6000030000603100310730 00", Why::Trailing),
        ("000B 6100030000603100310730", Why::Unknown),
        ("000B 600003000060310031073A", Why::Digit),
        ("270E 6000030000603100310730", Why::TooLong),
    ] {
        assert_eq!(open(Style::PointOfSale, octets), Some((Place::Frame, why)), "{octets}");
    }
    let header = "2E02 30303436 3238303030303030312020 3238303031303030312020 000000 01 3030303030303030 00 3030303030";
    assert_eq!(open(Style::Institution, header), None);
    for (from, to, why) in [
        ("2E02", "2D02", Why::Unknown),
        ("2E02", "2E01", Why::Unknown),
        ("30303436", "3030343A", Why::LengthDigits),
        ("30303436", "30303435", Why::Length),
        ("30303436", "30303437", Why::Truncated),
        ("3238303030303030312020", "2038303030303030312020", Why::Character),
        ("3238303030303030312020", "2020202020202020202020", Why::Character),
    ] {
        assert_eq!(open(Style::Institution, &header.replace(from, to)), Some((Place::Frame, why)), "{to}");
    }
    let long = vec![0; LONGEST_FRAME];
    let id = InstitutionId::new("28000001").expect("an institution");
    for envelope in [
        Envelope::PointOfSale { tpdu: Tpdu { destination: [0, 3], source: [0, 0] }, header: [0; 6] },
        Envelope::Institution(InstitutionHeader::new(id, id)),
    ] {
        assert_eq!(envelope.around(&long).err().map(|refusal| refusal.why), Some(Why::TooLong));
    }
}

#[test]
fn a_link_that_differs_in_a_row_has_it_replaced() {
    let pos = LinkProfile::point_of_sale();
    let wider = pos.clone().with_field(Field::new(33, Kind::N, Length::Ll(11)));
    let message = Message::new(Mti::NetworkRequest).with(33, "00010000");
    assert!(pos.write(&message, |_| Ok::<_, Infallible>([0; 8])).is_err());
    assert_eq!(read(&wider, &write(&wider, &message)), message);
}

#[test]
fn tables_are_in_order_and_numbers_and_codes_are_given_once() {
    for link in [LinkProfile::point_of_sale(), LinkProfile::institution()] {
        let numbers: Vec<u8> = link.fields().iter().map(|row| row.number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert_eq!(numbers.last(), Some(&link.style.code_field()));
    }
    let codes: std::collections::BTreeSet<_> = ResponseCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes.len(), ResponseCode::ALL.len());
    for response in ResponseCode::ALL {
        assert_eq!(ResponseCode::parse(response.code().as_bytes()), Some(*response));
    }
    for mti in Mti::ALL {
        assert_eq!(Mti::parse(mti.digits()), Some(*mti));
        let mut answer = *mti.digits();
        answer[2] += 1;
        assert_eq!(mti.answer(), if mti.digits()[2].is_multiple_of(2) { Mti::parse(&answer) } else { None });
    }
}

#[test]
fn a_request_is_one_transaction_or_none() {
    for style in [Style::PointOfSale, Style::Institution] {
        for transaction in Transaction::ALL {
            let request = Message::new(transaction.mti())
                .with(3, transaction.processing_code(style))
                .with(25, transaction.condition())
                .with(60, format!("{}000001", transaction.terminal_type()));
            assert_eq!(Transaction::of(style, &request), Some(*transaction), "{request:?}");
            assert_eq!(Transaction::of(style, &request.clone().with(25, "99")), None);
            let answer = request.answer(ResponseCode::Approved, &[3, 25, 60]).expect("a request");
            assert_eq!(Transaction::of(style, &answer), None);
            assert!(
                answer.response() == Some(ResponseCode::Approved)
                    && answer.answer(ResponseCode::Approved, &[]).is_none()
            );
        }
    }
    let of = |name| {
        let case = messages().find(|case| text(case, "name") == name).expect("a message");
        let link = profile(case);
        Transaction::of(link.style, &read(&link, &hex(text(case, "body"))))
    };
    assert_eq!(of("balance inquiry, magnetic stripe"), Some(Transaction::Balance));
    assert_eq!(of("purchase, chip card with PIN"), Some(Transaction::Purchase));
    assert_eq!(of("purchase void"), Some(Transaction::PurchaseVoid));
    assert_eq!(of("refund"), Some(Transaction::Refund));
    assert_eq!(of("phone-number purchase request (project profile)"), Some(Transaction::Purchase));
    assert_eq!(of("reversal, no answer received"), None);
}

/// Every field that names somebody or holds a secret carries the same canary; no form in which a message or what became of it
/// can be printed shows it.
#[test]
fn nothing_that_is_printed_shows_a_field_that_may_not_be_seen() {
    let canary = "7319";
    let hidden = [2, 14, 35, 36, 43, 44, 45, 48, 52, 54, 55, 58, 61, 62, 63, 64, 96, 102, 103, 121, 123];
    for link in [LinkProfile::point_of_sale(), LinkProfile::institution()] {
        let mut message = Message::new(Mti::NetworkRequest).with(11, "000042");
        for number in hidden {
            let Some(row) = link.field(number) else { continue };
            let length = match row.length {
                Length::Fixed(length) => length,
                Length::Ll(most) | Length::Lll(most) => most.min(4),
            };
            message.set(number, canary.repeat(length.div_ceil(4)).get(..length).expect("long enough"));
        }
        let octets = write(&link, &message);
        let shown = format!("{message:?}");
        assert!(shown.starts_with("0800") && shown.contains("11=000042") && shown.contains("2=(4 octets)"), "{shown}");
        let mut printed = vec![shown];
        for at in 0..octets.len() {
            for cut in [&octets[..at], &[&octets[..at], &[0xFF], &octets[at + 1..]].concat()] {
                if let Err(why) = link.read(cut) {
                    printed.push(format!("{why} {why:?} {}", Failure::<Infallible>::Refused(why)));
                }
            }
        }
        assert!(printed.len() > 100);
        for text in printed {
            assert!(!text.contains(canary) && !text.contains("731"), "{text}");
        }
    }
}

fn value(row: &Field) -> BoxedStrategy<Vec<u8>> {
    let (least, most) = match row.length {
        Length::Fixed(length) => (length, length),
        Length::Ll(most) | Length::Lll(most) => (0, most),
    };
    let of = |alphabet: &'static [u8]| vec(prop::sample::select(alphabet), least..=most).boxed();
    match row.kind {
        Kind::N | Kind::NRight => of(b"0123456789"),
        Kind::Z => of(b"0123456789="),
        Kind::An => of(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz "),
        Kind::Ans => {
            vec((0x20..=0xFF_u8).prop_filter("no control character", |octet| *octet != 0x7F), least..=most).boxed()
        }
        Kind::B => vec(any::<u8>(), least..=most).boxed(),
    }
}

/// Any message that the table allows, its code among it.
fn any_message(link: LinkProfile) -> impl Strategy<Value = (LinkProfile, Message)> {
    let code = link.style.code_field();
    let rows: Vec<_> = link
        .fields()
        .iter()
        .map(|row| {
            let there = if row.number == code { Just(true).boxed() } else { any::<bool>().boxed() };
            (Just(row.number), there, value(row))
        })
        .collect();
    (prop::sample::select(Mti::ALL), rows).prop_map(move |(mti, rows)| {
        let there = rows.into_iter().filter(|(_, there, _)| *there);
        let message = there.fold(Message::new(mti), |message, (number, _, value)| message.with(number, value));
        (link.clone(), message)
    })
}

fn any_link() -> impl Strategy<Value = (LinkProfile, Message)> {
    prop_oneof![any_message(LinkProfile::point_of_sale()), any_message(LinkProfile::institution())]
}

proptest! {
    #[test]
    fn any_message_of_the_tables_comes_back((link, message) in any_link()) {
        let octets = write(&link, &message);
        let again = read(&link, &octets);
        prop_assert!(again == message);
        prop_assert_eq!(write(&link, &again), octets);
    }

    /// Whatever is read, one octet or many changed, is written as it was read.
    #[test]
    fn what_is_read_is_written_the_same((link, message) in any_link(), changes in vec((any::<Index>(), any::<u8>()), 0..4)) {
        let mut octets = write(&link, &message);
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if let Ok(received) = link.read(&octets) {
            let message = received.verified(|_, _| Ok::<_, Infallible>(true)).unwrap();
            prop_assert_eq!(write(&link, &message), octets);
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_refused((link, message) in any_link(), at in any::<Index>()) {
        let octets = write(&link, &message);
        prop_assert!(link.read(&octets[..at.index(octets.len())]).is_err());
    }
}
