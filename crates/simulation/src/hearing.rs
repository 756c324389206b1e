//! Reads the platform's texts as a person does: from the catalogues alone, in every language, without asking the platform what
//! it meant. A text that says nothing known is a finding.

use transaction_processing::Refusal;

/// A language's forms, by the name that its file has.
struct Language(Vec<Form>);

/// One message of a catalogue.
struct Form {
    name: &'static str,
    pieces: Vec<Piece>,
}

enum Piece {
    Words(String),
    /// A value of this name.
    Value(&'static str),
}

/// What a text says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard<'a> {
    /// The message's name in the catalogue.
    pub name: &'static str,
    values: Vec<(&'static str, &'a str)>,
    /// Whether it is told again because the same message came again.
    pub again: bool,
}

impl<'a> Heard<'a> {
    /// A value as it stands in the text.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.values.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
    }

    /// An amount in minor units; both currencies of the simulation have two decimals.
    pub fn amount(&self, name: &str) -> Option<i64> {
        let text = self.value(name)?;
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        text.contains('.').then(|| digits.parse().ok()).flatten()
    }

    /// The digits of a value: a number without its plus, a reference without its spaces.
    pub fn digits(&self, name: &str) -> Option<String> {
        self.value(name).map(|text| text.chars().filter(char::is_ascii_digit).collect())
    }

    /// The reference of twelve digits.
    pub fn reference(&self) -> Option<String> {
        self.digits("ref")
    }

    /// Why not, where it is a refusal.
    pub fn refusal(&self) -> Option<Refusal> {
        let kebab = self.name.strip_prefix("refused-")?;
        let fits = |refusal: &&Refusal| words_of(refusal.name()) == kebab;
        Refusal::ALL.iter().find(fits).copied()
    }
}

/// `NotRegistered` as catalogues write it: `not-registered`.
fn words_of(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The ear: all languages.
pub struct Ear(Vec<Language>);

impl Ear {
    /// Reads the catalogues.
    pub fn new() -> Ear {
        let sources = [
            include_str!("../../wakala/catalogues/en.ftl"),
            include_str!("../../wakala/catalogues/fr.ftl"),
            include_str!("../../wakala/catalogues/sw.ftl"),
            include_str!("../../wakala/catalogues/zh.ftl"),
        ];
        Ear(sources.into_iter().map(|source| Language(forms(source))).collect())
    }

    /// What a text says; none where nothing known.
    pub fn hear<'a>(&self, text: &'a str) -> Option<Heard<'a>> {
        self.0.iter().find_map(|language| language.hear(text))
    }
}

impl Language {
    fn hear<'a>(&self, text: &'a str) -> Option<Heard<'a>> {
        let repeated = ["repeated-on-purpose", "repeated"].into_iter().find_map(|name| self.matched(name, text));
        if let Some(answer) = repeated.and_then(|values| value_of(&values, "answer")) {
            let heard = self.hear(answer)?;
            return Some(Heard { again: true, ..heard });
        }
        if let Some(values) = self.matched("refused", text) {
            let why = value_of(&values, "why")?;
            let form = self.0.iter().find(|form| form.name.starts_with("refused-") && form.matches(why).is_some())?;
            return Some(Heard { name: form.name, values, again: false });
        }
        let whole = |form: &Form| is_whole(form.name);
        for form in self.0.iter().filter(|form| whole(form)) {
            // Statements go on line by line.
            let read = if form.name == "statement" { text.lines().next().unwrap_or(text) } else { text };
            if let Some(values) = form.matches(read) {
                return Some(Heard { name: form.name, values, again: false });
            }
        }
        None
    }

    fn matched<'a>(&self, name: &str, text: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        self.0.iter().find(|form| form.name == name).and_then(|form| form.matches(text))
    }
}

fn value_of<'a>(values: &[(&'static str, &'a str)], name: &str) -> Option<&'a str> {
    values.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
}

/// Whether a message is a text of its own and not a part of another.
fn is_whole(name: &str) -> bool {
    let parts = [
        "repeated",
        "refused",
        "statement-line",
        "tier-entry",
        "tier-standard",
        "tier-full",
        "movement-",
        "request-",
        "form-",
        "fault-",
        "standing-",
        "moment",
    ];
    !parts.iter().any(|part| name.starts_with(part))
}

impl Form {
    fn matches<'a>(&self, text: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let mut values = Vec::new();
        let mut rest = text;
        let mut open: Option<&'static str> = None;
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Value(name) => open = Some(name),
                Piece::Words(words) => {
                    let Some(name) = open.take() else {
                        rest = rest.strip_prefix(words.as_str())?;
                        continue;
                    };
                    let last = index + 1 == self.pieces.len();
                    let at = if last {
                        rest.len().checked_sub(words.len()).filter(|at| rest.get(*at..) == Some(words.as_str()))?
                    } else {
                        rest.find(words.as_str())?
                    };
                    values.push((name, rest.get(..at)?));
                    rest = rest.get(at + words.len()..)?;
                }
            }
        }
        match open {
            Some(name) => values.push((name, rest)),
            None if !rest.is_empty() => return None,
            None => {}
        }
        values.iter().all(|(name, value)| fits(name, value)).then_some(values)
    }
}

/// Whether a value can be one of its kind.
fn fits(name: &str, value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = value.bytes().all(|octet| octet.is_ascii_digit());
    match name {
        "ref" | "digits" => digits == 12 && value.len() <= 14,
        "amount" | "cash" | "returned" | "charges" | "commission" | "balance" => digits > 2 && value.contains('.'),
        "payee" | "sender" | "customer" => value.starts_with('+') && digits >= 8 && digits + 1 == value.len(),
        "code" | "agent" | "minutes" => plain && digits > 0,
        _ => !value.is_empty(),
    }
}

/// Reads a Fluent file, as far as catalogues use it. Messages that choose between variants are left out.
fn forms(source: &'static str) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, first)) = line.split_once(" =") else { continue };
        if line.starts_with(['#', ' ']) {
            continue;
        }
        let mut text = first.trim_start().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with(' ')) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(more.trim_start());
        }
        if !text.contains("->")
            && let Some(pieces) = pieces(&text, source)
        {
            forms.push(Form { name, pieces });
        }
    }
    forms
}

fn pieces(text: &str, source: &'static str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, more)) = rest.split_once('{') {
        let (value, more) = more.split_once('}')?;
        if !words.is_empty() {
            pieces.push(Piece::Words(words.to_owned()));
        }
        let value = value.trim().trim_start_matches('$');
        // The same letters in the source live as long as the program.
        let at = source.find(value)?;
        pieces.push(Piece::Value(source.get(at..at + value.len())?));
        rest = more;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest.to_owned()));
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_heard_in_every_language() {
        let ear = Ear::new();
        for text in [
            "Ref 1234 5678 9012: TZS 1,500.00 sent to +255712000002. Fees 22.00. Balance 98,478.50.",
            "Kumb 1234 5678 9012: TZS 1,500.00 zimetumwa kwa +255712000002. Ada 22.00. Salio 98,478.50.",
            "单号1234 5678 9012：已转TZS 1500.00给+255712000002，费用22.00，余额98478.50",
        ] {
            let heard = ear.hear(text).expect(text);
            assert_eq!((heard.name, heard.again), ("sent", false));
            assert_eq!(heard.reference().as_deref(), Some("123456789012"));
            assert_eq!(heard.amount("amount"), Some(150_000));
            assert_eq!(heard.amount("balance"), Some(9_847_850));
            assert_eq!(heard.digits("payee").as_deref(), Some("255712000002"));
        }
    }

    #[test]
    fn a_repeat_says_what_it_repeats() {
        let ear = Ear::new();
        let text = "Same message again: it counts once only. Not done: transfer. Wrong PIN. Check it and send again. Too many \
                    wrong tries lock your PIN.";
        let heard = ear.hear(text).expect("a text");
        assert_eq!((heard.refusal(), heard.again), (Some(Refusal::WrongPin), true));
    }

    #[test]
    fn nonsense_is_not_heard() {
        assert_eq!(Ear::new().hear("Congratulations, you have won"), None);
    }
}
