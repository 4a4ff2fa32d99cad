//! `wharf serve --tls`: the certificate, from files or made here.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use wharf_embedded::Certificate;

use crate::error::{Exit, Failure};

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Speak HTTPS, with a certificate made for this run: for localhost, --domain and --listen
    #[arg(long, conflicts_with = "cert")]
    tls: bool,
    /// Where to write that certificate for clients; by default a temporary file, gone at the end
    #[arg(long = "tls-save", value_name = "FILE", requires = "tls", conflicts_with_all = ["cert", "key"])]
    save: Option<PathBuf>,
    /// Speak HTTPS with this certificate (PEM), those that vouch for it behind it
    #[arg(long = "tls-cert", value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long = "tls-key", value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

/// A certificate, and the file that clients find it in.
pub(super) struct Tls {
    pub(super) certificate: Certificate,
    file: PathBuf,
    origin: Origin,
}

#[derive(PartialEq, Eq)]
enum Origin {
    Given,
    Saved,
    /// The file is ours, and goes with us.
    Temporary,
}

impl Tls {
    /// What the options ask for; a certificate that is made is for the host in `listen` and for `domains` too.
    pub(super) fn of(args: &Args, listen: &str, domains: &[String]) -> Result<Option<Self>, Failure> {
        if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
            let certificate = Certificate::from_pem(&read(cert)?, &read(key)?).map_err(|error| {
                let (cert, key) = (cert.display(), key.display());
                Failure::new(Exit::Configuration, format!("no TLS with {cert} and {key}: {error}"))
            })?;
            return Ok(Some(Self { certificate, file: cert.clone(), origin: Origin::Given }));
        }
        if !args.tls {
            return Ok(None);
        }
        let names = names(listen, domains);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let certificate = Certificate::self_signed(&names)
            .map_err(|error| Failure::new(Exit::Configuration, error.to_string()).hint("see --listen and --domain"))?;
        let (file, origin) = match &args.save {
            Some(file) => (file.clone(), Origin::Saved),
            None => (temporary(), Origin::Temporary),
        };
        write(&file, certificate.pem(), origin == Origin::Temporary).map_err(|error| {
            Failure::new(Exit::Other, format!("cannot write the certificate to {}: {error}", file.display()))
                .hint("name another file with --tls-save")
        })?;
        Ok(Some(Self { certificate, file, origin }))
    }

    /// What clients must know, as a line for their shell.
    pub(super) fn told(&self) -> String {
        let file = fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone());
        let export = format!("export AWS_CA_BUNDLE={}", quoted(&file.display().to_string()));
        match self.origin {
            Origin::Given => format!("# if no authority known to clients vouches for it: {export}"),
            Origin::Saved | Origin::Temporary => export,
        }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        if self.origin == Origin::Temporary {
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// Whom a certificate is for: the domains with their buckets, and the host that is listened at.
fn names(listen: &str, domains: &[String]) -> Vec<String> {
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let every = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified());
    let own = if every { vec![] } else { vec![host.to_owned()] };
    domains.iter().flat_map(|domain| [domain.clone(), format!("*.{domain}")]).chain(own).collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::new(Exit::Configuration, format!("cannot read {}: {error}", path.display())))
}

fn temporary() -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    std::env::temp_dir().join(format!("wharf-serve-{}-{}.pem", std::process::id(), now.as_nanos()))
}

/// In a folder that all may write to, a file that is there already is somebody else's.
fn write(path: &Path, pem: &str, must_be_new: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(!must_be_new).create(true).create_new(must_be_new);
    options.open(path)?.write_all(pem.as_bytes())
}

/// A path as a shell reads it.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:".contains(&byte);
    match path.bytes().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_for_all_names_of_the_server() {
        let domains = ["s3.test".to_owned()];
        assert_eq!(names("store.test:9000", &domains), ["s3.test", "*.s3.test", "store.test"]);
        assert_eq!(names("[fd00::1]:0", &domains), ["s3.test", "*.s3.test", "fd00::1"]);
        assert_eq!(names("0.0.0.0:0", &domains), ["s3.test", "*.s3.test"]);
    }

    #[test]
    fn paths_survive_a_shell() {
        assert_eq!(quoted("/tmp/a-b.pem"), "/tmp/a-b.pem");
        assert_eq!(quoted("/tmp/it's $HOME"), "'/tmp/it'\\''s $HOME'");
    }
}
