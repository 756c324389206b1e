//! The keyword grammar: `TM*payee*amount*PIN` and the like.
//!
//! Fields are separated by `*`; the keyword may stand in either letter case; spaces around the message and around
//! each field are ignored. Fields are checked here for their shape alone: which numbers, amounts and names are
//! good is for the domain to say. Digits are those of ASCII; a digit of another script is refused, never guessed.

mod field;

pub use field::{Field, Language, TypedAmount};

use crate::Secret;
use field::{agent_code, amount, code, id_number, language, name, number, password, pin, receipt_code, reference};

/// The longest request in characters: one message.
pub const LONGEST: usize = 160;

macro_rules! keywords {
    ($($name:ident $form:literal, $doc:literal;)*) => {
        /// The first field of a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Keyword { $(#[doc = $doc] $name,)* }

        impl Keyword {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As people type it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The right form, for an answer to a malformed request.
            #[must_use]
            pub fn form(self) -> &'static str {
                match self { $(Self::$name => $form,)* }
            }
        }
    };
}

keywords! {
    TM "TM*payee*amount*PIN", "Transfer.";
    QT "QT*payee*password*agent code", "Query of a waiting transfer.";
    GM "GM*payee*amount*code*PIN", "Withdrawal with a verification code.";
    GW "GW*payee*amount*password*PIN", "Withdrawal with a withdrawal password.";
    DP "DP*password*PIN", "Deposit of a waiting transfer.";
    RS "RS*reference*PIN", "New withdrawal password.";
    RC "RC*reference*PIN", "Recall.";
    RA "RA*reference*PIN", "Consent to a recall.";
    RG "RG*PIN*name, then RG*code", "Registration.";
    CI "CI*customer*amount*PIN", "Cash-in.";
    CO "CO*agent code*amount*PIN", "Cash-out.";
    BL "BL*PIN", "Balance.";
    ST "ST*PIN", "Statement.";
    PN "PN*old PIN*new PIN", "Change of PIN.";
    LG "LG*language", "Language.";
    CK "CK*receipt code", "Whether a receipt is genuine.";
    HP "HP", "Help.";
}

impl Keyword {
    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|keyword| keyword.name().eq_ignore_ascii_case(word))
    }
}

/// A request of the right shape.
///
/// Numbers are digits with an optional leading `+`, their spaces and hyphens taken out. References and codes of
/// agents, receipts and documents are in capitals.
pub enum Command {
    /// `TM`: money to a number.
    Transfer {
        /// To whom.
        payee: String,
        /// How much.
        amount: TypedAmount,
        /// The sender's.
        pin: Secret,
    },
    /// `QT`: a payee asks for the code that binds a withdrawal to one agent.
    Query {
        /// The payee's own number.
        payee: String,
        /// The withdrawal password, 8 digits.
        password: Secret,
        /// Where to withdraw.
        agent_code: String,
    },
    /// `GM`: an agent pays out against a verification code.
    Withdrawal {
        /// To whom.
        payee: String,
        /// How much.
        amount: TypedAmount,
        /// The verification code, 6 digits.
        code: Secret,
        /// The agent's.
        pin: Secret,
        /// Of the payee's document.
        id_number: Option<String>,
    },
    /// `GW`: an agent pays out against a withdrawal password.
    PasswordWithdrawal {
        /// To whom.
        payee: String,
        /// How much.
        amount: TypedAmount,
        /// The withdrawal password, 8 digits.
        password: Secret,
        /// The agent's.
        pin: Secret,
        /// Of the payee's document.
        id_number: Option<String>,
    },
    /// `DP`: a payee puts a waiting transfer into the own wallet.
    Deposit {
        /// The withdrawal password, 8 digits.
        password: Secret,
        /// The payee's.
        pin: Secret,
    },
    /// `RS`: a new withdrawal password for the payee.
    Resend {
        /// Of the transfer.
        reference: String,
        /// The sender's.
        pin: Secret,
    },
    /// `RC`: the sender wants a transfer back.
    Recall {
        /// Of the transfer.
        reference: String,
        /// The sender's.
        pin: Secret,
    },
    /// `RA`: the payee agrees to give a transfer back.
    AgreeToRecall {
        /// Of the transfer.
        reference: String,
        /// The payee's.
        pin: Secret,
    },
    /// `RG*PIN*name`: somebody wants an account.
    Register {
        /// The PIN chosen.
        pin: Secret,
        /// 1 to 40 characters, at least one of them a letter.
        name: String,
    },
    /// `RG*code`: the number is theirs. `RG*code*PIN`: and so is the PIN that waits for it; no name is digits alone.
    ConfirmRegistration {
        /// 6 digits.
        code: Secret,
        /// The PIN chosen, again.
        pin: Option<Secret>,
    },
    /// `CI`: an agent takes cash in.
    CashIn {
        /// For whom.
        customer: String,
        /// How much.
        amount: TypedAmount,
        /// The agent's.
        pin: Secret,
    },
    /// `CO`: a customer takes cash out.
    CashOut {
        /// Where.
        agent_code: String,
        /// How much.
        amount: TypedAmount,
        /// The customer's.
        pin: Secret,
    },
    /// `BL`: how much is there?
    Balance {
        /// The asker's.
        pin: Secret,
    },
    /// `ST`: what happened last?
    Statement {
        /// The asker's.
        pin: Secret,
    },
    /// `PN`: another PIN.
    ChangePin {
        /// The PIN up to now.
        old: Secret,
        /// The PIN from now on.
        new: Secret,
    },
    /// `LG`: another language.
    SetLanguage {
        /// Which.
        language: Language,
    },
    /// `CK`: is this receipt genuine?
    CheckReceipt {
        /// As the receipt shows it.
        receipt_code: String,
    },
    /// `HP`: how does this work?
    Help,
}

/// A request and whether it was marked as a repetition on purpose.
pub struct Parsed {
    /// What is asked for.
    pub command: Command,
    /// The mark: `*2` to `*9` behind the last field.
    pub repeat: Option<u8>,
}

/// What is wrong with a message. It quotes nothing of it, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The keyword, if there is one: its [`Keyword::form`] helps.
    pub keyword: Option<Keyword>,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is nothing in it.
    Empty,
    /// It has more than [`LONGEST`] characters.
    TooLong,
    /// It does not begin with a keyword.
    UnknownKeyword,
    /// Too many fields, too few, or other separators than `*`.
    FieldCount {
        /// How many stand behind the keyword.
        found: usize,
    },
    /// This field is not what it must be.
    Field(Field),
}

/// Reads a request.
///
/// # Errors
/// When the message is none; see [`Malformed`].
pub fn parse(text: &str) -> Result<Parsed, Malformed> {
    let malformed = |keyword, why| Malformed { keyword, why };
    // Four octets a character at most: nobody makes us count through a long message.
    if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
        return Err(malformed(leading_keyword(text), Why::TooLong));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(malformed(None, Why::Empty));
    }
    let mut all = text.split('*').map(str::trim);
    let first = all.next().unwrap_or_default();
    let fields: Vec<&str> = all.collect();
    let Some(keyword) = Keyword::of(first) else {
        // `TM 0712000002 500 1234`: known, but not separated.
        let keyword = leading_keyword(first);
        let why = keyword.map_or(Why::UnknownKeyword, |_| Why::FieldCount { found: fields.len() });
        return Err(malformed(keyword, why));
    };
    command(keyword, &fields).map_err(|why| malformed(Some(keyword), why))
}

/// The keyword that the letters at the beginning make.
fn leading_keyword(text: &str) -> Option<Keyword> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    Keyword::of(&text[..end])
}

/// Splits off the mark of a repetition when one field more than `least` is there.
fn marked<'a>(fields: &'a [&'a str], least: usize) -> (&'a [&'a str], Option<u8>) {
    match fields {
        [form @ .., mark] if form.len() >= least => match mark.as_bytes() {
            [digit @ b'2'..=b'9'] => (form, Some(digit - b'0')),
            _ => (fields, None),
        },
        _ => (fields, None),
    }
}

fn command(keyword: Keyword, fields: &[&str]) -> Result<Parsed, Why> {
    let least = match keyword {
        Keyword::HP => 0,
        Keyword::BL | Keyword::ST | Keyword::LG | Keyword::CK | Keyword::RG => 1,
        Keyword::DP | Keyword::RS | Keyword::RC | Keyword::RA | Keyword::PN => 2,
        Keyword::TM | Keyword::QT | Keyword::CI | Keyword::CO => 3,
        Keyword::GM | Keyword::GW => 4,
    };
    let (form, repeat) = marked(fields, least);
    let command = match (keyword, form) {
        (Keyword::TM, &[payee, typed, secret]) => {
            Command::Transfer { payee: number(payee, Field::Payee)?, amount: amount(typed)?, pin: pin(secret)? }
        }
        (Keyword::QT, &[payee, secret, agent]) => Command::Query {
            payee: number(payee, Field::Payee)?,
            password: password(secret)?,
            agent_code: agent_code(agent)?,
        },
        (Keyword::GM, &[payee, typed, proof, secret, ref id @ ..]) if id.len() < 2 => Command::Withdrawal {
            payee: number(payee, Field::Payee)?,
            amount: amount(typed)?,
            code: code(proof)?,
            pin: pin(secret)?,
            id_number: id.first().map(|id| id_number(id)).transpose()?,
        },
        (Keyword::GW, &[payee, typed, proof, secret, ref id @ ..]) if id.len() < 2 => Command::PasswordWithdrawal {
            payee: number(payee, Field::Payee)?,
            amount: amount(typed)?,
            password: password(proof)?,
            pin: pin(secret)?,
            id_number: id.first().map(|id| id_number(id)).transpose()?,
        },
        (Keyword::DP, &[proof, secret]) => Command::Deposit { password: password(proof)?, pin: pin(secret)? },
        (Keyword::RS, &[of, secret]) => Command::Resend { reference: reference(of)?, pin: pin(secret)? },
        (Keyword::RC, &[of, secret]) => Command::Recall { reference: reference(of)?, pin: pin(secret)? },
        (Keyword::RA, &[of, secret]) => Command::AgreeToRecall { reference: reference(of)?, pin: pin(secret)? },
        (Keyword::RG, &[proof]) => Command::ConfirmRegistration { code: code(proof)?, pin: None },
        (Keyword::RG, &[proof, secret]) if field::is_figure(secret) => {
            Command::ConfirmRegistration { code: code(proof)?, pin: Some(pin(secret)?) }
        }
        (Keyword::RG, &[secret, called]) => Command::Register { pin: pin(secret)?, name: name(called)? },
        (Keyword::CI, &[customer, typed, secret]) => {
            Command::CashIn { customer: number(customer, Field::Customer)?, amount: amount(typed)?, pin: pin(secret)? }
        }
        (Keyword::CO, &[agent, typed, secret]) => {
            Command::CashOut { agent_code: agent_code(agent)?, amount: amount(typed)?, pin: pin(secret)? }
        }
        (Keyword::BL, &[secret]) => Command::Balance { pin: pin(secret)? },
        (Keyword::ST, &[secret]) => Command::Statement { pin: pin(secret)? },
        (Keyword::PN, &[old, new]) => {
            Command::ChangePin { old: field::pin_as(old, Field::OldPin)?, new: field::pin_as(new, Field::NewPin)? }
        }
        (Keyword::LG, &[tongue]) => Command::SetLanguage { language: language(tongue)? },
        (Keyword::CK, &[shown]) => Command::CheckReceipt { receipt_code: receipt_code(shown)? },
        (Keyword::HP, &[]) => Command::Help,
        _ => return Err(Why::FieldCount { found: fields.len() }),
    };
    Ok(Parsed { command, repeat })
}

#[cfg(test)]
mod tests;
