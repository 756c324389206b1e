//! Certificates for a small cluster: one authority, and for each process a certificate that names its host.
//!
//! Every host gets the authority's certificate. Its key, in a file beside it together with that certificate, is needed by no
//! process: it is put away until a host is added.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{RootCertStore, crypto};
use zeroize::{Zeroize as _, Zeroizing};

use crate::config::{SecretFileError, read_secret};

/// The authority's certificate, for every host.
const CERTIFICATE: &str = "authority.pem";
/// The same with its key, to be put away.
const KEY: &str = "authority.key";

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// Something is no name of a host.
    #[error("{0} is no name or address of a host: nothing was made")]
    Host(String),
    /// A file is there, and never replaced.
    #[error("{} is there already, and is not replaced: nothing was made", .0.display())]
    There(PathBuf),
    /// The folder belongs to another cluster.
    #[error("{} is the certificate of another authority: nothing was made", .0.display())]
    Foreign(PathBuf),
    /// The authority's file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] SecretFileError),
    /// It may have been read by others.
    #[error("{} must not be open to everyone: whoever reads it can join the cluster", .0.display())]
    Open(PathBuf),
    /// It holds something else.
    #[error("{} is no {KEY} that this command made: {why}", path.display())]
    NoAuthority {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file cannot be written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The library refuses.
    #[error("the certificates cannot be made: {0}")]
    Unfit(#[from] rcgen::Error),
}

/// Makes a certificate with its key for each of these hosts, in a folder that is made where it is not there: from the authority
/// whose key is in this file, or from a new one, which is made first. Either all are made or, where anything of it is there
/// already, none. Gives the files: those of the authority, then certificate and key of each host.
///
/// # Errors
/// [`NotMade`].
pub fn make(folder: &Path, hosts: &[String], authority: Option<&Path>) -> Result<Vec<PathBuf>, NotMade> {
    let (own, mut files) = match authority {
        Some(path) => (Authority::read(path)?, Vec::new()),
        None => {
            let new = Authority::new()?;
            let key = File { path: folder.join(KEY), octets: new.kept(), mode: 0o600 };
            (new, vec![key])
        }
    };
    let certificate = folder.join(CERTIFICATE);
    match fs::read(&certificate) {
        Ok(there) if authority.is_some() && there == own.certificate.as_bytes() => {}
        Ok(_) if authority.is_some() => return Err(NotMade::Foreign(certificate)),
        _ => files.insert(0, File { path: certificate, octets: own.certificate.clone().into(), mode: 0o644 }),
    }
    for host in hosts {
        let (certificate, key) = own.certify(host, authority)?;
        files.push(File { path: folder.join(format!("{host}.pem")), octets: certificate.into(), mode: 0o644 });
        files.push(File { path: folder.join(format!("{host}.key")), octets: key, mode: 0o600 });
    }
    for (index, file) in files.iter().enumerate() {
        let is_twice = files.iter().take(index).any(|other| other.path == file.path);
        if is_twice || file.path.exists() {
            return Err(NotMade::There(file.path.clone()));
        }
    }
    fs::create_dir_all(folder).map_err(|error| NotMade::File { path: folder.to_owned(), error })?;
    files.into_iter().map(File::write).collect()
}

/// A file to be made.
struct File {
    path: PathBuf,
    octets: Zeroizing<String>,
    mode: u32,
}

impl File {
    fn write(self) -> Result<PathBuf, NotMade> {
        let mut open = OpenOptions::new();
        let written = open.write(true).create_new(true).mode(self.mode).open(&self.path).and_then(|mut file| {
            file.write_all(self.octets.as_bytes())?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(self.path),
            Err(error) => Err(NotMade::File { path: self.path, error }),
        }
    }
}

/// A key that is wiped when it goes out of sight.
struct Key(KeyPair);

impl Key {
    fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Who signs.
struct Authority {
    key: Key,
    /// PEM.
    certificate: String,
}

impl Authority {
    fn new() -> Result<Authority, NotMade> {
        let key = Key(KeyPair::generate()?);
        let certificate = Authority::params().self_signed(&key.0)?.pem();
        Ok(Authority { key, certificate })
    }

    fn params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named("wakala cluster");
        params
    }

    /// What is kept in its file, and read by [`Authority::read`].
    fn kept(&self) -> Zeroizing<String> {
        let key = self.key.pem();
        // All the room there may be need of, so that growing leaves no copies behind.
        let mut text = Zeroizing::new(String::with_capacity(self.certificate.len() + key.len()));
        text.push_str(&self.certificate);
        text.push_str(&key);
        text
    }

    fn read(path: &Path) -> Result<Authority, NotMade> {
        let text = read_secret(path)?;
        let mode =
            fs::metadata(path).map_err(|error| NotMade::File { path: path.to_owned(), error })?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(NotMade::Open(path.to_owned()));
        }
        let none = |why: &str| NotMade::NoAuthority { path: path.to_owned(), why: why.to_owned() };
        let text = text.expose();
        let mut octets =
            PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| none("there is no private key in it"))?;
        let key = KeyPair::try_from(&octets).map(Key);
        octets.zeroize();
        let key = key.map_err(|_| none("its private key is of another kind"))?;
        let (certificate, _) = text.split_once("-----BEGIN PRIVATE KEY-----").unwrap_or_default();
        CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| none("there is no certificate before its key"))?;
        Ok(Authority { key, certificate: certificate.to_owned() })
    }

    /// A certificate for a host and its key, each PEM; looked at as the other processes will look at it. `path` is where the
    /// authority was read.
    fn certify(&self, host: &str, path: Option<&Path>) -> Result<(String, Zeroizing<String>), NotMade> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NotMade::Host(host.to_owned()))?;
        let key = Key(KeyPair::generate()?);
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name = named(host);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key.0, &Issuer::from_params(&Authority::params(), &self.key.0))?;
        match self.accepts(certificate.der(), &name) {
            Ok(()) => Ok((certificate.pem(), key.pem())),
            Err(why) => Err(NotMade::NoAuthority { path: path.unwrap_or(Path::new(KEY)).to_owned(), why }),
        }
    }

    /// Whether a process that has this authority's certificate accepts another's.
    fn accepts(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), String> {
        let told = |error: &dyn std::error::Error| format!("its key and its certificate do not go together ({error})");
        let own = CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(|error| told(&error))?;
        let mut roots = RootCertStore::empty();
        roots.add(own).map_err(|error| told(&error))?;
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.map_err(|error| told(&error))?;
        verifier.verify_server_cert(certificate, &[], name, &[], UnixTime::now()).map_err(|error| told(&error))?;
        Ok(())
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(hosts: &[&str]) -> Vec<String> {
        hosts.iter().map(ToString::to_string).collect()
    }

    fn names(files: &[PathBuf]) -> Vec<&str> {
        files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect()
    }

    fn all_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        all.sort();
        all
    }

    #[test]
    fn keys_are_for_their_owner_and_nothing_that_is_there_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let files = make(folder.path(), &hosts(&["wakala1.example", "127.0.0.1"]), None).unwrap();
        let expected = [
            "authority.pem",
            "authority.key",
            "wakala1.example.pem",
            "wakala1.example.key",
            "127.0.0.1.pem",
            "127.0.0.1.key",
        ];
        assert_eq!(names(&files), expected);
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "key")) {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = all_of(folder.path());
        assert!(matches!(make(folder.path(), &hosts(&["wakala2.example"]), None), Err(NotMade::There(_))));
        let again = make(folder.path(), &hosts(&["wakala2.example", "127.0.0.1"]), Some(&files[1]));
        assert!(matches!(again, Err(NotMade::There(path)) if path.ends_with("127.0.0.1.pem")));
        assert_eq!(all_of(folder.path()), before);
    }

    #[test]
    fn a_host_is_added_with_the_key_that_was_put_away() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = make(folder.path(), &hosts(&["wakala1.example"]), None).unwrap();
        let away = other.path().join("put-away");
        fs::rename(&files[1], &away).unwrap();
        let added = make(folder.path(), &hosts(&["wakala2.example"]), Some(&away)).unwrap();
        assert_eq!(names(&added), ["wakala2.example.pem", "wakala2.example.key"]);
        // Elsewhere the certificate of the authority comes along, and no key of it.
        let elsewhere = other.path().join("elsewhere");
        let added = make(&elsewhere, &hosts(&["::1"]), Some(&away)).unwrap();
        assert_eq!(names(&added), ["authority.pem", "::1.pem", "::1.key"]);
        assert_eq!(fs::read(&added[0]).unwrap(), fs::read(&files[0]).unwrap());
    }

    #[test]
    fn what_is_no_authority_or_no_host_is_refused_and_nothing_is_made() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let one = make(first.path(), &hosts(&["wakala1.example"]), None).unwrap();
        let two = make(second.path(), &hosts(&["wakala1.example"]), None).unwrap();
        let (new, before) = (hosts(&["wakala2.example"]), all_of(second.path()));
        let refused = |key: &Path, hosts: &[String]| make(second.path(), hosts, Some(key)).unwrap_err();
        assert!(matches!(refused(&one[1], &new), NotMade::Foreign(_)), "the folder is another cluster's");
        for (key, why) in [(&two[0], "no private key"), (&two[3], "no certificate")] {
            fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
            let told = refused(key, &new).to_string();
            assert!(told.contains(why), "{told}");
        }
        for host in ["../wakala2", "two words", ""] {
            assert!(matches!(refused(&two[1], &hosts(&[host])), NotMade::Host(_)), "{host}");
        }
        assert!(matches!(refused(&two[1], &hosts(&["a.example", "a.example"])), NotMade::There(_)));
        // The certificate of one with the key of another.
        let mixed = first.path().join("mixed");
        let key = fs::read_to_string(&one[1]).unwrap();
        let (_, key) = key.split_once("-----BEGIN PRIVATE KEY").unwrap();
        let text = format!("{}-----BEGIN PRIVATE KEY{key}", fs::read_to_string(&two[0]).unwrap());
        fs::write(&mixed, text).unwrap();
        fs::set_permissions(&mixed, fs::Permissions::from_mode(0o640)).unwrap();
        let told = refused(&mixed, &new).to_string();
        assert!(told.contains("do not go together"), "{told}");
        fs::set_permissions(&two[1], fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(refused(&two[1], &new), NotMade::Open(_)));
        assert!(matches!(refused(&first.path().join("none"), &new), NotMade::Unreadable(_)));
        assert_eq!(all_of(second.path()), before);
    }
}
