//! Whom we trust over TLS, and how we prove who we are.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::platform::Failure;

/// A client that trusts the authorities in a file, or those of the system; with our certificate and its key where the other
/// side asks for one.
///
/// # Errors
/// [`Failure`] where a file cannot be used.
pub fn client(authorities: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| failure(path, error.to_string()))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let unfit = |error: rustls::Error| Failure::Configuration(format!("TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unfit)?;
    let builder = builder.with_root_certificates(roots);
    let Some((certificate, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let octets = fs::read(key).map_err(|error| failure(key, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_slice(&octets).map_err(|error| failure(key, error.to_string()))?;
    builder.with_client_auth_cert(certificates(certificate)?, private).map_err(unfit)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let octets = fs::read(path).map_err(|error| failure(path, error.to_string()))?;
    let all = CertificateDer::pem_slice_iter(&octets).collect::<Result<Vec<_>, _>>();
    all.map_err(|error| failure(path, error.to_string()))
}

fn failure(path: &Path, error: String) -> Failure {
    Failure::File { path: path.display().to_string(), error }
}
