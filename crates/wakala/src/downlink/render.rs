//! A text, whole: words of the catalogue with the values of one notice.

use std::borrow::Cow;

use fluent_bundle::{FluentArgs, FluentValue};
use transaction_processing::ids::{AgentCode, TransferId};
use transaction_processing::money::Money;
use transaction_processing::msisdn::Msisdn;
use transaction_processing::notice::Text;
use transaction_processing::number::Language;
use transaction_processing::time::Time;
use wire::sms::{DefaultAlphabet, Malformed, Reference, Why, part_count};
use zeroize::Zeroizing;

use super::catalogue::Catalogues;
use super::message::Message;
use super::style::{self, Style};

/// A text ready to be sent.
pub struct Outgoing {
    /// The words. Wiped when dropped, because they may hold a code.
    pub text: Zeroizing<String>,
    /// Short messages that it takes, with 16-bit concatenation: 1 or 2.
    pub parts: u8,
}

impl Outgoing {
    fn new(text: Zeroizing<String>) -> Outgoing {
        let parts = parts(&text);
        Outgoing { text, parts }
    }
}

/// Short messages that a text takes.
pub(super) fn parts(text: &str) -> u8 {
    let parts = part_count(text, DefaultAlphabet::Gsm7Unpacked, Reference::Wide(0));
    u8::try_from(parts).unwrap_or(u8::MAX)
}

impl Catalogues {
    /// The words of a notice. `code` is the code that the text tells, opened for this one rendering; without it a text that
    /// tells a code says where the code was told. `references` gives the twelve digits of a transfer.
    pub fn render(
        &self,
        text: &Text,
        code: Option<&str>,
        language: Language,
        style: &Style,
        references: &impl Fn(TransferId) -> String,
    ) -> Outgoing {
        let speaker = Speaker { catalogues: self, language, style, references };
        Outgoing::new(speaker.text(text, code))
    }

    /// The answer to a message that is no request: what is wrong with it, and the right form.
    pub fn malformed(&self, malformed: &Malformed, language: Language) -> Outgoing {
        let write = |message: Message| self.write(language, message.id(), &FluentArgs::new());
        let (fault, keyword) = match (malformed.why, malformed.keyword) {
            (Why::TooLong, _) => return self.too_long(language),
            (Why::Empty | Why::UnknownKeyword, _) | (Why::FieldCount { .. } | Why::Field(_), None) => {
                return self.unknown(language);
            }
            (Why::FieldCount { .. }, Some(keyword)) => (Message::FaultFields, keyword),
            (Why::Field(field), Some(keyword)) => (Message::of_fault(field), keyword),
        };
        let (fault, form) = (write(fault), write(Message::of_form(keyword)));
        let mut arguments = FluentArgs::new();
        arguments.set("fault", fault.as_str());
        arguments.set("form", form.as_str());
        Outgoing::new(self.write(language, Message::Malformed.id(), &arguments))
    }

    /// The answer to a request that is longer than one message.
    pub fn too_long(&self, language: Language) -> Outgoing {
        Outgoing::new(self.write(language, Message::TooLong.id(), &FluentArgs::new()))
    }

    /// The answer to a message that begins with no known keyword. The caller limits its rate.
    pub fn unknown(&self, language: Language) -> Outgoing {
        Outgoing::new(self.write(language, Message::Unknown.id(), &FluentArgs::new()))
    }
}

/// What is the same for every line of one text.
pub(super) struct Speaker<'a> {
    pub(super) catalogues: &'a Catalogues,
    pub(super) language: Language,
    pub(super) style: &'a Style,
    pub(super) references: &'a dyn Fn(TransferId) -> String,
}

impl<'a> Speaker<'a> {
    /// The beginning of a line: its message, no values yet.
    pub(super) fn say(&'a self, message: Message) -> Line<'a> {
        self.say_by_name(message.id())
    }

    pub(super) fn say_by_name(&'a self, id: &'static str) -> Line<'a> {
        Line { speaker: self, id, arguments: FluentArgs::new() }
    }

    /// A message without values, as a part of another.
    pub(super) fn word(&self, message: Message) -> String {
        self.catalogues.write(self.language, message.id(), &FluentArgs::new()).to_string()
    }

    fn moment(&self, time: Time) -> String {
        let moment = self.style.moment(time);
        let mut arguments = FluentArgs::new();
        arguments.set("day", moment.day.to_string());
        arguments.set("month", FluentValue::from(moment.month));
        arguments.set("clock", moment.clock);
        self.catalogues.write(self.language, Message::Moment.id(), &arguments).to_string()
    }
}

/// A message with the values that it shows.
pub(super) struct Line<'a> {
    speaker: &'a Speaker<'a>,
    id: &'static str,
    arguments: FluentArgs<'a>,
}

impl<'a> Line<'a> {
    /// A value as it is. Borrowed where it is secret: what is owned here is not wiped.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.arguments.set(name, FluentValue::String(value.into()));
        self
    }

    /// `$ref`, in groups of four digits to be read out; `$digits`, to be typed.
    pub(super) fn reference(self, transfer: TransferId) -> Self {
        let digits = (self.speaker.references)(transfer);
        let mut grouped = String::with_capacity(digits.len() * 2);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        self.with("ref", grouped).with("digits", digits)
    }

    /// An amount with its currency.
    pub(super) fn money(self, name: &'static str, amount: Money) -> Self {
        let text = style::money(amount, self.speaker.language);
        self.with(name, text)
    }

    /// An amount in the currency of another one in the same text: the currency's name is said once.
    pub(super) fn bare(self, name: &'static str, amount: Money) -> Self {
        let text = style::bare(amount, self.speaker.language);
        self.with(name, text)
    }

    /// Somebody's number.
    pub(super) fn number(self, name: &'static str, number: Msisdn) -> Self {
        let text = self.speaker.style.number(number);
        self.with(name, text)
    }

    /// `$agent`.
    pub(super) fn agent(self, agent: AgentCode) -> Self {
        self.with("agent", agent.0.to_string())
    }

    /// Day, month and clock time.
    pub(super) fn time(self, name: &'static str, time: Time) -> Self {
        let text = self.speaker.moment(time);
        self.with(name, text)
    }

    /// `$minutes`.
    pub(super) fn minutes(self, minutes: u32) -> Self {
        self.with("minutes", minutes.to_string())
    }

    /// `$care`, the number to call.
    pub(super) fn care(self) -> Self {
        let care = self.speaker.style.care();
        self.with("care", care)
    }

    /// The text.
    pub(super) fn finish(self) -> Zeroizing<String> {
        self.speaker.catalogues.write(self.speaker.language, self.id, &self.arguments)
    }
}
