//! What terminals, switches and HSMs send: messages of ISO 8583 on both links, what stands inside of their fields, key blocks, PIN
//! blocks, the keys of a sign-on.

use std::convert::Infallible;
use std::sync::LazyLock;

use card_cryptography::legacy::{tdes_dukpt, working_keys::WorkingKeys};
use card_cryptography::pin_block::{self, Format};
use card_cryptography::tr31::{self, Accept};
use card_cryptography::{Account, Algorithm, Key, Pin, PinBlock, dukpt};
use rand::{SeedableRng, rngs::StdRng};
use wire::iso8583::layout::{
    AdditionalAmount, CustomerChecks, OriginalData, OriginalTransaction, PhoneAccount, SecurityControl,
    ServiceCondition, TerminalBatch, read_usages, write_usages,
};
use wire::iso8583::{Covers, Envelope, LinkProfile, Message, Refusal, ResponseCode, Style, Transaction, frame_size};

use crate::input::{Input, text};

static POINT_OF_SALE: LazyLock<LinkProfile> = LazyLock::new(LinkProfile::point_of_sale);
static INSTITUTION: LazyLock<LinkProfile> = LazyLock::new(LinkProfile::institution);

/// A message of a terminal.
pub(crate) fn point_of_sale(octets: &[u8]) {
    message(&POINT_OF_SALE, octets);
}

/// A message of an institution.
pub(crate) fn institution(octets: &[u8]) {
    message(&INSTITUTION, octets);
}

/// What is read is written as it was read, its code covers the same before and after, and what may be printed of it shows no track, PIN
/// block or phone number.
fn message(link: &LinkProfile, octets: &[u8]) {
    let received = match link.read(octets) {
        Ok(received) => received,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    let mut covered_then = Vec::new();
    let message = received
        .verified(|covered, code| {
            assert_eq!(code.len(), 8);
            covered_then = covered.to_vec();
            Ok::<_, Infallible>(true)
        })
        .unwrap_or_else(|why| panic!("{why}"));
    let code = message.get(link.style.code_field()).map(|code| code.try_into().expect("8 octets"));
    if code.is_some() {
        assert_eq!(*link.covered(&message).expect("it fits"), covered_then);
        if link.covers == Covers::Everything {
            assert_eq!(covered_then, octets[..octets.len() - 8]);
        }
    }
    // A code that this kind of message need not have is kept as it came.
    let written = link.write(&message, |_| Ok::<_, Infallible>(code.unwrap_or_default()));
    assert_eq!(written.unwrap_or_else(|why| panic!("{why}")), octets);
    let printed = format!("{message:?}");
    for number in [2, 14, 35, 36, 45, 48, 52, 55, 61, 62] {
        if let Some(value) = message.get(number) {
            assert!(printed.contains(&format!(" {number}=({} octets)", value.len())), "{printed}");
        }
    }
    let _ = Transaction::of(link.style, &message);
    if let Some(answer) = message.answer(ResponseCode::Approved, &[3, 4, 11, 41, 42]) {
        assert!(
            answer.answer(ResponseCode::Approved, &[]).is_none() && answer.response() == Some(ResponseCode::Approved)
        );
    }
    insides(&message);
}

fn insides(message: &Message) {
    message.fields().for_each(|(number, value)| inside(number, value));
}

/// Frames of a stream are as long as they say, and are closed as they were opened.
pub(crate) fn frames(octets: &[u8]) {
    for style in [Style::PointOfSale, Style::Institution] {
        let mut rest = octets;
        while let Ok(Some(size)) = frame_size(style, rest) {
            assert!(size >= 13, "a frame of {size} octets");
            let Some((frame, after)) = rest.split_at_checked(size) else { break };
            if let Ok((envelope, message)) = Envelope::open(style, frame) {
                assert_eq!(envelope.around(message).expect("it was no longer"), frame);
                assert!(envelope.answer().answer() == envelope);
            }
            rest = after;
        }
    }
}

/// What stands inside of a field is written as it was read.
pub(crate) fn fields(octets: &[u8]) {
    let mut input = Input(octets);
    let number = input.one_of(&[48, 53, 54, 60, 61, 63, 90]);
    inside(number, input.0);
}

fn inside(number: u8, value: &[u8]) {
    let same = |written: Option<Vec<u8>>| assert!(written.is_none_or(|written| written == value), "field {number}");
    let of = |written: Result<Result<String, Refusal>, Refusal>| {
        written.ok().map(|written| written.expect("it was read").into_bytes())
    };
    match number {
        // What may be blank or nought is written in one way alone, so here only the number must be the same.
        48 => {
            if let Ok(account) = PhoneAccount::read(value) {
                assert!(PhoneAccount::read(account.write().as_bytes()).is_ok_and(|again| again == account));
                assert_eq!(value.len(), account.write().len());
            }
        }
        53 => same(SecurityControl::read(value).ok().map(|control| control.write().into_bytes())),
        54 => same(of(AdditionalAmount::read(value).map(|amounts| AdditionalAmount::write(&amounts)))),
        60 => {
            same(of(TerminalBatch::read(value).map(|batch| batch.write())));
            same(ServiceCondition::read(value).ok().map(|condition| condition.write()));
        }
        61 => {
            same(of(OriginalTransaction::read(value).map(|original| original.write())));
            same(CustomerChecks::read(value).ok().map(|checks| checks.write()));
        }
        63 => {
            let usages = read_usages(63, value).ok();
            same(usages.map(|usages| write_usages(63, &usages).expect("it was read").to_vec()));
        }
        90 => same(of(OriginalData::read(value).map(|original| original.write()))),
        _ => {}
    }
}

fn key(algorithm: Algorithm, length: u8) -> Key {
    let octets: Vec<u8> = (0..length).map(|at| at.wrapping_mul(37).wrapping_add(11)).collect();
    Key::new(algorithm, &octets).expect("a key")
}

/// No key block but that which was wrapped under this key opens, and that one not with one character other.
pub(crate) fn key_block(octets: &[u8]) {
    static KEYS: LazyLock<[Key; 2]> = LazyLock::new(|| [key(Algorithm::Aes, 32), key(Algorithm::Tdes, 24)]);
    static OWN: LazyLock<String> = LazyLock::new(|| {
        use card_cryptography::tr31::{Exportability, Header, KeyUsage, Mode};
        let header = Header::new(KeyUsage::PinEncryption, Algorithm::Aes, Mode::Both, Exportability::Exportable);
        tr31::wrap(&KEYS[0], &header, &key(Algorithm::Aes, 16), &mut StdRng::seed_from_u64(1)).expect("a key block")
    });
    let typed = text(octets);
    for key in KEYS.iter() {
        // Four octets of a code can be met by chance in a long search; what holds of A and C is that nothing panics.
        let _ = tr31::unwrap(key, &typed, Accept::Variants);
        assert!(tr31::unwrap(key, &typed, Accept::Derived).is_err() || typed == *OWN, "a key of nobody");
    }
    let mut input = Input(octets);
    let mut changed = OWN.clone().into_bytes();
    let at = usize::from(input.octet()) % changed.len();
    changed[at] = input.octet() & 0x7F;
    let changed = String::from_utf8(changed).expect("ASCII");
    assert!(tr31::unwrap(&KEYS[0], &changed, Accept::Derived).is_ok() == (changed == *OWN), "{changed}");
}

/// A PIN that is read out of a block is enciphered to one that holds it again; serial numbers are written as they were read; keys of a
/// sign-on come back.
pub(crate) fn pin_block(octets: &[u8]) {
    static KEYS: LazyLock<[Key; 2]> = LazyLock::new(|| [key(Algorithm::Tdes, 16), key(Algorithm::Aes, 16)]);
    let mut input = Input(octets);
    let format = input.one_of(&[Format::Iso0, Format::Iso3, Format::Iso4]);
    let key = &KEYS[usize::from(format == Format::Iso4)];
    let digits = |octets: &[u8]| octets.iter().map(|octet| char::from(b'0' + octet % 10)).collect::<String>();
    let (account, pin) = (digits(input.measured()), digits(input.measured()));
    let block = PinBlock::new(format, input.0);
    let Some(account) = Account::parse(&account) else { return };
    if let Some(pin) = Pin::parse(&pin)
        && let Ok(block) = pin_block::encipher(format, key, &pin, &account, &mut StdRng::seed_from_u64(1))
    {
        assert!(pin_block::decipher(key, &block, &account).is_ok(), "our own block");
    }
    if let Some(block) = block
        && let Ok(pin) = pin_block::decipher(key, &block, &account)
    {
        let again = pin_block::encipher(format, key, &pin, &account, &mut StdRng::seed_from_u64(1)).expect("a block");
        assert!(pin_block::decipher(key, &again, &account).is_ok());
        assert!(format != Format::Iso0 || again == block, "format 0 has one block for a PIN");
    }
    if let Some(ksn) = dukpt::Ksn::parse(octets) {
        assert_eq!(ksn.octets()[..], *octets);
        assert!(ksn.counter.next().is_none_or(|next| next > ksn.counter));
    }
    if let Some(ksn) = tdes_dukpt::Ksn::parse(octets) {
        assert!(ksn.octets()[..] == *octets && ksn.at(ksn.counter()) == ksn);
    }
    if let Ok(keys) = WorkingKeys::unwrap(&KEYS[0], octets) {
        assert_eq!(keys.wrap(&KEYS[0]).expect("a key of TDES"), octets);
    }
}
