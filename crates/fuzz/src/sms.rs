//! What stands in a short message: alphabets, parts, the grammar, and what a log may show.

use std::time::Duration;

use wire::smpp::{Address, ShortMessage};
use wire::sms::grammar::LONGEST;
use wire::sms::{
    self, Command, DefaultAlphabet, Join, Joiner, JoinerConfig, Keyword, Parsed, Reference, TypedAmount, gsm7,
};

use crate::input::{Input, text};
use crate::smpp::tlvs;

const ALPHABETS: [DefaultAlphabet; 3] =
    [DefaultAlphabet::Gsm7Unpacked, DefaultAlphabet::Gsm7Packed, DefaultAlphabet::Latin1];

/// Octets in any coding are no longer than their bound as text, and septets come back from packing.
pub(crate) fn alphabets(octets: &[u8]) {
    let mut input = Input(octets);
    let (data_coding, esm_class, fill) = (input.octet(), input.octet(), input.octet() % 7);
    let body = input.0;
    let message = ShortMessage { data_coding, esm_class, body: body.into(), ..Default::default() };
    for alphabet in ALPHABETS {
        let _ = sms::read(&message, alphabet);
        if let Ok(text) = sms::decode(data_coding, alphabet, body) {
            assert!(text.expose().chars().count() <= body.len() * 8 / 7, "text out of nothing");
        }
    }
    let septets: Vec<u8> = body.iter().map(|octet| octet & 0x7F).collect();
    let packed = gsm7::pack(&septets, fill);
    let unpacked = gsm7::unpack(&packed, fill);
    // A last @ or carriage return in seven bits that would be left over is padding by the standard.
    let padding = matches!(septets.last(), Some(0 | 0x0D));
    assert!(unpacked == septets || (padding && unpacked[..] == septets[..septets.len() - 1]), "septets differ");
    let text = gsm7::decode(&septets);
    let encoded = gsm7::encode(text.expose()).expect("what the alphabet gave is in it");
    assert_eq!(gsm7::decode(&encoded).expose(), text.expose());
    assert_eq!(gsm7::septet_length(text.expose()), Some(encoded.len()));
    let _ = gsm7::unpack(body, fill);
}

/// A text that is cut into parts and joined again, in whichever order the parts come, is the same text.
pub(crate) fn segments(octets: &[u8]) {
    let mut input = Input(octets);
    let alphabet = input.one_of(&ALPHABETS);
    let reference = match input.octet() {
        narrow if narrow % 2 == 0 => Reference::Narrow(narrow),
        wide => Reference::Wide(u16::from(wide) << 7),
    };
    let first = usize::from(input.octet());
    let text = text(input.0);
    let Ok(parts) = sms::segment_text(&text, alphabet, reference, 16) else { return };
    assert_eq!(parts.len(), sms::part_count(&text, alphabet, reference));
    let template =
        ShortMessage { source: Address::international("255712000001").expect("short"), ..Default::default() };
    let mut messages: Vec<ShortMessage> = parts.into_iter().map(|part| part.into_message(&template)).collect();
    let count = messages.len();
    messages.rotate_left(first % count);
    let mut joiner = Joiner::new(JoinerConfig { parts: 16, ..JoinerConfig::default() });
    for (number, message) in messages.into_iter().enumerate() {
        assert!(message.body.len() <= 160, "no short message has room for {}", message.body.len());
        let came = match joiner.push(Duration::ZERO, message) {
            Join::Held => {
                assert!(number + 1 < count, "all parts and no message");
                continue;
            }
            Join::Single(message) => sms::read(&message, alphabet),
            Join::Whole(whole) => whole.text(alphabet),
            Join::Duplicate | Join::TooLong(_) => panic!("a part of our own is refused"),
        };
        assert_eq!(number + 1, count);
        same_text(came.expect("our own text").expose(), &text);
    }
    assert!(joiner.is_empty());
}

/// The standard's one ambiguity aside: a carriage return or @ in the last seven bits of a part is padding.
fn same_text(came: &str, sent: &str) {
    if came == sent {
        return;
    }
    let bare = |text: &str| text.replace(['\r', '@'], "");
    assert!(came.len() <= sent.len() && bare(came) == bare(sent), "{came:?} is not {sent:?}");
}

/// Whatever parts come, the joiner keeps to its bounds, and in the end forgets everything.
pub(crate) fn joiner(octets: &[u8]) {
    let mut input = Input(octets);
    let config = JoinerConfig { per_source: 2, messages: 5, ..JoinerConfig::default() };
    let (mut joiner, mut now) = (Joiner::new(config.clone()), Duration::ZERO);
    while !input.is_at_end() {
        now += Duration::from_secs(u64::from(input.octet() % 64));
        let source = Address { ton: 1, npi: 1, digits: input.one_of(&["1", "2", "3", "4"]).try_into().expect("short") };
        let (esm_class, data_coding) = (input.octet(), input.octet());
        let tlvs = tlvs(&mut input);
        let body = input.measured();
        let message = ShortMessage { source, esm_class, data_coding, body: body.into(), tlvs, ..Default::default() };
        match joiner.push(now, message) {
            Join::Single(same) => assert!(same.body[..] == *body, "a whole message changed"),
            Join::Whole(whole) => {
                for alphabet in ALPHABETS {
                    let _ = whole.text(alphabet);
                }
                let joined = whole.into_message();
                assert!(joined.body.len() <= usize::from(config.parts) * config.part_octets + 256, "too much");
                let _ = sms::read(&joined, DefaultAlphabet::Gsm7Unpacked);
            }
            Join::Held | Join::Duplicate | Join::TooLong(_) => {}
        }
        assert!(joiner.len() <= config.messages, "more is held than may be");
    }
    joiner.expire(now + config.timeout + Duration::from_secs(1));
    assert!(joiner.is_empty(), "something is held for ever");
}

/// A request that is written anew from what was read reads the same; letter case and spaces around fields do not matter; the
/// mask leaves nothing of it that could be a PIN.
pub(crate) fn grammar(octets: &[u8]) {
    let typed = text(octets);
    let Ok(parsed) = sms::parse(&typed) else { return };
    let written = written(&parsed);
    let again = sms::parse(&written).unwrap_or_else(|why| panic!("{why:?} for {written:?} from {typed:?}"));
    assert_eq!(self::written(&again), written);
    let spaced = format!(" {} ", written.replace('*', " * ").to_lowercase());
    // Names keep their letter case, and some letters are of another length in the other.
    if !matches!(parsed.command, Command::Register { .. }) && spaced.chars().count() <= LONGEST {
        let spaced = sms::parse(&spaced).unwrap_or_else(|why| panic!("{why:?} for {spaced:?}"));
        assert_eq!(self::written(&spaced), written);
    }
    no_digits(&sms::mask(&typed));
}

fn amount(amount: TypedAmount) -> String {
    let (digits, scale) = (amount.digits(), usize::from(amount.scale()));
    assert!((1..10_u64.pow(15)).contains(&digits) && scale <= 6);
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

fn written(parsed: &Parsed) -> String {
    let (keyword, mut fields) = fields(&parsed.command);
    fields.insert(0, keyword.name().to_owned());
    fields.extend(parsed.repeat.map(|times| times.to_string()));
    fields.join("*")
}

fn fields(command: &Command) -> (Keyword, Vec<String>) {
    let own = |text: &wire::Secret| text.expose().to_owned();
    match command {
        Command::Transfer { payee, amount: sum, pin } => (Keyword::TM, vec![payee.clone(), amount(*sum), own(pin)]),
        Command::Query { payee, password, agent_code } => {
            (Keyword::QT, vec![payee.clone(), own(password), agent_code.clone()])
        }
        Command::Withdrawal { payee, amount: sum, code, pin, id_number } => {
            let fields = [payee.clone(), amount(*sum), own(code), own(pin)];
            (Keyword::GM, fields.into_iter().chain(id_number.clone()).collect())
        }
        Command::PasswordWithdrawal { payee, amount: sum, password, pin, id_number } => {
            let fields = [payee.clone(), amount(*sum), own(password), own(pin)];
            (Keyword::GW, fields.into_iter().chain(id_number.clone()).collect())
        }
        Command::Deposit { password, pin } => (Keyword::DP, vec![own(password), own(pin)]),
        Command::Resend { reference, pin } => (Keyword::RS, vec![reference.clone(), own(pin)]),
        Command::Recall { reference, pin } => (Keyword::RC, vec![reference.clone(), own(pin)]),
        Command::AgreeToRecall { reference, pin } => (Keyword::RA, vec![reference.clone(), own(pin)]),
        Command::Register { pin, name } => (Keyword::RG, vec![own(pin), name.clone()]),
        Command::ConfirmRegistration { code, pin } => {
            (Keyword::RG, std::iter::once(own(code)).chain(pin.as_ref().map(own)).collect())
        }
        Command::CashIn { customer, amount: sum, pin } => (Keyword::CI, vec![customer.clone(), amount(*sum), own(pin)]),
        Command::CashOut { agent_code, amount: sum, pin } => {
            (Keyword::CO, vec![agent_code.clone(), amount(*sum), own(pin)])
        }
        Command::Balance { pin } => (Keyword::BL, vec![own(pin)]),
        Command::Statement { pin } => (Keyword::ST, vec![own(pin)]),
        Command::ChangePin { old, new } => (Keyword::PN, vec![own(old), own(new)]),
        Command::SetLanguage { language } => (Keyword::LG, vec![language.code().to_owned()]),
        Command::CheckReceipt { receipt_code } => (Keyword::CK, vec![receipt_code.clone()]),
        Command::Help => (Keyword::HP, vec![]),
    }
}

/// A copy for a log has a bound, no digit of any script, no line break, and is its own copy.
pub(crate) fn mask(octets: &[u8]) {
    let masked = sms::mask(&text(octets));
    no_digits(&masked);
    assert!(masked.chars().count() <= 160 && !masked.chars().any(char::is_control));
    assert_eq!(sms::mask(&masked), masked);
}

fn no_digits(masked: &str) {
    assert!(!masked.chars().any(char::is_numeric), "{masked:?}");
}
