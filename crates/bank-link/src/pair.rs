//! One operator and one bank: their names, and what each end holds of the keys between them. HPKE (RFC 9180) in mode auth_psk
//! makes everything else of these: the sender's static key and the preshared key prove the sender, the ephemeral key makes
//! each result new, and whoever learns the preshared key later opens nothing old.

use crate::{
    codec::measured,
    frame::Ignored,
    identity::{PartyName, SecretKey},
};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, PskBundle, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256, setup_receiver, setup_sender_with_rng,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// KEM 0020, KDF 0001, AEAD 0002 of the registries of RFC 9180 §7.
type Suite = X25519HkdfSha256;
type PublicKey = <Suite as Kem>::PublicKey;
type PrivateKey = <Suite as Kem>::PrivateKey;

/// Octets of an encapsulated key (RFC 9180 §7.1).
pub(crate) const ENCAPSULATED: usize = 32;

/// Who is linked. Both ends write both names alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// Who registers, opens and asks.
    pub operator: PartyName,
    /// Who decides and answers.
    pub bank: PartyName,
}

/// What HPKE is used for. Nothing made for one purpose opens for another.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Registration,
    Session,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Session => "session",
        }
    }

    /// The exporter context of the one key that is taken (RFC 9180 §5.3).
    fn exported(self) -> &'static [u8] {
        match self {
            Self::Registration => b"BK",
            Self::Session => b"RK",
        }
    }
}

/// The static X25519 key of one end: what the other end must be given, and the secret half.
pub struct StaticKey {
    private: PrivateKey,
    public: PublicKey,
}

impl StaticKey {
    /// Draws one.
    pub fn draw(mut rng: &mut dyn CryptoRng) -> Self {
        let (private, public) = Suite::gen_keypair_with_rng(&mut rng);
        Self { private, public }
    }

    /// The key whose secret half was exposed and kept sealed.
    pub fn from_secret(secret: &SecretKey) -> Self {
        let private = PrivateKey::from_bytes(secret.expose()).expect("32 octets are a key of X25519");
        Self { public: Suite::sk_to_pk(&private), private }
    }

    /// The secret half, for whoever seals it.
    pub fn secret(&self) -> SecretKey {
        let mut secret = SecretKey([0; 32]);
        self.private.write_exact(&mut secret.0);
        secret
    }

    /// What the other end is given, by people.
    pub fn public(&self) -> [u8; 32] {
        self.public.to_bytes().into()
    }
}

/// What one end holds of one version of the keys between operator and bank.
pub struct PairKeys {
    pair: Pair,
    own: StaticKey,
    peer: PublicKey,
    preshared: SecretKey,
    version: u32,
}

impl PairKeys {
    /// `preshared` is K0: 256 random bits of this pair, for nothing else, known by `version`. `None` when the peer's public
    /// key is one of the few with which every secret is known (RFC 7748 §6.1).
    pub fn new(pair: Pair, own: StaticKey, peer: [u8; 32], preshared: SecretKey, version: u32) -> Option<Self> {
        let as_encapsulated = <Suite as Kem>::EncappedKey::from_bytes(&peer).ok()?;
        Suite::decap(&own.private, None, &as_encapsulated).ok()?;
        let peer = PublicKey::from_bytes(&peer).ok()?;
        Some(Self { pair, own, peer, preshared, version })
    }

    /// Who is linked.
    pub fn pair(&self) -> Pair {
        self.pair
    }

    /// Which K0 this is.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// `psk_id`: which key this is, and of which version.
    fn preshared_id(&self) -> Vec<u8> {
        let mut id = Vec::new();
        measured(&mut id, b"wakala k0");
        self.pair.operator.write(&mut id);
        self.pair.bank.write(&mut id);
        id.extend_from_slice(&self.version.to_be_bytes());
        id
    }

    /// `info`: version of the protocol, purpose, sender and receiver. Only the operator sends in this way.
    fn info(&self, purpose: Purpose) -> Vec<u8> {
        let mut info = Vec::new();
        for field in [b"wakala link v1", purpose.name().as_bytes()] {
            measured(&mut info, field);
        }
        self.pair.operator.write(&mut info);
        self.pair.bank.write(&mut info);
        info
    }

    /// Seals to the bank: `encapsulated key 32 | ciphertext | tag 16`, and the key that both then have.
    pub(crate) fn seal(&self, purpose: Purpose, mut rng: &mut dyn CryptoRng, body: &[u8]) -> (Vec<u8>, SecretKey) {
        let id = self.preshared_id();
        let preshared = PskBundle::new(self.preshared.expose(), &id).expect("neither is empty");
        let mode = OpModeS::<Suite>::AuthPsk((self.own.private.clone(), self.own.public.clone()), preshared);
        let (encapsulated, mut context) =
            setup_sender_with_rng::<AesGcm256, HkdfSha256, Suite>(&mode, &self.peer, &self.info(purpose), &mut rng)
                .expect("the public key was tried when it was taken");
        let ciphertext = context.seal(body, &[]).expect("the first of many");
        let mut key = SecretKey([0; 32]);
        context.export(purpose.exported(), &mut key.0).expect("32 octets are one block");
        ([encapsulated.to_bytes().as_slice(), &ciphertext].concat(), key)
    }

    /// Opens what the operator sealed, at the bank.
    pub(crate) fn open(&self, purpose: Purpose, sealed: &[u8]) -> Result<(Zeroizing<Vec<u8>>, SecretKey), Ignored> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(ENCAPSULATED).ok_or(Ignored::NotAuthentic)?;
        let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| Ignored::NotAuthentic)?;
        let id = self.preshared_id();
        let preshared = PskBundle::new(self.preshared.expose(), &id).expect("neither is empty");
        let mode = OpModeR::<Suite>::AuthPsk(self.peer.clone(), preshared);
        let info = self.info(purpose);
        let mut context =
            setup_receiver::<AesGcm256, HkdfSha256, Suite>(&mode, &self.own.private, &encapsulated, &info)
                .map_err(|_| Ignored::NotAuthentic)?;
        let body = context.open(ciphertext, &[]).map(Zeroizing::new).map_err(|_| Ignored::NotAuthentic)?;
        let mut key = SecretKey([0; 32]);
        context.export(purpose.exported(), &mut key.0).expect("32 octets are one block");
        Ok((body, key))
    }
}
