//! How servers are reached where no transport is given: certificates, proxies, time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use wharf_proto::Error;

use super::Environment;
use crate::counters::Tally;
use crate::explain::Setting;
use crate::settings::{Origin, Resolved};
use crate::transport::proxy::Proxies;
use crate::transport::tls::{Tls, Trust, certificates};
use crate::transport::{Http1, Settings, Transport};

/// What the builder was told.
#[derive(Default)]
pub(super) struct Sockets {
    pub(super) root_certificates: Vec<u8>,
    pub(super) accept_invalid_certificates: bool,
    pub(super) proxy: ProxyChoice,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) progress_timeout: Option<Duration>,
}

/// Where proxies are looked for.
#[derive(Default)]
pub(super) enum ProxyChoice {
    #[default]
    Environment,
    Url(String),
    None,
}

impl Sockets {
    /// Refuses what was said of sockets where none will be opened.
    pub(super) fn must_be_unsaid(&self) -> Result<(), Error> {
        let said = [
            ("connect_timeout", self.connect_timeout.is_some()),
            ("root_certificates_pem", !self.root_certificates.is_empty()),
            ("danger_accept_invalid_certificates", self.accept_invalid_certificates),
            ("proxy", matches!(self.proxy, ProxyChoice::Url(_))),
        ];
        match said.iter().find(|(_, said)| *said) {
            None => Ok(()),
            Some((name, _)) => Err(Error::invalid_input(format!(
                "{name} is for sockets, which transport() takes the place of; leave one of the two out"
            ))),
        }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.connect_timeout.unwrap_or(Duration::from_secs(5))
    }

    /// How long a server may be silent while it is waited for.
    pub(super) fn progress_timeout(&self) -> Duration {
        self.progress_timeout.unwrap_or(Duration::from_secs(30))
    }

    /// The roots to trust beside the system's. A bundle is read only where there will be TLS.
    pub(super) fn roots(&self, settings: &Resolved, speaks_tls: bool) -> Result<RootCertStore, Error> {
        match (self.root_certificates.as_slice(), &settings.ca_bundle) {
            ([], Some(bundle)) if speaks_tls => read_bundle(&bundle.value).map_err(|error| bundle.origin.blame(error)),
            ([], _) => Ok(RootCertStore::empty()),
            (pem, _) => certificates(pem),
        }
    }

    /// The proxies. One of the environment that cannot be used is no matter where none is `needed`: it is for others.
    pub(super) fn proxies(&self, environment: &Environment, needed: bool) -> Result<Proxies, Error> {
        match &self.proxy {
            ProxyChoice::Environment => match Proxies::from_environment(|name| environment.get(name)) {
                Err(error) if !needed => {
                    tracing::debug!(%error, "not needed");
                    Ok(Proxies::default())
                }
                found => found,
            },
            ProxyChoice::Url(url) => Proxies::all(url),
            ProxyChoice::None => Ok(Proxies::default()),
        }
    }

    /// What is said of sockets, for people.
    pub(super) fn tell(&self, settings: &Resolved, proxies: &Proxies) -> Vec<Setting> {
        let said = |is_said: bool| if is_said { Origin::Code } else { Origin::Default };
        let checked = if self.accept_invalid_certificates { "NOT CHECKED" } else { "checked" };
        let (roots, by) = match &settings.ca_bundle {
            _ if !self.root_certificates.is_empty() => ("the program's own".to_owned(), Origin::Code),
            Some(bundle) => (bundle.value.display().to_string(), bundle.origin.clone()),
            None => ("none".to_owned(), Origin::Default),
        };
        let mut rows = vec![
            Setting::new("server certificates", checked.to_owned(), said(self.accept_invalid_certificates)),
            Setting::new("roots beside the system's", roots, by),
        ];
        rows.extend(proxies.tell(&said(!matches!(self.proxy, ProxyChoice::Environment))));
        let timeout = format!("{:?}", self.connect_timeout());
        rows.push(Setting::new("connect timeout", timeout, said(self.connect_timeout.is_some())));
        rows
    }

    /// The transport to S3.
    pub(super) fn to_s3(&self, roots: &RootCertStore, proxies: Proxies, tally: Arc<Tally>) -> Arc<dyn Transport> {
        let trust = if self.accept_invalid_certificates { Trust::Anybody } else { Trust::Roots(roots.clone()) };
        self.open(trust, roots, proxies, tally)
    }

    /// The transport to what gives credentials, which always has to prove who it is.
    pub(super) fn to_services(&self, roots: &RootCertStore, proxies: Proxies) -> Arc<dyn Transport> {
        self.open(Trust::Roots(roots.clone()), roots, proxies, Arc::default())
    }

    fn open(&self, trust: Trust, roots: &RootCertStore, proxies: Proxies, tally: Arc<Tally>) -> Arc<dyn Transport> {
        // A proxy is told its user's password: it always has to prove who it is.
        let (tls, proxy_tls) = (Tls::new(trust), Tls::new(Trust::Roots(roots.clone())));
        let (connect_timeout, silence) = (self.connect_timeout(), self.progress_timeout());
        Arc::new(Http1::new(Settings { connect_timeout, silence, tls, proxy_tls, proxies, tally }))
    }
}

fn read_bundle(path: &Path) -> Result<RootCertStore, Error> {
    let shown = path.display();
    let pem = std::fs::read(path)
        .map_err(|error| Error::invalid_input(format!("cannot read the CA bundle {shown}: {error}")))?;
    certificates(&pem).map_err(|error| Error::invalid_input(format!("the CA bundle {shown}: {error}")))
}
