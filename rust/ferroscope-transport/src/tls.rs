//! The TLS settings of connections: TLS 1.2 and 1.3 by rustls, with certificates verified by the platform's trust
//! store.

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::BuilderVerifierExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The authorities that may sign a server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Roots {
    /// The platform's trust store. On Linux, `SSL_CERT_FILE` and `SSL_CERT_DIR` replace it if set.
    Platform,
    /// A PEM file.
    File(PathBuf),
}

/// The client's own certificate: PEM files of the chain and the private key, which may be one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The certificate chain.
    pub certificates: PathBuf,
    /// The private key, without a password.
    pub key: PathBuf,
}

/// TLS settings, which several connections share.
#[derive(Debug, Clone)]
pub struct Tls {
    pub(crate) config: Arc<ClientConfig>,
}

impl Tls {
    /// Loads the trusted authorities, and the client's certificate if there is one.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read, or if there is no authority. The message names the file.
    pub fn load(roots: &Roots, identity: Option<&Identity>) -> Result<Self, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match roots {
            Roots::Platform => builder.with_platform_verifier().map_err(|error| error.to_string())?,
            Roots::File(path) => {
                let mut store = rustls::RootCertStore::empty();
                let (added, _) = store.add_parsable_certificates(read_certificates(path)?);
                if added == 0 {
                    return Err(format!("no valid certificate in {}", path.display()));
                }
                builder.with_root_certificates(store)
            }
        };
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { certificates, key }) => {
                let private = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("{}: {error}", key.display()))?;
                builder
                    .with_client_auth_cert(read_certificates(certificates)?, private)
                    .map_err(|error| format!("{}: {error}", certificates.display()))?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let describe = |error: rustls::pki_types::pem::Error| format!("{}: {error}", path.display());
    CertificateDer::pem_file_iter(path).map_err(describe)?.collect::<Result<_, _>>().map_err(describe)
}
