//! One-time codes: drawn uniformly, shown once to the person they are for, stored as keyed proofs only.

use crate::{Pin, mac::Tag};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What a code is for; a code of one purpose never proves another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// 8 digits that claim a waiting transfer.
    WithdrawalPassword,
    /// 6 digits that bind a claim to one agent.
    VerificationCode,
    /// 6 digits that complete a registration.
    RegistrationCode,
    /// 6 digits that stand for a PIN after a reset, to be changed at once.
    OneTimePin,
}

impl Purpose {
    /// How many digits such a code has.
    pub const fn length(self) -> usize {
        match self {
            Self::WithdrawalPassword => 8,
            Self::VerificationCode | Self::RegistrationCode | Self::OneTimePin => 6,
        }
    }

    /// Enters the proof: never to be changed.
    const fn label(self) -> &'static str {
        match self {
            Self::WithdrawalPassword => "withdrawal password",
            Self::VerificationCode => "verification code",
            Self::RegistrationCode => "registration code",
            Self::OneTimePin => "one-time PIN",
        }
    }
}

/// A one-time code. Secret: cannot be printed or compared, wiped on drop.
///
/// ```compile_fail
/// let code = encryption::Code::parse(encryption::Purpose::VerificationCode, "314159").unwrap();
/// println!("{code:?}");
/// ```
pub struct Code {
    purpose: Purpose,
    digits: Zeroizing<[u8; 8]>,
}

impl Code {
    /// Draws a code; every one of its length is equally likely.
    pub fn draw(purpose: Purpose, rng: &mut dyn CryptoRng) -> Self {
        let width = purpose.length();
        let count = 10_u32.pow(width as u32);
        // Values from the last, incomplete multiple on would make low codes likelier: draw again.
        let limit = u32::MAX - u32::MAX % count;
        let mut value = loop {
            let drawn = rng.next_u32();
            if drawn < limit {
                break drawn % count;
            }
        };
        let mut digits = Zeroizing::new([0; 8]);
        for digit in digits[..width].iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
        Self { purpose, digits }
    }

    /// Takes a code that somebody sent; `None` unless it is the right number of ASCII digits and nothing else.
    pub fn parse(purpose: Purpose, text: &str) -> Option<Self> {
        let sound = text.len() == purpose.length() && text.bytes().all(|octet| octet.is_ascii_digit());
        sound.then(|| {
            let mut digits = Zeroizing::new([0; 8]);
            digits[..text.len()].copy_from_slice(text.as_bytes());
            Self { purpose, digits }
        })
    }

    /// What the code is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The digits, for the one message that carries them.
    pub fn expose(&self) -> &str {
        let digits = &self.digits[..self.purpose.length()];
        std::str::from_utf8(digits).expect("digits are UTF-8")
    }

    /// A one-time PIN as the PIN it stands for; `None` for any other code.
    pub fn as_pin(&self) -> Option<Pin> {
        if self.purpose == Purpose::OneTimePin { Pin::parse(self.expose()) } else { None }
    }

    /// `HMAC-SHA256(key, "wakala code v1" | 00 | len | purpose | len | payee | len | code)`.
    pub(crate) fn proof(&self, key: &impl Tag, payee: &str) -> CodeProof {
        let fields = [self.purpose.label().as_bytes(), payee.as_bytes(), self.expose().as_bytes()];
        CodeProof(key.tag("wakala code v1", &fields))
    }
}

/// The keyed proof of a code, which alone is stored. Compared in constant time; not printable.
#[derive(Clone, Copy)]
pub struct CodeProof(pub [u8; 32]);

impl PartialEq for CodeProof {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CodeProof {}
