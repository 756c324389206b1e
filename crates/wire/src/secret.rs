//! Text that must not be seen.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Text that must not be seen: a PIN, a password, a code, or a message that may contain one.
///
/// It is wiped when dropped and cannot be printed. What [`Secret::expose`] lends is the caller's to guard.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over. Copies that the caller made before are not wiped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both hold the same text, in a time that depends on the lengths alone.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}
