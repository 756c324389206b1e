//! Keys in a token: SoftHSM, which is not ours. Each test runs in a process of its own with a token of its own: a module is
//! initialised once in a process, finds its token by the environment, and SoftHSM's locks are not to be relied on.

mod softhsm;

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};
use encryption::{
    Code, Counter, FileKeys, KeyVersion, Keys, MAX_LIVE_VERSIONS, MOST_SESSIONS, OpenError, Pin, Purpose, References,
    RotationError, TokenError, TokenKeys, TokenPin, secured_packet,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng},
};
use softhsm::{LABEL, MODULE, PIN, SoftHsm, VARIABLE};
use std::{fs, os::unix::fs::PermissionsExt, panic, path::Path, process::Command, thread};

const NUMBER: &str = "+255712000001";
const ICCID: &str = "8925501234567890123";

/// Starts this test again as a process that knows where its token is; in that process, runs its body.
fn with_a_token(test: &str, body: impl FnOnce(&SoftHsm)) {
    if let Some(hsm) = SoftHsm::of_environment() {
        return body(&hsm);
    }
    let hsm = SoftHsm::create(test);
    let program = std::env::current_exe().unwrap();
    let ran = Command::new(program).args(["--exact", test, "--nocapture"]).env(VARIABLE, hsm.configuration()).output();
    hsm.remove();
    let ran = ran.unwrap();
    let [told, errors] = [ran.stdout, ran.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    assert!(ran.status.success() && told.contains("1 passed"), "{told}\n{errors}");
}

fn pin(hsm: &SoftHsm) -> TokenPin {
    TokenPin::read(&hsm.pin_file()).ok().unwrap()
}

fn create(hsm: &SoftHsm) -> Result<TokenKeys, TokenError> {
    TokenKeys::create(Path::new(MODULE), LABEL, &pin(hsm))
}

fn open(hsm: &SoftHsm) -> Result<TokenKeys, TokenError> {
    TokenKeys::open(Path::new(MODULE), LABEL, &pin(hsm))
}

/// Another hand at the token than the keys' own; to be taken after those have initialised the module.
struct Hand(Session);

impl Hand {
    fn new() -> Self {
        let module = Pkcs11::new(MODULE).unwrap();
        let again = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        assert!(again.is_err(), "the keys have initialised it");
        let mut slots = module.get_slots_with_initialized_token().unwrap().into_iter();
        let slot = slots.find(|slot| module.get_token_info(*slot).unwrap().label() == LABEL).unwrap();
        let session = module.open_rw_session(slot).unwrap();
        // Logging in is the process's: the keys may have done so.
        let _ = session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned())));
        Self(session)
    }

    fn labelled(&self, label: &str) -> Vec<ObjectHandle> {
        self.0.find_objects(&[Attribute::Label(label.into())]).unwrap()
    }

    fn destroy(&self, label: &str, class: ObjectClass) {
        let [key] = self.0.find_objects(&[Attribute::Label(label.into()), Attribute::Class(class)]).unwrap()[..] else {
            panic!("one {label}")
        };
        self.0.destroy_object(key).unwrap();
    }

    /// Brings a key into the token, as no service ever would.
    fn import(&self, label: &str, class: ObjectClass, kind: KeyType, octets: &[u8], more: &[Attribute]) {
        let template = [
            Attribute::Class(class),
            Attribute::KeyType(kind),
            Attribute::Label(label.into()),
            Attribute::Value(octets.to_vec()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        self.0.create_object(&[&template, more].concat()).unwrap();
    }

    fn import_secret(&self, label: &str, kind: KeyType, octets: &[u8]) {
        self.import(label, ObjectClass::SECRET_KEY, kind, octets, &[]);
    }

    /// Both keys of a pair; the public one is told by the same keys from a file.
    fn import_pair(&self, label: &str, seed: &[u8], public: &[u8; 32]) {
        let curve = Attribute::EcParams(b"\x13\x0cedwards25519".to_vec());
        self.import(label, ObjectClass::PRIVATE_KEY, KeyType::EC_EDWARDS, seed, std::slice::from_ref(&curve));
        let point = [b"\x04\x20", public.as_slice()].concat();
        let template = [
            Attribute::Class(ObjectClass::PUBLIC_KEY),
            Attribute::KeyType(KeyType::EC_EDWARDS),
            Attribute::Label(label.into()),
            Attribute::Token(true),
            Attribute::Verify(true),
            curve,
            Attribute::EcPoint(point),
        ];
        self.0.create_object(&template).unwrap();
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// What any keys must do, wherever they lie.
fn conform(keys: &dyn Keys) {
    let (pin, other_pin) = (Pin::parse("2718").unwrap(), Pin::parse("2719").unwrap());
    let newest = keys.live_versions()[0];
    let proof = keys.pin_proofs(NUMBER, &pin).newest();
    assert!(proof.0 == newest && keys.pin_proof(newest, NUMBER, &pin) == Some(proof.1));
    assert!(keys.pin_proofs(NUMBER, &other_pin).newest().1 != proof.1);
    assert!(keys.pin_proofs("+255712000002", &pin).newest().1 != proof.1);
    assert!(keys.pin_proof(KeyVersion(99), NUMBER, &pin).is_none());
    let code = |digits: &str| Code::parse(Purpose::WithdrawalPassword, digits).unwrap();
    let code_proof = keys.code_proofs(NUMBER, &code("27182818")).newest();
    assert!(keys.code_proof(newest, NUMBER, &code("27182818")) == Some(code_proof.1));
    assert!(keys.code_proofs(NUMBER, &code("27182819")).newest().1 != code_proof.1);

    let sealed = keys.seal_at_rest(&mut rng(1), "name", b"1", b"Asha");
    assert_eq!(&**keys.open_at_rest("name", b"1", &sealed).ok().unwrap(), b"Asha");
    assert_eq!(keys.open_at_rest("code", b"1", &sealed).err(), Some(OpenError::Damaged));
    assert_eq!(keys.open_at_rest("name", b"2", &sealed).err(), Some(OpenError::Damaged));
    let unknown = [&99_u32.to_be_bytes(), &sealed[4..]].concat();
    assert_eq!(keys.open_at_rest("name", b"1", &unknown).err(), Some(OpenError::UnknownKeyVersion(KeyVersion(99))));

    let signature = keys.sign("chain head", b"17");
    let public = keys.verifying_keys();
    assert_eq!(public.iter().map(|(version, _)| *version).collect::<Vec<_>>(), keys.live_versions());
    assert!(public[0].1.verifies("chain head", b"17", &signature));
    assert!(!public[0].1.verifies("chain head", b"18", &signature));

    assert_ne!(keys.blind_index("name", b"Asha"), keys.commitment("name", b"Asha"));
    assert_ne!(keys.blind_index("name", b"Asha"), keys.blind_index("code", b"Asha"));
    let text = "x".repeat(300);
    assert_ne!(keys.plain_fingerprint(NUMBER, "15050", &text), keys.plain_fingerprint(NUMBER, "15050", &text[1..]));

    let (card, counter) = (keys.personalise_card(ICCID).card_keys(), Counter::new(7).unwrap());
    for (sender, receiver) in [(card.uplink, keys.uplink_keys(ICCID)), (keys.downlink_keys(ICCID), card.downlink)] {
        let packet = secured_packet::seal(&sender, counter, b"BL").unwrap();
        assert_eq!(*secured_packet::open(&receiver, &packet).ok().unwrap().plaintext, b"BL");
        assert!(secured_packet::open(&keys.uplink_keys("8925501234567890131"), &packet).is_err());
    }

    let reference = keys.reference(42).unwrap();
    assert_eq!(keys.reference_id(reference.as_str()), Some(42));
    assert!(keys.reference(References::CAPACITY).is_err());
}

/// Every answer that does not depend on chance; and with the same chance, the others.
fn answers(keys: &dyn Keys) -> Vec<Vec<u8>> {
    let pin = Pin::parse("2718").unwrap();
    let code = Code::parse(Purpose::RegistrationCode, "271828").unwrap();
    let mut answers: Vec<Vec<u8>> = vec![
        keys.seal_at_rest(&mut rng(3), "name", b"1", b"Asha"),
        keys.sign("chain head", b"17").to_string().into(),
        keys.blind_index("identity", b"A 1234").into(),
        keys.commitment("name", b"Asha").into(),
        keys.plain_fingerprint(NUMBER, "15050", "BL*2718").0.into(),
        keys.sealed_fingerprint(ICCID, Counter::new(7).unwrap(), b"12345678").0.into(),
        keys.personalise_card(ICCID).expose().to_vec(),
        secured_packet::seal(&keys.uplink_keys(ICCID), Counter::new(7).unwrap(), b"BL").unwrap(),
        secured_packet::seal(&keys.downlink_keys(ICCID), Counter::new(7).unwrap(), b"OK").unwrap(),
        keys.reference(42).unwrap().as_str().into(),
    ];
    for (version, public) in keys.verifying_keys() {
        answers.push(keys.pin_proof(version, NUMBER, &pin).unwrap().0.into());
        answers.push(keys.code_proof(version, NUMBER, &code).unwrap().0.into());
        answers.push(public.to_pem().into());
    }
    answers.extend(keys.pin_proofs(NUMBER, &pin).iter().map(|(_, proof)| proof.0.to_vec()));
    answers.extend(keys.code_proofs(NUMBER, &code).iter().map(|(_, proof)| proof.0.to_vec()));
    answers
}

/// In the order in which the file keys draw them, which is that of the key file.
fn import(hand: &Hand, seed: u64, file: &FileKeys) {
    let mut drawn = rng(seed);
    let mut key = || {
        let mut octets = [0; 32];
        drawn.fill_bytes(&mut octets);
        octets
    };
    hand.import_secret("wakala cards", KeyType::AES, &key());
    hand.import_secret("wakala lookup", KeyType::GENERIC_SECRET, &key());
    for (version, public) in file.verifying_keys().into_iter().rev() {
        hand.import_secret(&format!("wakala pin {version}"), KeyType::GENERIC_SECRET, &key());
        hand.import_secret(&format!("wakala code {version}"), KeyType::GENERIC_SECRET, &key());
        hand.import_secret(&format!("wakala at rest {version}"), KeyType::AES, &key());
        hand.import_pair(&format!("wakala signing {version}"), &key(), public.octets());
    }
}

#[test]
fn the_same_keys_in_a_token_and_in_a_file_give_the_same_answers() {
    with_a_token("the_same_keys_in_a_token_and_in_a_file_give_the_same_answers", |hsm| {
        assert!(matches!(open(hsm).err(), Some(TokenError::NoKeys)));
        let mut drawing = rng(9);
        let mut file = FileKeys::create(&mut drawing);
        file.rotate(&mut drawing).unwrap();
        file.rotate(&mut drawing).unwrap();
        import(&Hand::new(), 9, &file);

        let token = open(hsm).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(token.live_versions(), [3, 2, 1].map(KeyVersion));
        conform(&file);
        conform(&token);
        assert_eq!(answers(&token), answers(&file));
        let sealed = file.seal_at_rest(&mut rng(4), "name", b"1", b"Asha");
        assert_eq!(&**token.open_at_rest("name", b"1", &sealed).ok().unwrap(), b"Asha");
        assert_ne!(answers(&FileKeys::create(&mut rng(10))), answers(&token), "other keys, other answers");
    });
}

#[test]
fn keys_made_in_a_token_never_leave_it() {
    with_a_token("keys_made_in_a_token_never_leave_it", |hsm| {
        let mut keys = create(hsm).unwrap_or_else(|error| panic!("{error}"));
        keys.rotate().unwrap_or_else(|error| panic!("{error}"));
        conform(&keys);
        let hand = Hand::new();
        let wrapping = [Attribute::Token(false), Attribute::ValueLen(32.into()), Attribute::Wrap(true)];
        let wrapping = hand.0.generate_key(&Mechanism::AesKeyGen, &wrapping).unwrap();
        let mut seen = 0;
        for class in [ObjectClass::SECRET_KEY, ObjectClass::PRIVATE_KEY] {
            let ours = hand.0.find_objects(&[Attribute::Class(class), Attribute::Token(true)]).unwrap();
            seen += ours.len();
            for key in ours {
                let asked = [
                    AttributeType::Private,
                    AttributeType::Sensitive,
                    AttributeType::AlwaysSensitive,
                    AttributeType::NeverExtractable,
                    AttributeType::Local,
                    AttributeType::Sign,
                ];
                let found = hand.0.get_attributes(key, &asked).unwrap();
                let expected = [
                    Attribute::Private(true),
                    Attribute::Sensitive(true),
                    Attribute::AlwaysSensitive(true),
                    Attribute::NeverExtractable(true),
                    Attribute::Local(true),
                    Attribute::Sign(true),
                ];
                assert_eq!(found, expected);
                let more = [
                    AttributeType::Extractable,
                    AttributeType::Encrypt,
                    AttributeType::Decrypt,
                    AttributeType::Wrap,
                    AttributeType::Unwrap,
                    AttributeType::Derive,
                ];
                for attribute in hand.0.get_attributes(key, &more).unwrap() {
                    let forbidden = matches!(
                        attribute,
                        Attribute::Extractable(false)
                            | Attribute::Encrypt(false)
                            | Attribute::Decrypt(false)
                            | Attribute::Wrap(false)
                            | Attribute::Unwrap(false)
                            | Attribute::Derive(false)
                    );
                    assert!(forbidden, "{attribute:?}");
                }
                assert_eq!(hand.0.get_attributes(key, &[AttributeType::Value]).unwrap(), []);
                assert!(hand.0.wrap_key(&Mechanism::AesKeyWrapPad, wrapping, key).is_err());
            }
        }
        assert_eq!(seen, 2 + 2 * 4);
    });
}

#[test]
fn versions_in_a_token_are_bounded_and_the_newest_stays() {
    with_a_token("versions_in_a_token_are_bounded_and_the_newest_stays", |hsm| {
        let mut keys = create(hsm).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(create(hsm).err(), Some(TokenError::KeysThere(label)) if label == "wakala cards"));
        let first = keys.pin_proofs(NUMBER, &Pin::parse("2718").unwrap()).newest();
        let sealed = keys.seal_at_rest(&mut rng(1), "name", b"1", b"Asha");
        for version in 2..=MAX_LIVE_VERSIONS as u32 {
            assert_eq!(keys.rotate().ok(), Some(KeyVersion(version)));
        }
        let refused = |result: Result<_, TokenError>| match result {
            Err(TokenError::Rotation(error)) => error,
            _ => panic!("a refusal"),
        };
        assert_eq!(refused(keys.rotate().map(drop)), RotationError::TooManyLive);
        assert_eq!(refused(keys.retire(KeyVersion(4))), RotationError::Newest(KeyVersion(4)));
        assert_eq!(refused(keys.retire(KeyVersion(9))), RotationError::NotLive(KeyVersion(9)));

        let mut again = open(hsm).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.live_versions(), [4, 3, 2, 1].map(KeyVersion));
        assert!(again.pin_proof(KeyVersion(1), NUMBER, &Pin::parse("2718").unwrap()) == Some(first.1));
        assert!(again.open_at_rest("name", b"1", &sealed).is_ok());
        again.retire(KeyVersion(1)).unwrap_or_else(|error| panic!("{error}"));
        for keys in [&again, &open(hsm).unwrap_or_else(|error| panic!("{error}"))] {
            assert_eq!(keys.live_versions(), [4, 3, 2].map(KeyVersion));
            let gone = OpenError::UnknownKeyVersion(KeyVersion(1));
            assert_eq!(keys.open_at_rest("name", b"1", &sealed).err(), Some(gone));
            conform(keys);
        }
        let hand = Hand::new();
        assert!(hand.labelled("wakala pin 1").is_empty() && hand.labelled("wakala signing 1").is_empty());
        assert_eq!(again.rotate().ok(), Some(KeyVersion(5)), "a version never comes again");
    });
}

#[test]
fn half_a_version_is_never_in_use_and_goes_with_the_next_attempt() {
    with_a_token("half_a_version_is_never_in_use_and_goes_with_the_next_attempt", |hsm| {
        let mut keys = create(hsm).unwrap_or_else(|error| panic!("{error}"));
        let hand = Hand::new();
        // A rotation that was interrupted before its signing key, and what it had made by then.
        hand.import_secret("wakala pin 2", KeyType::GENERIC_SECRET, &[7; 32]);
        assert_eq!(open(hsm).map(|keys| keys.live_versions()).ok(), Some(vec![KeyVersion(1)]));
        assert_eq!(keys.rotate().ok(), Some(KeyVersion(2)));
        assert_eq!(hand.labelled("wakala pin 2").len(), 1, "made anew");
        conform(&keys);
        // A retirement that was interrupted after the signing key.
        hand.destroy("wakala signing 1", ObjectClass::PRIVATE_KEY);
        let mut keys = open(hsm).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(keys.live_versions(), [KeyVersion(2)]);
        keys.retire(KeyVersion(1)).unwrap_or_else(|error| panic!("{error}"));
        assert!(hand.labelled("wakala pin 1").is_empty() && hand.labelled("wakala signing 1").is_empty());
    });
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    with_a_token("what_is_wrong_with_a_token_is_said", |hsm| {
        let put = |text: &str, mode| {
            let path = hsm.pin_file().with_file_name("other");
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            TokenPin::read(&path)
        };
        assert!(matches!(put("1234", 0o644).err(), Some(TokenError::PinFile(_))));
        assert!(matches!(put("\n", 0o600).err(), Some(TokenError::PinForm)));
        assert!(matches!(put(&"9".repeat(5000), 0o600).err(), Some(TokenError::PinFile(_))));
        let missing = Path::new("/nowhere/module.so");
        let no_module = TokenKeys::open(missing, LABEL, &pin(hsm)).err().unwrap();
        assert!(matches!(no_module, TokenError::Module { .. }) && !no_module.may_pass());
        let wrong = put("11112222", 0o600).ok().unwrap();
        let refused = TokenKeys::open(Path::new(MODULE), LABEL, &wrong).err().unwrap();
        assert!(matches!(refused, TokenError::Login(_)) && !refused.may_pass());
        assert!(matches!(TokenKeys::open(missing, LABEL, &wrong).err(), Some(TokenError::AnotherModule(_))));
        let named = |label| TokenKeys::open(Path::new(MODULE), label, &pin(hsm)).err();
        assert!(matches!(named("nobody's"), Some(TokenError::NoSuchToken(_))));
        assert!(matches!(open(hsm).err(), Some(TokenError::NoKeys)));

        drop(create(hsm).unwrap_or_else(|error| panic!("{error}")));
        let hand = Hand::new();
        let said = || open(hsm).err().map(|error| error.to_string()).unwrap_or_default();
        hand.import_secret("wakala code 1", KeyType::GENERIC_SECRET, &[1; 32]);
        assert_eq!(said(), "several keys of the token are labelled \"wakala code 1\"");
        hand.labelled("wakala code 1").into_iter().for_each(|key| hand.0.destroy_object(key).unwrap());
        assert_eq!(said(), "\"wakala code 1\" is not in the token, though it should be");
        let open_key = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Label("wakala code 1".into()),
            Attribute::Value(vec![1; 32]),
            Attribute::Token(true),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            Attribute::Sign(true),
        ];
        hand.0.create_object(&open_key).unwrap();
        assert!(said().starts_with("\"wakala code 1\" could be read out of the token"), "{}", said());
        hand.destroy("wakala signing 1", ObjectClass::PUBLIC_KEY);
        assert_eq!(said(), "\"wakala signing 1\" is not in the token, though it should be");
        let other = FileKeys::create(&mut rng(1)).verifying_keys()[0].1;
        hand.destroy("wakala signing 1", ObjectClass::PRIVATE_KEY);
        hand.import_pair("wakala signing 1", &[5; 32], other.octets());
        assert_eq!(said(), "\"wakala signing 1\" and its public key do not go together");
    });
}

/// What is not answered is not acknowledged: a wrong answer would be.
#[test]
fn a_token_that_does_not_answer_ends_the_work() {
    with_a_token("a_token_that_does_not_answer_ends_the_work", |hsm| {
        let keys = create(hsm).unwrap_or_else(|error| panic!("{error}"));
        let pin = Pin::parse("2718").unwrap();
        Hand::new().destroy("wakala pin 1", ObjectClass::SECRET_KEY);
        let proven = panic::catch_unwind(panic::AssertUnwindSafe(|| keys.pin_proofs(NUMBER, &pin).newest().0));
        let said = *proven.expect_err("no proof without the key").downcast::<String>().unwrap();
        assert!(said.starts_with("the token with the keys does not answer: "), "{said}");
        assert_eq!(keys.code_proofs(NUMBER, &Code::draw(Purpose::OneTimePin, &mut rng(1))).iter().count(), 1);
    });
}

#[test]
fn more_threads_than_sessions_get_their_own_answers() {
    with_a_token("more_threads_than_sessions_get_their_own_answers", |hsm| {
        let keys = create(hsm).unwrap_or_else(|error| panic!("{error}"));
        let number = |i: u64| format!("+2557120{i:05}");
        let proof = |i| keys.plain_fingerprint(&number(i), "15050", "BL*2718");
        let alone: Vec<_> = (0..100).map(proof).collect();
        thread::scope(|scope| {
            for _ in 0..4 * MOST_SESSIONS {
                scope.spawn(|| {
                    (0..100).for_each(|i| assert_eq!(proof(i), alone[i as usize]));
                    conform(&keys);
                });
            }
        });
    });
}
