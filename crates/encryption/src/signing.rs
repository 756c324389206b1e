//! Signing: Ed25519 (RFC 8032) for statements that others must be able to check without trusting us, such as heads of the
//! chain and what stands in the trust account.
//!
//! Signed is `"wakala statement v1" | 00 | len 1 | purpose | statement`; lengths as in [`pin`](crate::pin). The purpose
//! says what kind of statement it is: a signature never fits a statement of another kind, nor anything signed elsewhere
//! with the same key.
//!
//! Whoever checks needs the [`VerifyingKey`] alone. Its id is in every signature, so that one who keeps the keys of several
//! versions knows which to take.

use crate::mac::{SecretOctets, length_prefixed};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use pem_rfc7468::LineEnding;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// What stands before the 32 octets of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §4).
const INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PEM_LABEL: &str = "PUBLIC KEY";

/// Names one [`VerifyingKey`]: the first 8 octets of SHA-256 over its SubjectPublicKeyInfo, shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// A signature and the id of the key that made it. As text `key:signature`, both hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Which key verifies it.
    pub key: KeyId,
    /// R and S of RFC 8032 §5.1.6.
    pub octets: [u8; 64],
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.key)?;
        hex(&self.octets, f)
    }
}

/// A text is no signature, or no public key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// Not `key:signature`.
    #[error("a signature is 16 hexadecimal digits, a colon, and 128 more")]
    Signature,
    /// Not the PEM of an Ed25519 key.
    #[error("a public key is the PEM of an Ed25519 key (RFC 8410)")]
    PublicKey,
}

impl FromStr for Signature {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let (key, octets) = text.split_once(':').ok_or(Unreadable::Signature)?;
        let key = KeyId(unhex(key).ok_or(Unreadable::Signature)?);
        Ok(Self { key, octets: unhex(octets).ok_or(Unreadable::Signature)? })
    }
}

/// What checks statements; public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// From the 32 octets of RFC 8032 §5.1.5.
    pub fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The 32 octets.
    pub fn octets(&self) -> &[u8; 32] {
        &self.0
    }

    /// By which signatures name it.
    pub fn id(&self) -> KeyId {
        let digest = Sha256::digest(self.info());
        KeyId(std::array::from_fn(|i| digest[i]))
    }

    /// As every tool reads it.
    pub fn to_pem(&self) -> String {
        pem_rfc7468::encode_string(PEM_LABEL, LineEnding::LF, &self.info()).expect("44 octets are not too long")
    }

    /// Reads what [`Self::to_pem`] wrote.
    ///
    /// # Errors
    /// [`Unreadable::PublicKey`].
    pub fn from_pem(pem: &str) -> Result<Self, Unreadable> {
        let (label, info) = pem_rfc7468::decode_vec(pem.as_bytes()).map_err(|_| Unreadable::PublicKey)?;
        let key = info.strip_prefix(&INFO).filter(|_| label == PEM_LABEL).ok_or(Unreadable::PublicKey)?;
        Ok(Self(key.try_into().map_err(|_| Unreadable::PublicKey)?))
    }

    /// Was exactly this statement signed, for this purpose, by the owner of this key?
    pub fn verifies(&self, purpose: &str, statement: &[u8], signature: &Signature) -> bool {
        signature.key == self.id()
            && UnparsedPublicKey::new(&ED25519, self.0)
                .verify(&signed_octets(purpose, statement), &signature.octets)
                .is_ok()
    }

    fn info(&self) -> Vec<u8> {
        [&INFO[..], &self.0].concat()
    }
}

/// Ed25519 under a key.
pub(crate) trait Signer: Send + Sync {
    /// What checks its signatures.
    fn verifying_key(&self) -> VerifyingKey;

    /// Signs the octets as they are.
    fn sign(&self, octets: &[u8]) -> [u8; 64];
}

/// Signs a statement.
pub(crate) fn sign(key: &impl Signer, purpose: &str, statement: &[u8]) -> Signature {
    Signature { key: key.verifying_key().id(), octets: key.sign(&signed_octets(purpose, statement)) }
}

/// A key for statements in memory.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// From the 32 octets that RFC 8032 calls the private key.
    pub(crate) fn new(seed: &SecretOctets) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("any 32 octets are an Ed25519 key"))
    }
}

impl Signer for SigningKey {
    fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 octets"))
    }

    fn sign(&self, octets: &[u8]) -> [u8; 64] {
        self.0.sign(octets).as_ref().try_into().expect("an Ed25519 signature has 64 octets")
    }
}

fn signed_octets(purpose: &str, statement: &[u8]) -> Vec<u8> {
    let mut signed = b"wakala statement v1\0".to_vec();
    length_prefixed(purpose.as_bytes(), |octets| signed.extend_from_slice(octets));
    signed.extend_from_slice(statement);
    signed
}

fn hex(octets: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}

/// Exactly `N` octets of lower-case or upper-case digits.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut octets = [0; N];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *octet = (digit(0)? * 16 + digit(1)?) as u8;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    /// RFC 8032 §7.1, tests 1 to 3, and SHA(abc): private key, public key, message, signature.
    const VECTORS: [[&str; 4]; 4] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ],
    ];

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// The primitive, without our own octets before the message.
    #[test]
    fn signatures_equal_those_of_rfc_8032() {
        for [seed, public, message, signature] in VECTORS {
            let key = SigningKey::new(&Zeroizing::new(unhex(seed).unwrap()));
            assert_eq!(key.verifying_key().octets().as_slice(), octets(public));
            assert_eq!(key.sign(&octets(message)).as_slice(), octets(signature));
        }
    }

    #[test]
    fn a_signature_fits_its_purpose_statement_and_key_only() {
        let [key, other] = [1, 2].map(|octet| SigningKey::new(&Zeroizing::new([octet; 32])));
        let signature = sign(&key, "chain head", b"17 abc");
        let public = key.verifying_key();
        assert!(public.verifies("chain head", b"17 abc", &signature));
        assert!(!public.verifies("chain hea", b"d17 abc", &signature));
        assert!(!public.verifies("trust account", b"17 abc", &signature));
        assert!(!public.verifies("chain head", b"18 abc", &signature));
        assert!(!other.verifying_key().verifies("chain head", b"17 abc", &signature));
        assert!(!public.verifies("chain head", b"17 abc", &Signature { key: KeyId([0; 8]), ..signature }));
        for bit in 0..512 {
            let mut changed = signature;
            changed.octets[bit / 8] ^= 1 << (bit % 8);
            assert!(!public.verifies("chain head", b"17 abc", &changed), "bit {bit}");
        }
    }

    #[test]
    fn keys_and_signatures_come_back_from_their_text() {
        let key = SigningKey::new(&Zeroizing::new([1; 32]));
        let (public, signature) = (key.verifying_key(), sign(&key, "chain head", b""));
        assert_eq!(VerifyingKey::from_pem(&public.to_pem()), Ok(public));
        assert_eq!(signature.to_string().parse(), Ok(signature));
        let text = signature.to_string();
        for wrong in ["", ":", &text[1..], &text[..text.len() - 1], &text.replace(':', "0"), &text.replace(':', ":+")] {
            assert_eq!(wrong.parse::<Signature>(), Err(Unreadable::Signature), "{wrong}");
        }
        let pem = public.to_pem();
        for wrong in ["", "not PEM", &pem.replace("PUBLIC", "PRIVATE"), &pem.replace("MCowBQ", "MCowBR"), &pem[..80]] {
            assert_eq!(VerifyingKey::from_pem(wrong), Err(Unreadable::PublicKey), "{wrong}");
        }
    }
}
