//! What stands inside of fields. Each layout is read strictly and refused with the number of its field; no bilateral value is a
//! constant here, but for the profile that lets a phone number be an account ([`PhoneAccount`]).

mod amounts;
mod checks;
mod original;
mod phone;
mod security;
mod service;
mod terminal;
mod usages;

pub use amounts::AdditionalAmount;
pub use checks::CustomerChecks;
pub use original::OriginalData;
pub use phone::PhoneAccount;
pub use security::{PinAlgorithm, PinBinding, SecurityControl};
pub use service::ServiceCondition;
pub use terminal::{OriginalTransaction, TerminalBatch};
pub use usages::{Usage, read_usages, write_usages};

use super::refusal::Refusal;

/// A field taken apart from its front; whatever does not fit is refused in the field's name.
struct Parts<'a> {
    field: u8,
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    const fn new(field: u8, value: &'a [u8]) -> Self {
        Self { field, rest: value }
    }

    const fn refusal(&self) -> Refusal {
        Refusal::layout(self.field)
    }

    fn octets(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        self.rest.split_off(..count).ok_or(Refusal::layout(self.field))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let refusal = self.refusal();
        self.octets(N)?.try_into().map_err(|_| refusal)
    }

    /// Digits as a number.
    fn number(&mut self, digits: usize) -> Result<u64, Refusal> {
        let octets = self.octets(digits)?;
        if !octets.iter().all(u8::is_ascii_digit) || digits > 18 {
            return Err(self.refusal());
        }
        Ok(octets.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    /// Printable characters as they are.
    fn characters<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let characters = self.array::<N>()?;
        if characters.iter().all(|octet| (b' '..=b'~').contains(octet)) { Ok(characters) } else { Err(self.refusal()) }
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn end(self) -> Result<(), Refusal> {
        if self.is_at_end() { Ok(()) } else { Err(self.refusal()) }
    }
}

/// A number in so many digits; refused where it has more.
fn digits(field: u8, number: u64, width: usize) -> Result<String, Refusal> {
    let text = format!("{number:0width$}");
    if text.len() == width { Ok(text) } else { Err(Refusal::layout(field)) }
}
