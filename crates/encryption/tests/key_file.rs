//! Keys: their life in a file, and their versions.

use encryption::{
    Code, FileKeys, KeyFileError, KeyVersion, Keys, OpenError, Passphrase, Pin, Purpose, RotationError, password,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A directory of one test's own, removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("encryption-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn passphrase() -> Passphrase {
    Passphrase::new(b"correct horse battery staple").unwrap()
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const NUMBER: &str = "+255712000001";

#[test]
fn keys_come_back_from_their_file_with_every_version() {
    let directory = Directory::new("life");
    let path = directory.file("keys");
    let mut keys = FileKeys::create(&mut rng());
    let (pin, code) = (Pin::parse("2718").unwrap(), Code::parse(Purpose::WithdrawalPassword, "27182818").unwrap());
    let first_proof = keys.pin_proofs(NUMBER, &pin).newest().1;
    let sealed = keys.seal_at_rest(&mut rng(), "name", b"1", b"Asha");
    let reference = keys.reference(42).unwrap();
    let (first_public, signature) = (keys.verifying_keys()[0], keys.sign("chain head", b"17"));
    keys.save(&path, &passphrase(), &mut rng()).unwrap();

    keys.rotate(&mut rng()).unwrap();
    keys.save(&path, &passphrase(), &mut rng()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1, "no file is left beside it");

    let loaded = FileKeys::load(&path, &passphrase()).ok().unwrap();
    assert_eq!(loaded.live_versions(), [KeyVersion(2), KeyVersion(1)]);
    let proofs = loaded.pin_proofs(NUMBER, &pin);
    assert_eq!(proofs.iter().count(), 2);
    assert!(proofs.get(KeyVersion(1)).unwrap() == first_proof && proofs.newest().1 != first_proof);
    assert!(loaded.pin_proof(KeyVersion(1), NUMBER, &pin).unwrap() == first_proof);
    assert!(loaded.code_proof(KeyVersion(2), NUMBER, &code) == keys.code_proof(KeyVersion(2), NUMBER, &code));
    assert_eq!(&**loaded.open_at_rest("name", b"1", &sealed).ok().unwrap(), b"Asha");
    assert_eq!(loaded.reference_id(reference.as_str()), Some(42));
    let public = loaded.verifying_keys();
    assert_eq!((public.len(), public[1]), (2, first_public));
    assert!(first_public.1.verifies("chain head", b"17", &signature));
    assert!(public[0].1.verifies("chain head", b"17", &loaded.sign("chain head", b"17")));
    let iccid = "8925501234567890123";
    assert!(loaded.personalise_card(iccid).expose() == keys.personalise_card(iccid).expose());
}

#[test]
fn versions_are_bounded_and_the_newest_stays() {
    let mut keys = FileKeys::create(&mut rng());
    let sealed = keys.seal_at_rest(&mut rng(), "name", b"1", b"Asha");
    for version in 2..=4 {
        assert_eq!(keys.rotate(&mut rng()), Ok(KeyVersion(version)));
    }
    assert_eq!(keys.rotate(&mut rng()), Err(RotationError::TooManyLive));
    assert_eq!(keys.retire(KeyVersion(4)), Err(RotationError::Newest(KeyVersion(4))));
    assert_eq!(keys.retire(KeyVersion(9)), Err(RotationError::NotLive(KeyVersion(9))));
    assert_eq!(keys.pin_proofs(NUMBER, &Pin::parse("2718").unwrap()).iter().count(), 4);
    assert!(keys.open_at_rest("name", b"1", &sealed).is_ok());
    assert_eq!(keys.retire(KeyVersion(1)), Ok(()));
    assert_eq!(keys.live_versions(), [4, 3, 2].map(KeyVersion));
    assert_eq!(keys.open_at_rest("name", b"1", &sealed).err(), Some(OpenError::UnknownKeyVersion(KeyVersion(1))));
    assert!(keys.pin_proof(KeyVersion(1), NUMBER, &Pin::parse("2718").unwrap()).is_none());
    assert_eq!(keys.rotate(&mut rng()), Ok(KeyVersion(5)), "a version never comes again");
}

#[test]
fn what_is_wrong_with_a_key_file_is_said() {
    let directory = Directory::new("wrong");
    let path = directory.file("keys");
    FileKeys::create(&mut rng()).save(&path, &passphrase(), &mut rng()).unwrap();
    let whole = fs::read(&path).unwrap();
    let load = || FileKeys::load(&path, &passphrase()).err();

    let other = Passphrase::new(b"incorrect horse battery staple").unwrap();
    assert!(matches!(FileKeys::load(&path, &other).err(), Some(KeyFileError::WrongPassphrase)));

    for at in (16..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(matches!(load(), Some(KeyFileError::Damaged)), "octet {at}");
    }
    for length in (16..whole.len()).step_by(11) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(load(), Some(KeyFileError::Damaged)), "cut to {length}");
    }
    for octets in [vec![], b"something else altogether".to_vec(), vec![0; 5000]] {
        fs::write(&path, octets).unwrap();
        assert!(matches!(load(), Some(KeyFileError::NotAKeyFile)));
    }
    fs::write(&path, &whole).unwrap();
    for mode in [0o604, 0o620, 0o660, 0o610, 0o601] {
        allow(&path, mode);
        assert!(matches!(load(), Some(KeyFileError::TooOpen(found)) if found == mode));
    }
    allow(&path, 0o640);
    let owned_by_root = fs::metadata(&path).unwrap().uid() == 0;
    assert_eq!(load().is_none(), owned_by_root);
    fs::remove_file(&path).unwrap();
    assert!(matches!(load(), Some(KeyFileError::Io(_))));
}

#[test]
fn a_file_left_by_a_crash_does_not_hinder_saving() {
    let directory = Directory::new("crash");
    let path = directory.file("keys");
    fs::write(directory.file("keys.new"), b"half").unwrap();
    allow(&directory.file("keys.new"), 0o644);
    FileKeys::create(&mut rng()).save(&path, &passphrase(), &mut rng()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(FileKeys::load(&path, &passphrase()).is_ok());
}

#[test]
fn passphrases_come_from_private_files_and_are_long() {
    let directory = Directory::new("passphrase");
    let path = directory.file("passphrase");
    fs::write(&path, b"correct horse battery staple\n").unwrap();
    allow(&path, 0o644);
    assert!(matches!(Passphrase::read(&path).err(), Some(KeyFileError::TooOpen(0o644))));
    allow(&path, 0o400);
    let keys = directory.file("keys");
    FileKeys::create(&mut rng()).save(&keys, &Passphrase::read(&path).ok().unwrap(), &mut rng()).unwrap();
    assert!(FileKeys::load(&keys, &passphrase()).is_ok(), "the line end does not count");
    allow(&path, 0o600);
    for octets in [b"".to_vec(), b"\n\n".to_vec(), b"fifteen octets.".to_vec(), vec![b'x'; 5000]] {
        fs::write(&path, octets).unwrap();
        assert!(matches!(Passphrase::read(&path).err(), Some(KeyFileError::PassphraseLength)));
    }
}

#[test]
fn staff_passwords_are_hashed_salted_and_bounded() {
    let mut rng = rng();
    let phc = password::hash("long enough to be one", &mut rng).unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    assert!(password::verify("long enough to be one", &phc));
    assert!(!password::verify("long enough to be two", &phc));
    assert!(!password::verify("long enough to be one", "not a PHC string"));
    assert_ne!(phc, password::hash("long enough to be one", &mut rng).unwrap());
    assert!(password::hash("elevenchars", &mut rng).is_err());
    assert!(password::hash(&"x".repeat(257), &mut rng).is_err());
    assert!(!password::verify(&"x".repeat(257), &phc));
}
