//! What must hold for any input.

use encryption::secured_packet::{
    CheckLength, MAX_PARTS, PACKET_ROOM, SealError, capacity, open, open_response, seal, seal_response,
};
use encryption::{
    AesKey, CardKeys, CardMaster, Code, Counter, FileKeys, KeySet, Keys, OpenError, PacketRefusal, Pin, Purpose,
    References,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::HashSet;
use std::sync::LazyLock;

static KEYS: LazyLock<FileKeys> = LazyLock::new(|| FileKeys::create(&mut ChaCha20Rng::seed_from_u64(1)));

fn card() -> CardKeys {
    CardMaster::new(&[9; 32]).diversify("8925501234567890123")
}

fn any_counter() -> impl Strategy<Value = Counter> {
    (0..Counter::BLOCKED.get()).prop_map(|value| Counter::new(value).unwrap())
}

fn key_set(key_length: usize, spi2: u8) -> KeySet {
    let key = |octet: u8| AesKey::new(&vec![octet; key_length]).unwrap();
    KeySet::profile(3, key(1), key(2), *b"WKA", spi2).unwrap()
}

proptest! {
    #[test]
    fn what_is_sealed_opens(length in prop::sample::select(vec![16, 24, 32]), counter in any_counter(), plaintext in vec(any::<u8>(), 0..=369)) {
        let keys = key_set(length, 0x39);
        let packet = seal(&keys, counter, &plaintext).unwrap();
        let opened = open(&keys, &packet).ok().unwrap();
        prop_assert_eq!((opened.counter, &*opened.plaintext), (counter, &plaintext));
        let response = seal_response(&keys, counter, 6, &plaintext).unwrap();
        let opened = open_response(&keys, &response).ok().unwrap();
        prop_assert_eq!((opened.counter, opened.status, &*opened.plaintext), (counter, 6, &plaintext));
    }

    #[test]
    fn any_flipped_bit_is_refused(counter in any_counter(), plaintext in vec(any::<u8>(), 0..=120), bit in any::<Index>()) {
        let keys = key_set(32, 0x39);
        let mut packet = seal(&keys, counter, &plaintext).unwrap();
        let at = bit.index(packet.len() * 8);
        packet[at / 8] ^= 1 << (at % 8);
        prop_assert!(open(&keys, &packet).is_err());
        let mut response = seal_response(&keys, counter, 0, &plaintext).unwrap();
        let at = bit.index(response.len() * 8);
        response[at / 8] ^= 1 << (at % 8);
        prop_assert!(open_response(&keys, &response).is_err());
    }

    #[test]
    fn any_octets_are_refused_calmly(octets in vec(any::<u8>(), 0..=420), as_header in any::<bool>()) {
        let mut octets = octets;
        if as_header && octets.len() > 10 {
            let length = (octets.len() - 2) as u16;
            octets[..2].copy_from_slice(&length.to_be_bytes());
            octets[2..10].copy_from_slice(&[0x15, 0x16, 0x39, 0x32, 0x32, b'W', b'K', b'A']);
        }
        prop_assert!(open(&key_set(16, 0x39), &octets).is_err());
        prop_assert!(open_response(&key_set(16, 0x39), &octets).is_err());
        prop_assert!(KEYS.open_at_rest("name", b"1", &octets).is_err());
    }

    #[test]
    fn cards_and_directions_do_not_open_each_other(counter in any_counter(), plaintext in vec(any::<u8>(), 0..=98)) {
        let CardKeys { uplink, downlink } = card();
        let packet = seal(&uplink, counter, &plaintext).unwrap();
        prop_assert_eq!(open(&downlink, &packet).err(), Some(PacketRefusal::Policy));
        let other = CardMaster::new(&[9; 32]).diversify("8925501234567890124").uplink;
        prop_assert_eq!(open(&other, &packet).err(), Some(PacketRefusal::Check));
        let as_given = CardMaster::new(&[9; 32]).personalise("8925501234567890123").card_keys().uplink;
        prop_assert!(open(&as_given, &packet).is_ok());
    }

    #[test]
    fn references_are_a_permutation(id in 0..References::CAPACITY) {
        let reference = KEYS.reference(id).unwrap();
        prop_assert!(reference.as_str().len() == 12 && reference.as_str().bytes().all(|octet| octet.is_ascii_digit()));
        prop_assert_eq!(KEYS.reference_id(reference.as_str()), Some(id));
    }

    /// Decoding any body and encoding it again gives the body: nothing is hit twice, nothing missed.
    #[test]
    fn references_cover_their_range(body in 0..References::CAPACITY) {
        let reference = (0..10).map(|digit| format!("{body:011}{digit}")).find(|text| KEYS.reference_id(text).is_some());
        let id = KEYS.reference_id(&reference.clone().unwrap()).unwrap();
        prop_assert!(id < References::CAPACITY);
        prop_assert_eq!(KEYS.reference(id).unwrap().to_string(), reference.unwrap());
    }

    #[test]
    fn a_slip_in_a_reference_is_noticed(id in 0..References::CAPACITY, at in 0_usize..12, add in 1_u8..10) {
        let right = KEYS.reference(id).unwrap().to_string().into_bytes();
        let mut changed = right.clone();
        changed[at] = b'0' + (changed[at] - b'0' + add) % 10;
        prop_assert_eq!(KEYS.reference_id(std::str::from_utf8(&changed).unwrap()), None);
        let mut swapped = right.clone();
        swapped.swap(at.min(10), at.min(10) + 1);
        if swapped != right {
            prop_assert_eq!(KEYS.reference_id(std::str::from_utf8(&swapped).unwrap()), None);
        }
    }

    #[test]
    fn a_sealed_record_opens_only_as_what_it_is(plaintext in vec(any::<u8>(), 0..=200), record in vec(any::<u8>(), 0..=300), bit in any::<Index>()) {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut sealed = KEYS.seal_at_rest(&mut rng, "name", &record, &plaintext);
        prop_assert_eq!(sealed.len(), plaintext.len() + encryption::SEALED_OVERHEAD);
        prop_assert_eq!(&*KEYS.open_at_rest("name", &record, &sealed).ok().unwrap(), &plaintext);
        prop_assert_eq!(KEYS.open_at_rest("code", &record, &sealed).err(), Some(OpenError::Damaged));
        let other = [record.as_slice(), b"x"].concat();
        prop_assert_eq!(KEYS.open_at_rest("name", &other, &sealed).err(), Some(OpenError::Damaged));
        let at = bit.index(sealed.len() * 8);
        sealed[at / 8] ^= 1 << (at % 8);
        prop_assert!(KEYS.open_at_rest("name", &record, &sealed).is_err());
    }

    #[test]
    fn proofs_bind_secret_and_number(a in "[0-9]{4,6}", b in "[0-9]{4,6}", m in "\\+[0-9]{8,15}", n in "\\+[0-9]{8,15}") {
        let proof = |number: &str, pin: &str| KEYS.pin_proofs(number, &Pin::parse(pin).unwrap()).newest().1;
        prop_assert!((proof(&m, &a) == proof(&n, &b)) == (a == b && m == n));
    }

    #[test]
    fn fields_of_a_fingerprint_do_not_run_together(from in "[a-c]{0,3}", to in "[a-c]{0,3}", text in "[a-c]{0,300}", cut in 0_usize..300) {
        let all = format!("{to}{text}");
        let cut = cut.min(all.len());
        let (other_to, other_text) = all.split_at(cut);
        let same = (to.as_str(), text.as_str()) == (other_to, other_text);
        let (first, second) = (KEYS.plain_fingerprint(&from, &to, &text), KEYS.plain_fingerprint(&from, other_to, other_text));
        prop_assert_eq!(first == second, same);
    }
}

#[test]
fn capacities_are_those_of_the_table() {
    let of = |length| [1, 2, 3].map(|parts| capacity(length, parts));
    assert_eq!(of(CheckLength::Eight), [98, 242, 370]);
    assert_eq!(of(CheckLength::Four), [102, 246, 374]);
    let (keys, counter) = (key_set(32, 0), Counter::new(1).unwrap());
    for parts in 1..=MAX_PARTS {
        let plaintext = vec![1; capacity(CheckLength::Eight, parts)];
        assert!(seal(&keys, counter, &plaintext).unwrap().len() <= PACKET_ROOM[parts - 1]);
        assert!(
            seal(&keys, counter, &[plaintext, vec![1]].concat())
                .map_or(true, |more| more.len() > PACKET_ROOM[parts - 1])
        );
    }
    assert_eq!(seal(&keys, counter, &[0; 371]), Err(SealError::TooLong));
    assert_eq!(seal(&keys, Counter::BLOCKED, b"BL"), Err(SealError::CounterBlocked));
    assert_eq!(seal_response(&keys, counter, 0, b""), Err(SealError::NoResponse));
}

#[test]
fn counters_end_before_the_blocked_value() {
    assert_eq!(Counter::new(1 << 40), None);
    let last = Counter::new(0xff_ffff_fffe).unwrap();
    assert_eq!(Counter::new(0xff_ffff_fffd).unwrap().next(), Some(last));
    assert_eq!(last.next(), None);
    assert_eq!(Counter::BLOCKED.next(), None);
}

#[test]
fn key_sets_outside_what_this_crate_speaks_cannot_be_made() {
    let key = || AesKey::new(&[1; 16]).unwrap();
    for length in [0, 8, 15, 17, 31, 33] {
        assert!(AesKey::new(&vec![0; length]).is_none());
    }
    for number in [0, 16, 255] {
        assert!(KeySet::profile(number, key(), key(), *b"WKA", 0).is_none());
    }
    // No check, redundancy check, signature, not ciphered.
    for spi1 in [0x14, 0x15, 0x17, 0x12, 0x00] {
        assert!(KeySet::codec(1, key(), key(), *b"WKA", [spi1, 0], CheckLength::Eight).is_none());
    }
}

#[test]
fn ids_in_sequence_have_unrelated_references() {
    let references: Vec<u64> =
        (0..10_000).map(|id| KEYS.reference(id).unwrap().as_str()[..11].parse().unwrap()).collect();
    assert_eq!(references.iter().collect::<HashSet<_>>().len(), references.len());
    // Rising as often as falling, and spread over the whole range: 10,000 fair draws stay within these by 6 sigma.
    let rises = references.windows(2).filter(|two| two[0] < two[1]).count();
    assert!((4_700..5_300).contains(&rises), "{rises}");
    for decile in 0..10 {
        let here = references.iter().filter(|reference| **reference / (References::CAPACITY / 10) == decile).count();
        assert!((820..1_180).contains(&here), "{here}");
    }
    let other = FileKeys::create(&mut ChaCha20Rng::seed_from_u64(3));
    assert_ne!(other.reference(0).unwrap(), KEYS.reference(0).unwrap());
    assert!(KEYS.reference(References::CAPACITY).is_err() && KEYS.reference(u64::MAX).is_err());
    for text in ["", "1", "12345678901", "1234567890123", "12345678901x", "１２３４"] {
        assert_eq!(KEYS.reference_id(text), None, "{text}");
    }
}

#[test]
fn codes_are_uniform_and_bound_to_purpose_and_payee() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for (purpose, length) in [
        (Purpose::WithdrawalPassword, 8),
        (Purpose::VerificationCode, 6),
        (Purpose::RegistrationCode, 6),
        (Purpose::OneTimePin, 6),
    ] {
        let mut counts = [[0_u32; 10]; 8];
        for _ in 0..20_000 {
            let code = Code::draw(purpose, &mut rng);
            assert_eq!(code.expose().len(), length);
            for (place, digit) in code.expose().bytes().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        // 20,000 fair draws: 2,000 each, sigma 42.
        assert!(counts[..length].iter().flatten().all(|count| (1_750..2_250).contains(count)), "{counts:?}");
        assert!(Code::parse(purpose, &"12345678"[..length]).is_some());
        for text in ["", "12345", "1234567", "123456789", "12345a", "1234567 ", "+12345"] {
            assert!(Code::parse(purpose, text).is_none(), "{text}");
        }
    }
    let proof =
        |purpose, payee: &str, code: &str| KEYS.code_proofs(payee, &Code::parse(purpose, code).unwrap()).newest().1;
    let base = proof(Purpose::VerificationCode, "+255712000001", "271828");
    assert!(base == proof(Purpose::VerificationCode, "+255712000001", "271828"));
    assert!(base != proof(Purpose::VerificationCode, "+255712000001", "271829"));
    assert!(base != proof(Purpose::VerificationCode, "+255712000002", "271828"));
    assert!(base != proof(Purpose::RegistrationCode, "+255712000001", "271828"));
    assert!(Code::draw(Purpose::OneTimePin, &mut rng).as_pin().is_some());
    assert!(Code::draw(Purpose::RegistrationCode, &mut rng).as_pin().is_none());
}

#[test]
fn a_sealed_fingerprint_tells_card_counter_and_checksum_apart() {
    let of = |card: &str, counter, check| KEYS.sealed_fingerprint(card, Counter::new(counter).unwrap(), &[check; 8]);
    let all = [of("1", 1, 1), of("2", 1, 1), of("1", 2, 1), of("1", 1, 2)];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4);
    assert_eq!(of("1", 1, 1), all[0]);
}

#[test]
fn indexes_and_commitments_have_a_purpose() {
    let all = [
        KEYS.blind_index("name", b"A"),
        KEYS.blind_index("identity", b"A"),
        KEYS.blind_index("name", b"B"),
        KEYS.commitment("name", b"A"),
    ];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4);
    assert_eq!(KEYS.blind_index("name", b"A"), all[0]);
}
