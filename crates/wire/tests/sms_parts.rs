//! Texts and packets cut into parts, and parts joined again.

use core::time::Duration;
use proptest::prelude::*;
use wire::smpp::{Address, ShortMessage, tag};
use wire::sms::{
    DefaultAlphabet::{self, *},
    Join, Joiner, JoinerConfig, Reference, Segment, TooLong, part_count, read, segment_binary, segment_text,
};

const NOW: Duration = Duration::from_secs(1000);
const NARROW: Reference = Reference::Narrow(0xAB);
const WIDE: Reference = Reference::Wide(0xABCD);

fn messages(segments: Vec<Segment>) -> Vec<ShortMessage> {
    let template = ShortMessage {
        source: Address::international("255712000001").unwrap(),
        destination: Address::short_code("15050").unwrap(),
        ..Default::default()
    };
    segments.into_iter().map(|segment| segment.into_message(&template)).collect()
}

fn joiner() -> Joiner {
    Joiner::new(JoinerConfig { parts: 255, ..JoinerConfig::default() })
}

#[test]
fn capacities() {
    let cases = [("x", 160, 153, 152), ("€", 80, 76, 76), ("你", 70, 67, 66), ("😀", 35, 33, 33)];
    for (character, alone, narrow, wide) in cases {
        for alphabet in [Gsm7Unpacked, Gsm7Packed] {
            for (length, reference, parts) in [
                (0, NARROW, 1),
                (alone, NARROW, 1),
                (alone + 1, NARROW, 2),
                (narrow * 2, NARROW, 2),
                (narrow * 2 + 1, NARROW, 3),
                (wide * 2, WIDE, 2),
                (wide * 2 + 1, WIDE, 3),
            ] {
                let text = character.repeat(length);
                assert_eq!(part_count(&text, alphabet, reference), parts, "{length} {character} {alphabet:?}");
                let segments = segment_text(&text, alphabet, reference, 3).unwrap();
                assert_eq!(segments.len(), parts);
                let unpacked = alphabet == Gsm7Unpacked && segments[0].data_coding == 0;
                assert!(segments.iter().all(|segment| segment.body.len() <= if unpacked { 160 } else { 140 }));
            }
        }
    }
    assert_eq!(segment_text(&"x".repeat(460), Gsm7Unpacked, NARROW, 3), Err(TooLong));
    assert_eq!(segment_text(&"x".repeat(100_000), Gsm7Unpacked, NARROW, 255), Err(TooLong));
}

#[test]
fn octets_of_parts() {
    let segments = segment_text(&"x".repeat(161), Gsm7Unpacked, NARROW, 3).unwrap();
    assert_eq!(segments[1].body[..], [&[5, 0, 3, 0xAB, 2, 2][..], b"xxxxxxxx"].concat());
    let segments = segment_text(&"x".repeat(161), Gsm7Unpacked, WIDE, 3).unwrap();
    assert_eq!(segments[0].body[..8], [6, 8, 4, 0xAB, 0xCD, 2, 1, b'x']);
    let sent = messages(segments);
    assert_eq!((sent[0].esm_class, sent[0].data_coding), (0x40, 0x00));
    assert_eq!(messages(segment_text("x", Gsm7Unpacked, WIDE, 3).unwrap())[0].esm_class, 0x00);
}

#[test]
fn secured_packets_carry_their_element_in_the_first_part() {
    let room = |length| segment_binary(&[0x70, 0], &vec![7; length], 0xF6, NARROW, 3);
    let one = room(137).unwrap();
    assert_eq!((one.len(), &one[0].body[..4]), (1, &[2, 0x70, 0, 7][..]));
    let two = room(138).unwrap();
    assert_eq!(two[0].body[..9], [7, 0, 3, 0xAB, 2, 1, 0x70, 0, 7]);
    assert_eq!(two[1].body[..7], [5, 0, 3, 0xAB, 2, 2, 7]);
    // 132 + 134 + 134 octets in three parts.
    assert_eq!(room(132 + 134).unwrap().len(), 2);
    assert_eq!(room(132 + 134 + 134).unwrap().len(), 3);
    assert_eq!(room(132 + 134 + 135), Err(TooLong));
    assert_eq!(segment_binary(&[], &[1; 140], 0x04, NARROW, 1).unwrap()[0].body.len(), 140);
    assert_eq!(segment_binary(&[], &[1; 268], 0x04, NARROW, 2).unwrap().len(), 2);
    assert_eq!(segment_binary(&[], &[1; 267], 0x04, WIDE, 2), Err(TooLong));
    assert_eq!(segment_binary(&[0; 200], &[1], 0x04, WIDE, 2), Err(TooLong));
}

#[test]
fn latin1_centres_get_only_what_both_alphabets_have() {
    let coding = |text: &str| segment_text(text, Latin1, NARROW, 1).unwrap()[0].data_coding;
    for (text, expected) in [("@é£", 0x00), ("€", 0x08), ("Δ", 0x08), ("â", 0x08), ("[x]", 0x00)] {
        assert_eq!(coding(text), expected, "{text}");
    }
    assert_eq!(segment_text("@é", Latin1, NARROW, 1).unwrap()[0].body[..], [0x40, 0xE9]);
}

#[test]
fn joined_in_any_order_with_duplicates() {
    let payload: Vec<u8> = (0..=255).chain(0..100).collect();
    let parts = messages(segment_binary(&[0x70, 0], &payload, 0xF6, NARROW, 3).unwrap());
    assert_eq!(parts.len(), 3);
    let mut joiner = joiner();
    assert!(matches!(joiner.push(NOW, parts[2].clone()), Join::Held));
    assert!(matches!(joiner.push(NOW, parts[2].clone()), Join::Duplicate));
    assert!(matches!(joiner.push(NOW, parts[0].clone()), Join::Held));
    let Join::Whole(whole) = joiner.push(NOW, parts[1].clone()) else { panic!() };
    let message = whole.into_message();
    assert_eq!(message.esm_class, 0x40);
    assert_eq!(message.body[..], [&[2, 0x70, 0][..], &payload].concat());
    assert!(joiner.is_empty());
}

#[test]
fn parts_without_the_udhi_bit_are_joined_when_binary_only() {
    let parts = messages(segment_binary(&[0x70, 0], &[9; 200], 0xF6, NARROW, 3).unwrap());
    let mut held = joiner();
    let bare = |part: &ShortMessage| ShortMessage { esm_class: 0, ..part.clone() };
    assert!(matches!(held.push(NOW, bare(&parts[0])), Join::Held));
    assert!(matches!(held.push(NOW, bare(&parts[1])), Join::Whole(_)));
    let text = ShortMessage { data_coding: 0, ..bare(&parts[0]) };
    assert!(matches!(held.push(NOW, text), Join::Single(_)));
}

#[test]
fn sar_tlvs_join_too() {
    let part = |number: u8, text: &str| {
        let mut message = ShortMessage { body: text.as_bytes().into(), ..Default::default() };
        message.tlvs.push(tag::SAR_REFERENCE, &[0, 9]).unwrap();
        message.tlvs.push(tag::SAR_TOTAL, &[2]).unwrap();
        message.tlvs.push(tag::SAR_NUMBER, &[number]).unwrap();
        message
    };
    let mut joiner = joiner();
    assert!(matches!(joiner.push(NOW, part(2, "1234")), Join::Held));
    let Join::Whole(whole) = joiner.push(NOW, part(1, "BL*")) else { panic!() };
    assert_eq!(whole.text(Gsm7Unpacked).unwrap().expose(), "BL*1234");
}

#[test]
fn bounds_of_the_joiner() {
    let config = JoinerConfig { messages: 4, per_source: 2, ..JoinerConfig::default() };
    let timeout = config.timeout;
    let mut joiner = Joiner::new(config);
    let part = |source: &str, reference: u8, number: u8, total: u8| ShortMessage {
        source: Address::international(source).unwrap(),
        esm_class: 0x40,
        data_coding: 4,
        body: vec![5, 0, 3, reference, total, number, reference].into(),
        ..Default::default()
    };
    assert!(matches!(joiner.push(NOW, part("1", 1, 1, 4)), Join::TooLong(_)));
    assert!(matches!(joiner.push(NOW, part("1", 1, 1, 1)), Join::Single(_)), "one part of one is whole");
    assert!(matches!(joiner.push(NOW, part("1", 1, 3, 2)), Join::Single(_)), "numbers that make no sense");
    for reference in 1..=3 {
        assert!(matches!(joiner.push(NOW, part("1", reference, 1, 2)), Join::Held));
    }
    assert_eq!(joiner.len(), 2, "a sender's oldest went");
    assert!(matches!(joiner.push(NOW, part("1", 2, 2, 2)), Join::Whole(_)));
    for source in ["2", "3", "4", "5"] {
        assert!(matches!(joiner.push(NOW, part(source, 1, 1, 2)), Join::Held));
    }
    assert_eq!(joiner.len(), 4, "the oldest of all went");
    assert!(matches!(joiner.push(NOW, part("1", 3, 2, 2)), Join::Held), "its first part is gone");
    assert_eq!(joiner.expire(NOW + timeout - Duration::from_millis(1)), 0);
    assert_eq!(joiner.expire(NOW + timeout), 4);
    assert!(joiner.is_empty());
}

#[test]
fn other_content_under_the_same_reference_is_another_message() {
    let parts = |text: &str| messages(segment_text(&text.repeat(161), Gsm7Unpacked, NARROW, 2).unwrap());
    let (old, new) = (parts("o"), parts("n"));
    let mut joiner = joiner();
    assert!(matches!(joiner.push(NOW, old[0].clone()), Join::Held));
    assert!(matches!(joiner.push(NOW, new[0].clone()), Join::Held));
    let Join::Whole(whole) = joiner.push(NOW, new[1].clone()) else { panic!() };
    assert_eq!(whole.text(Gsm7Unpacked).unwrap().expose(), "n".repeat(161));
}

#[test]
fn parts_to_different_destinations_do_not_mix() {
    let parts = messages(segment_text(&"x".repeat(161), Gsm7Unpacked, NARROW, 2).unwrap());
    let elsewhere = ShortMessage { destination: Address::short_code("15051").unwrap(), ..parts[1].clone() };
    let mut joiner = joiner();
    assert!(matches!(joiner.push(NOW, parts[0].clone()), Join::Held));
    assert!(matches!(joiner.push(NOW, elsewhere), Join::Held));
    assert!(matches!(joiner.push(NOW, parts[1].clone()), Join::Whole(_)));
}

fn any_alphabet() -> impl Strategy<Value = DefaultAlphabet> {
    prop::sample::select(&[Gsm7Unpacked, Gsm7Packed, Latin1])
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 @€£éΔ\\[\\]{}~]{0,700}", "[a-z你好😀é]{0,300}", "\\PC{0,300}"]
}

proptest! {
    #[test]
    fn texts_come_back(text in any_text(), alphabet in any_alphabet(), wide: bool, seed: u64) {
        // An @ that ends eight packed septets cannot be told from padding.
        let text = if alphabet == Gsm7Packed { text.replace('@', "a") } else { text };
        let reference = if wide { WIDE } else { NARROW };
        let mut parts = messages(segment_text(&text, alphabet, reference, 255).unwrap());
        if let [message] = &parts[..] {
            let back = read(message, alphabet).unwrap();
            prop_assert_eq!(back.expose(), &text);
            return Ok(());
        }
        let start = seed as usize % parts.len();
        parts.rotate_left(start);
        let mut joiner = joiner();
        let last = parts.pop().unwrap();
        for part in parts {
            // Each part can be read alone: nothing is split inside a character.
            let alone = read(&part, alphabet).unwrap();
            prop_assert!(!alone.expose().contains(char::REPLACEMENT_CHARACTER) || text.contains(char::REPLACEMENT_CHARACTER));
            prop_assert!(matches!(joiner.push(NOW, part), Join::Held));
        }
        let Join::Whole(whole) = joiner.push(NOW, last) else { panic!() };
        let back = whole.text(alphabet).unwrap();
        prop_assert_eq!(back.expose(), &text);
    }

    #[test]
    fn packets_come_back(payload in prop::collection::vec(any::<u8>(), 0..2000), wide: bool) {
        let reference = if wide { WIDE } else { NARROW };
        let mut parts = messages(segment_binary(&[0x70, 0], &payload, 0xF6, reference, 255).unwrap());
        let mut joiner = joiner();
        let last = parts.pop().unwrap();
        for part in parts {
            prop_assert!(matches!(joiner.push(NOW, part), Join::Held));
        }
        let message = match joiner.push(NOW, last) {
            Join::Single(message) => message,
            Join::Whole(whole) => whole.into_message(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(&message.body[..], &[&[2, 0x70, 0][..], &payload].concat());
    }

    #[test]
    fn arbitrary_parts_never_panic(
        parts in prop::collection::vec((any::<u8>(), any::<u8>(), prop::collection::vec(0u8..12, 0..20)), 0..60),
    ) {
        let mut joiner = Joiner::new(JoinerConfig::default());
        for (esm_class, data_coding, body) in parts {
            let message = ShortMessage { esm_class, data_coding, body: body.into(), ..Default::default() };
            if let Join::Whole(whole) = joiner.push(NOW, message) {
                for alphabet in [Gsm7Unpacked, Gsm7Packed, Latin1] {
                    let _ = whole.text(alphabet);
                }
                let _ = whole.into_message();
            }
        }
    }
}
