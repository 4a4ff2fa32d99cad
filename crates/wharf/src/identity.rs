//! Whose requests they are: the credentials that a client has or looks for, and where they come from.

use std::sync::Arc;

use wharf_proto::{Credentials, Error};

use crate::credentials::{CachedCredentials, Plan, ProvideCredentials, Services, StsOptions, plan};
use crate::explain::Setting;
use crate::settings::{Origin, Places, Resolved, regional};

/// Whose requests they are.
pub(crate) enum Identity {
    Anonymous,
    Fixed(Credentials, Origin),
    Given(Arc<dyn ProvideCredentials>),
    Found { plan: Box<Plan>, cache: Box<CachedCredentials> },
}

/// An identity that still wants to know how services are asked.
pub(crate) enum Unbound {
    Ready(Identity),
    Plan(Box<Plan>),
}

impl Identity {
    pub(crate) fn anonymous() -> Unbound {
        Unbound::Ready(Self::Anonymous)
    }

    pub(crate) fn fixed(credentials: Credentials, origin: Origin) -> Unbound {
        Unbound::Ready(Self::Fixed(credentials, origin))
    }

    pub(crate) fn given(provider: Arc<dyn ProvideCredentials>) -> Unbound {
        Unbound::Ready(Self::Given(provider))
    }

    /// Looks in environment and files.
    pub(crate) fn find(places: &Places<'_>, settings: &Resolved, profile_is_explicit: bool) -> Result<Unbound, Error> {
        let regional = places.parsed(&["AWS_STS_REGIONAL_ENDPOINTS"], &["sts_regional_endpoints"], regional)?;
        let sts = StsOptions {
            url: places.endpoint("AWS_ENDPOINT_URL_STS", "sts")?,
            region: settings.region.as_ref().map(|region| region.value.clone()),
            use_fips: settings.use_fips.value,
            use_dualstack: settings.use_dualstack.value,
            legacy: regional.filter(|found| !found.value).map(|found| found.origin),
        };
        Ok(match plan(places, &sts, profile_is_explicit)? {
            Plan::Keys { credentials, origin, file: None } => Self::fixed(credentials, origin),
            plan => Unbound::Plan(Box::new(plan)),
        })
    }

    /// What requests are signed with; `None` for none.
    pub(crate) fn provider(&self) -> Option<&dyn ProvideCredentials> {
        match self {
            Self::Anonymous => None,
            Self::Fixed(credentials, _) => Some(credentials),
            Self::Given(provider) => Some(&**provider),
            Self::Found { cache, .. } => Some(&**cache),
        }
    }

    /// The keys that never change, without asking for them.
    pub(crate) fn unchanging(&self) -> Option<&Credentials> {
        match self {
            Self::Fixed(credentials, _) => Some(credentials),
            _ => None,
        }
    }

    /// What is known without asking anybody.
    pub(crate) fn tell(&self) -> Vec<Setting> {
        let (source, origin, known) = match self {
            Self::Anonymous => ("none: requests are not signed".to_owned(), Origin::Code, None),
            Self::Fixed(credentials, origin) => ("an access key".to_owned(), origin.clone(), Some(credentials.clone())),
            Self::Given(_) => ("a provider of the program's own".to_owned(), Origin::Code, None),
            Self::Found { plan, cache } => {
                let known = match &**plan {
                    Plan::Keys { credentials, .. } => Some(credentials.clone()),
                    _ => None,
                };
                (plan.to_string(), plan.origin().clone(), cache.current().or(known))
            }
        };
        let given_by = match self {
            Self::Found { plan, .. } if !matches!(**plan, Plan::Keys { .. }) => Origin::Service(source.clone()),
            _ => origin.clone(),
        };
        let mut rows = vec![Setting::new("credentials", source, origin)];
        if let Self::Found { plan, .. } = self {
            rows.extend(plan.tell());
        }
        match (known, self) {
            (Some(known), _) => rows.extend(Setting::of_credentials(&known, &given_by)),
            (None, Self::Found { .. }) => {
                rows.push(Setting::new("access key id", "not asked for yet".to_owned(), given_by));
            }
            (None, _) => {}
        }
        rows
    }
}

impl Unbound {
    pub(crate) fn asks_services(&self) -> bool {
        matches!(self, Self::Plan(plan) if !matches!(**plan, Plan::Keys { .. }))
    }

    pub(crate) fn on(self, services: impl FnOnce() -> Result<Services, Error>) -> Result<Identity, Error> {
        Ok(match self {
            Self::Ready(identity) => identity,
            Self::Plan(plan) => {
                let services = services()?;
                let cache = CachedCredentials::with_clock(plan.provider(&services), services.clock.clone());
                Identity::Found { plan, cache: Box::new(cache) }
            }
        })
    }
}

impl Setting {
    /// The rows of credentials, of which only the id is shown.
    fn of_credentials(credentials: &Credentials, origin: &Origin) -> Vec<Self> {
        // In the environment each has a variable of its own.
        let beside = |variable| match origin {
            Origin::Variable(_) => Origin::Variable(variable),
            _ => origin.clone(),
        };
        let hidden = |name, variable| Self::new(name, "(hidden)".to_owned(), beside(variable));
        let mut rows = vec![
            Self::new("access key id", credentials.access_key_id().to_owned(), origin.clone()),
            hidden("secret access key", "AWS_SECRET_ACCESS_KEY"),
        ];
        rows.extend(credentials.session_token().map(|_| hidden("session token", "AWS_SESSION_TOKEN")));
        let expiry = credentials.expires_at().and_then(|end| wharf_proto::time::format_iso8601(end).ok());
        rows.extend(expiry.map(|end| Self::new("expires", end, origin.clone())));
        rows
    }
}
