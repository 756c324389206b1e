//! Keys held in a PKCS#11 token, which computes with them and never gives them away.
//!
//! ```text
//! "wakala cards"      AES-256         CMAC: makes the keys of cards
//! "wakala lookup"     32 octets       HMAC: fingerprints, indexes, commitments; makes the key of references
//! "wakala pin 1"      32 octets       HMAC       of version 1, and so for each live version
//! "wakala code 1"     32 octets       HMAC
//! "wakala at rest 1"  AES-256         CMAC: makes the key of each record
//! "wakala signing 1"  Ed25519, with its public key under the same label
//! ```
//! A version lives while the private key of its signatures is there: made last, destroyed first, so that a crash in between
//! leaves no half of a version in use.
//!
//! What leaves the token are results: proofs and fingerprints, signatures, the key of one record or one card for as long as
//! the record or message is at hand, and the key of references, which lives in memory.

use crate::{
    keys::{KeyVersion, MAX_LIVE_VERSIONS},
    mac::{Cmac, Tag, labelled},
    ring::{Generation, Holder, Place, Ring, RotationError},
    signing::{self, Signer, VerifyingKey},
    token::{Token, TokenError, TokenPin},
};
use cryptoki::{
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};
use std::{path::Path, sync::Arc};
use zeroize::Zeroizing;

const CARDS: &str = "wakala cards";
const LOOKUP: &str = "wakala lookup";
const PIN: &str = "wakala pin";
const CODE: &str = "wakala code";
const AT_REST: &str = "wakala at rest";
const SIGNING: &str = "wakala signing";

/// Octets of every secret key.
const KEY_OCTETS: u64 = 32;
/// The curve by its name, a PrintableString: how PKCS#11 3.0 §2.3.5 writes CKA_EC_PARAMS and every token reads it.
const EDWARDS_25519: &[u8] = b"\x13\x0cedwards25519";

/// [`Keys`](crate::Keys) in a token.
pub struct TokenKeys {
    token: Arc<Token>,
    ring: Ring<InToken>,
}

/// Behind PKCS#11.
pub(crate) struct InToken;

impl Place for InToken {
    type Mac = MacInToken;
    type Cipher = CipherInToken;
    type Signer = SignerInToken;
}

/// A key in the token, by its handle.
struct Held {
    token: Arc<Token>,
    handle: ObjectHandle,
}

pub(crate) struct MacInToken(Held);
pub(crate) struct CipherInToken(Held);
pub(crate) struct SignerInToken {
    key: Held,
    public: VerifyingKey,
}

impl Tag for MacInToken {
    fn tag(&self, label: &str, fields: &[&[u8]]) -> [u8; 32] {
        // Reserved at once: a growing vector would leave copies of a PIN behind.
        let length = label.len() + 1 + fields.iter().map(|field| field.len() + 9).sum::<usize>();
        let mut message = Zeroizing::new(Vec::with_capacity(length));
        labelled(label, fields, |octets| message.extend_from_slice(octets));
        self.0.token.sign(&Mechanism::Sha256Hmac, self.0.handle, &message)
    }
}

impl Cmac for CipherInToken {
    fn cmac(&self, parts: &[&[u8]]) -> [u8; 16] {
        self.0.token.sign(&Mechanism::AesCMac, self.0.handle, &parts.concat())
    }
}

impl Signer for SignerInToken {
    fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    fn sign(&self, octets: &[u8]) -> [u8; 64] {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
        self.key.token.sign(&mechanism, self.key.handle, octets)
    }
}

impl Holder for TokenKeys {
    type Place = InToken;

    fn ring(&self) -> &Ring<InToken> {
        &self.ring
    }
}

impl TokenKeys {
    /// Makes keys, version 1, in a token that holds none of ours.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::KeysThere`] where there are keys of ours, or the rest of some.
    pub fn create(module: &Path, label: &str, pin: &TokenPin) -> Result<Self, TokenError> {
        let token = Token::open(module, label, pin)?;
        let session = token.writing()?;
        for label in [CARDS, LOOKUP].map(str::to_owned).into_iter().chain(labels(KeyVersion(1))) {
            if !session.find_objects(&[Attribute::Label(label.clone().into())])?.is_empty() {
                return Err(TokenError::KeysThere(label));
            }
        }
        make_secret(&session, CARDS, KeyType::AES)?;
        make_secret(&session, LOOKUP, KeyType::GENERIC_SECRET)?;
        make_version(&session, KeyVersion(1))?;
        Self::of(token)
    }

    /// Opens the keys in a token.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::NoKeys`] where [`Self::create`] made none.
    pub fn open(module: &Path, label: &str, pin: &TokenPin) -> Result<Self, TokenError> {
        Self::of(Token::open(module, label, pin)?)
    }

    fn of(token: Token) -> Result<Self, TokenError> {
        let token = Arc::new(token);
        let mut versions = token.with(live)?;
        versions.sort_unstable_by(|a, b| b.cmp(a));
        if versions.is_empty() {
            return Err(TokenError::NoKeys);
        }
        if versions.len() > MAX_LIVE_VERSIONS {
            return Err(RotationError::TooManyLive.into());
        }
        let held = |label: &str| held(&token, ObjectClass::SECRET_KEY, label);
        let generations = versions.into_iter().map(|version| generation(&token, version)).collect::<Result<_, _>>()?;
        let ring = Ring::new(CipherInToken(held(CARDS)?), MacInToken(held(LOOKUP)?), generations);
        Ok(Self { token, ring: ring.expect("the versions were sorted and counted") })
    }

    /// Makes a new newest version of the PIN, code, at-rest and signing keys; the others go on proving and opening.
    /// Returns it.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Rotation`] where too many live.
    pub fn rotate(&mut self) -> Result<KeyVersion, TokenError> {
        let version = self.ring.next_version()?;
        let session = self.token.writing()?;
        // What an interrupted rotation left never was in use.
        destroy(&session, version)?;
        make_version(&session, version)?;
        self.ring.add(generation(&self.token, version)?);
        Ok(version)
    }

    /// Destroys an older version in the token: PINs and codes still stored under it can no longer be proven, records sealed
    /// under it no longer opened. Renew them first. **Another process that has these keys open ends** when it next asks for
    /// this version.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Rotation`] where it is the newest, or nothing of it is there.
    pub fn retire(&mut self, version: KeyVersion) -> Result<(), TokenError> {
        let known = self.ring.remove(version);
        if let Err(RotationError::Newest(_)) = known {
            known?;
        }
        // One that lives no more may have left something, if this was interrupted.
        if destroy(&self.token.writing()?, version)? == 0 {
            known?;
        }
        Ok(())
    }
}

/// The labels of a version's keys, in the order in which they are destroyed.
fn labels(version: KeyVersion) -> [String; 4] {
    [SIGNING, PIN, CODE, AT_REST].map(|role| format!("{role} {version}"))
}

/// The live versions: those whose signing key is there.
fn live(session: &Session) -> Result<Vec<KeyVersion>, cryptoki::error::Error> {
    let mut versions = Vec::new();
    for key in session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])? {
        for attribute in session.get_attributes(key, &[AttributeType::Label])? {
            let Attribute::Label(label) = attribute else { continue };
            let label = String::from_utf8(label).unwrap_or_default();
            let number = label.strip_prefix(SIGNING).and_then(|rest| rest.strip_prefix(' '));
            versions.extend(number.and_then(|number| number.parse().ok()).map(KeyVersion));
        }
    }
    Ok(versions)
}

fn generation(token: &Arc<Token>, version: KeyVersion) -> Result<Generation<InToken>, TokenError> {
    let secret = |role: &str| held(token, ObjectClass::SECRET_KEY, &format!("{role} {version}"));
    let label = format!("{SIGNING} {version}");
    let key = held(token, ObjectClass::PRIVATE_KEY, &label)?;
    let signing = SignerInToken { key, public: public_key(token, &label)? };
    let (purpose, statement) = ("start", version.0.to_be_bytes());
    let signature = signing::sign(&signing, purpose, &statement);
    if !signing.public.verifies(purpose, &statement, &signature) {
        return Err(TokenError::Unfit(label));
    }
    Ok(Generation {
        version,
        pin: MacInToken(secret(PIN)?),
        code: MacInToken(secret(CODE)?),
        at_rest: CipherInToken(secret(AT_REST)?),
        signing,
    })
}

/// The one key of this class and label, which nobody can read out of the token.
fn held(token: &Arc<Token>, class: ObjectClass, label: &str) -> Result<Held, TokenError> {
    let handle = one(token, class, label)?;
    let asked = [AttributeType::Sensitive, AttributeType::Extractable];
    let attributes = token.with(|session| session.get_attributes(handle, &asked))?;
    let secret =
        attributes.contains(&Attribute::Sensitive(true)) && attributes.contains(&Attribute::Extractable(false));
    if !secret {
        return Err(TokenError::Extractable(label.to_owned()));
    }
    Ok(Held { token: Arc::clone(token), handle })
}

fn one(token: &Token, class: ObjectClass, label: &str) -> Result<ObjectHandle, TokenError> {
    let found =
        token.with(|session| session.find_objects(&[Attribute::Class(class), Attribute::Label(label.into())]))?;
    match found[..] {
        [handle] => Ok(handle),
        [] => Err(TokenError::Missing(label.to_owned())),
        _ => Err(TokenError::Several(label.to_owned())),
    }
}

fn public_key(token: &Token, label: &str) -> Result<VerifyingKey, TokenError> {
    let handle = one(token, ObjectClass::PUBLIC_KEY, label)?;
    let attributes = token.with(|session| session.get_attributes(handle, &[AttributeType::EcPoint]))?;
    let [Attribute::EcPoint(point)] = &attributes[..] else { return Err(TokenError::Unfit(label.to_owned())) };
    // An OCTET STRING; some tokens leave its tag and length away.
    let octets = point.strip_prefix(b"\x04\x20").unwrap_or(point);
    octets.try_into().map(VerifyingKey::new).map_err(|_| TokenError::Unfit(label.to_owned()))
}

fn make_version(session: &Session, version: KeyVersion) -> Result<(), TokenError> {
    let [signing, pin, code, at_rest] = labels(version);
    make_secret(session, &pin, KeyType::GENERIC_SECRET)?;
    make_secret(session, &code, KeyType::GENERIC_SECRET)?;
    make_secret(session, &at_rest, KeyType::AES)?;
    let public = [
        Attribute::Label(signing.clone().into()),
        Attribute::KeyType(KeyType::EC_EDWARDS),
        Attribute::EcParams(EDWARDS_25519.to_vec()),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
    ];
    let private = [&secret_template(&signing)[..], &[Attribute::KeyType(KeyType::EC_EDWARDS)]].concat();
    session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)?;
    Ok(())
}

fn make_secret(session: &Session, label: &str, kind: KeyType) -> Result<(), TokenError> {
    let mechanism = if kind == KeyType::AES { Mechanism::AesKeyGen } else { Mechanism::GenericSecretKeyGen };
    let more = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(kind),
        Attribute::ValueLen(KEY_OCTETS.into()),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
        Attribute::Wrap(false),
    ];
    session.generate_key(&mechanism, &[&secret_template(label)[..], &more].concat())?;
    Ok(())
}

/// Stays in the token, and signs: nothing else.
fn secret_template(label: &str) -> [Attribute; 9] {
    [
        Attribute::Label(label.into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]
}

/// Destroys whatever bears a label of this version; how many there were.
fn destroy(session: &Session, version: KeyVersion) -> Result<usize, TokenError> {
    let mut destroyed = 0;
    for label in labels(version) {
        // The private key before its public one: it is what makes the version live.
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY, ObjectClass::SECRET_KEY] {
            for object in session.find_objects(&[Attribute::Class(class), Attribute::Label(label.clone().into())])? {
                session.destroy_object(object)?;
                destroyed += 1;
            }
        }
    }
    Ok(destroyed)
}
