//! Certificates for a small cluster: one authority, and for each process a certificate that names its host.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use zeroize::Zeroizing;

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// A file cannot be written; one that is there is never replaced.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Something is no name of a host.
    #[error("the certificates cannot be made: {0}")]
    Unfit(#[from] rcgen::Error),
}

/// Makes an authority and a certificate with its key for each of these hosts, in a folder that is made where it is not there.
/// Nothing that is there is replaced. The authority's own key is not kept: whoever needs a further certificate makes the set
/// anew. Gives the files, the authority's first, then certificate and key of each host.
///
/// # Errors
/// [`NotMade`].
pub fn make(folder: &Path, hosts: &[String]) -> Result<Vec<PathBuf>, NotMade> {
    fs::create_dir_all(folder).map_err(|error| NotMade::File { path: folder.to_owned(), error })?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = named("wakala cluster");
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let mut files = vec![write(folder, "authority.pem", authority.pem().as_bytes(), 0o644)?];
    for host in hosts {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![host.clone()])?;
        params.distinguished_name = named(host);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &issuer)?;
        files.push(write(folder, &format!("{host}.pem"), certificate.pem().as_bytes(), 0o644)?);
        let secret = Zeroizing::new(key.serialize_pem());
        files.push(write(folder, &format!("{host}.key"), secret.as_bytes(), 0o600)?);
    }
    Ok(files)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn write(folder: &Path, name: &str, octets: &[u8], mode: u32) -> Result<PathBuf, NotMade> {
    let path = folder.join(name);
    let mut open = OpenOptions::new();
    let written = open.write(true).create_new(true).mode(mode).open(&path).and_then(|mut file| {
        file.write_all(octets)?;
        file.sync_all()
    });
    written.map(|()| path.clone()).map_err(|error| NotMade::File { path, error })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_for_their_owner_and_nothing_that_is_there_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = ["wakala1.example".to_owned(), "127.0.0.1".to_owned()];
        let files = make(folder.path(), &hosts).unwrap();
        assert_eq!(files.len(), 5);
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "key")) {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = fs::read(&files[0]).unwrap();
        assert!(matches!(make(folder.path(), &hosts), Err(NotMade::File { .. })));
        assert_eq!(fs::read(&files[0]).unwrap(), before);
    }
}
