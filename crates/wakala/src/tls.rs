//! Whom we trust over TLS, and how we prove who we are.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use crate::platform::Failure;

/// A client that trusts the authorities in a file, or those of the system; with our certificate and its key where the other
/// side asks for one.
///
/// # Errors
/// [`Failure`] where a file cannot be used.
pub fn client(authorities: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<ClientConfig, Failure> {
    let roots = match authorities {
        Some(path) => trusted(path)?,
        None => {
            let mut roots = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            roots
        }
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let unfit = |error: rustls::Error| Failure::Configuration(format!("TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unfit)?;
    let builder = builder.with_root_certificates(roots);
    let Some((certificate, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?).map_err(unfit)
}

/// A server that shows its certificate and hears only who shows one of the same authority.
///
/// # Errors
/// [`Failure`] where a file cannot be used.
pub fn server(authority: &Path, (certificate, key): (&Path, &Path)) -> Result<ServerConfig, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let unfit = |error: rustls::Error| Failure::Configuration(format!("TLS: {error}"));
    let roots = Arc::new(trusted(authority)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
    let verifier = verifier.map_err(|error| failure(authority, error.to_string()))?;
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let builder = builder.map_err(unfit)?.with_client_cert_verifier(verifier);
    builder.with_single_cert(certificates(certificate)?, private_key(key)?).map_err(unfit)
}

fn trusted(authorities: &Path) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        roots.add(certificate).map_err(|error| failure(authorities, error.to_string()))?;
    }
    Ok(roots)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    let octets = Zeroizing::new(fs::read(path).map_err(|error| failure(path, error.to_string()))?);
    PrivateKeyDer::from_pem_slice(&octets).map_err(|error| failure(path, error.to_string()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let octets = fs::read(path).map_err(|error| failure(path, error.to_string()))?;
    let all = CertificateDer::pem_slice_iter(&octets).collect::<Result<Vec<_>, _>>();
    all.map_err(|error| failure(path, error.to_string()))
}

fn failure(path: &Path, error: String) -> Failure {
    Failure::File { path: path.display().to_string(), error }
}
