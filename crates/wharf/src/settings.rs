//! The settings of a client: one way to find each, and where it was found.
//!
//! The order is the same for all: said in the program, the transport's own, the environment, the profile, a default.

use std::fmt;
use std::path::PathBuf;

use wharf_proto::{AddressingStyle, Error};

use crate::config::Environment;
use crate::profiles::{Files, Profile};
use crate::transport::Defaults;

/// Where a setting's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Said to the [`ClientBuilder`](crate::ClientBuilder).
    Code,
    /// The transport's own: an embedded store knows its keys.
    Transport,
    /// An environment variable.
    Variable(&'static str),
    /// A line of one of the AWS files.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A service or a program that was asked.
    Service(String),
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// An error about a value that came from here. What was said in the program is not far to seek.
    pub(crate) fn blame(&self, error: Error) -> Error {
        match self {
            Self::Code | Self::Default => error,
            place => {
                let blamed = Error::new(error.kind(), format!("{place}: {}", error.message()));
                match error.hint() {
                    Some(hint) => blamed.with_hint(hint),
                    None => blamed,
                }
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str("said in the program"),
            Self::Transport => f.write_str("the transport"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Service(service) => f.write_str(service),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Found<T> {
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// What the builder was told; `None` for what it was not.
#[derive(Debug, Default, Clone)]
pub(crate) struct Said {
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) addressing: Option<AddressingStyle>,
    pub(crate) use_fips: Option<bool>,
    pub(crate) use_dualstack: Option<bool>,
    pub(crate) accelerate: Option<bool>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) checksum_mode: Option<bool>,
}

/// When checksums are computed or compared, where the call does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Supported,
    Required,
}

impl When {
    fn of(supported: bool) -> Self {
        if supported { Self::Supported } else { Self::Required }
    }
}

/// The settings that environment and files can have, each with its origin.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) region: Option<Found<String>>,
    pub(crate) endpoint: Option<Found<String>>,
    pub(crate) addressing: Found<AddressingStyle>,
    pub(crate) use_fips: Found<bool>,
    pub(crate) use_dualstack: Found<bool>,
    pub(crate) accelerate: Found<bool>,
    /// Whether `us-east-1` is a region like others, and not S3's old global endpoint.
    pub(crate) us_east_1_regional: Found<bool>,
    /// Whether the region in an ARN beats the client's.
    pub(crate) use_arn_region: Found<bool>,
    pub(crate) disable_express_session_auth: Found<bool>,
    pub(crate) request_checksum: Found<When>,
    pub(crate) response_checksum: Found<When>,
    pub(crate) max_attempts: Found<u32>,
    pub(crate) retry_mode: Found<String>,
    /// Whether signatures cover bodies over https too.
    pub(crate) sign_payload: Found<bool>,
    pub(crate) ca_bundle: Option<Found<PathBuf>>,
    /// Whether endpoints in environment and profile count for nothing.
    pub(crate) ignores_endpoints: Found<bool>,
}

impl Resolved {
    pub(crate) fn find(said: Said, places: &Places<'_>) -> Result<Self, Error> {
        let flag = |said: Option<bool>, variable, properties: &[&'static str]| -> Result<Found<bool>, Error> {
            Ok(told(said).or(places.parsed(&[variable], properties, boolean)?).unwrap_or(default(false)))
        };
        let defaults = places.defaults;
        let of_transport = |value: fn(&Defaults) -> &String| {
            defaults.map(|defaults| Found::new(value(defaults).clone(), Origin::Transport))
        };
        let region = told(said.region).or_else(|| of_transport(|defaults| &defaults.region));
        let endpoint = told(said.endpoint).or_else(|| of_transport(|defaults| &defaults.endpoint));
        Ok(Self {
            region: region.or_else(|| places.text(&["AWS_REGION", "AWS_DEFAULT_REGION"], &["region"])),
            endpoint: match endpoint {
                Some(endpoint) => Some(endpoint),
                None => places.endpoint("AWS_ENDPOINT_URL_S3", "s3")?,
            },
            addressing: told(said.addressing)
                .or(places.parsed(&[], &["s3.addressing_style"], addressing)?)
                .unwrap_or(default(AddressingStyle::Auto)),
            use_fips: flag(said.use_fips, "AWS_USE_FIPS_ENDPOINT", &["use_fips_endpoint"])?,
            use_dualstack: flag(
                said.use_dualstack,
                "AWS_USE_DUALSTACK_ENDPOINT",
                &["s3.use_dualstack_endpoint", "use_dualstack_endpoint"],
            )?,
            accelerate: told(said.accelerate)
                .or(places.parsed(&[], &["s3.use_accelerate_endpoint"], boolean)?)
                .unwrap_or(default(false)),
            us_east_1_regional: places
                .parsed(
                    &["AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"],
                    &["s3.us_east_1_regional_endpoint", "s3_us_east_1_regional_endpoint"],
                    regional,
                )?
                .unwrap_or(default(true)),
            use_arn_region: places
                .parsed(&["AWS_S3_USE_ARN_REGION"], &["s3.use_arn_region", "s3_use_arn_region"], boolean)?
                .unwrap_or(default(true)),
            disable_express_session_auth: flag(
                None,
                "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
                &["s3_disable_express_session_auth"],
            )?,
            request_checksum: places
                .parsed(&["AWS_REQUEST_CHECKSUM_CALCULATION"], &["request_checksum_calculation"], when)?
                .unwrap_or(default(When::Supported)),
            response_checksum: told(said.checksum_mode.map(When::of))
                .or(places.parsed(&["AWS_RESPONSE_CHECKSUM_VALIDATION"], &["response_checksum_validation"], when)?)
                .unwrap_or(default(When::Supported)),
            max_attempts: told(said.max_attempts)
                .or(places.parsed(&["AWS_MAX_ATTEMPTS"], &["max_attempts"], attempts)?)
                .unwrap_or(default(3)),
            retry_mode: places
                .parsed(&["AWS_RETRY_MODE"], &["retry_mode"], retry_mode)?
                .unwrap_or(default("standard".to_owned())),
            sign_payload: places.parsed(&[], &["s3.payload_signing_enabled"], boolean)?.unwrap_or(default(false)),
            ca_bundle: places
                .text(&["AWS_CA_BUNDLE"], &["ca_bundle"])
                .map(|found| Found::new(PathBuf::from(found.value), found.origin)),
            ignores_endpoints: places.ignores_endpoints()?,
        })
    }
}

fn told<T>(value: Option<T>) -> Option<Found<T>> {
    value.map(|value| Found::new(value, Origin::Code))
}

fn default<T>(value: T) -> Found<T> {
    Found::new(value, Origin::Default)
}

/// The places where settings are found, apart from the program itself.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) defaults: Option<&'a Defaults>,
    pub(crate) environment: &'a Environment,
    pub(crate) files: Option<&'a Files>,
}

impl<'a> Places<'a> {
    pub(crate) fn profile(&self) -> Option<Profile<'a>> {
        self.files.and_then(Files::selected)
    }

    /// The first of the variables that is set, else the first of the properties; `s3.x` is the `x` in `s3 =`.
    pub(crate) fn text(&self, variables: &[&'static str], properties: &[&'static str]) -> Option<Found<String>> {
        let variable = variables
            .iter()
            .find_map(|name| self.environment.get(name).map(|value| Found::new(value, Origin::Variable(name))));
        variable.or_else(|| {
            let profile = self.profile()?;
            let found = properties.iter().find_map(|name| match name.split_once('.') {
                Some((section, name)) => profile.find_nested(section, name),
                None => profile.find(name),
            });
            found.map(|(value, origin)| Found::new(value.to_owned(), origin))
        })
    }

    /// The same, read as something; what cannot be is an error that says where it stands.
    pub(crate) fn parsed<T>(
        &self,
        variables: &[&'static str],
        properties: &[&'static str],
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<Found<T>>, Error> {
        let Some(found) = self.text(variables, properties) else { return Ok(None) };
        match parse(found.value.trim()) {
            Ok(value) => Ok(Some(Found::new(value, found.origin))),
            Err(expected) => {
                let name = properties.first().map_or("", |name| name.rsplit('.').next().unwrap_or(name));
                let what = match &found.origin {
                    Origin::Variable(_) => found.origin.to_string(),
                    origin => format!("{origin}: {name}"),
                };
                Err(Error::invalid_input(format!("{what} is {:?}; it must be {expected}", found.value)))
            }
        }
    }

    /// The endpoint of a service: its own variable, the one for all services, and the same in the profile.
    pub(crate) fn endpoint(&self, variable: &'static str, service: &str) -> Result<Option<Found<String>>, Error> {
        if self.ignores_endpoints()?.value {
            return Ok(None);
        }
        if let Some(found) = self.text(&[variable, "AWS_ENDPOINT_URL"], &[]) {
            return Ok(Some(found));
        }
        let Some(profile) = self.profile() else { return Ok(None) };
        let of_service = profile.service_endpoint(service)?.or_else(|| profile.find("endpoint_url"));
        Ok(of_service.map(|(value, origin)| Found::new(value.to_owned(), origin)))
    }

    /// The same without what is said for all services.
    pub(crate) fn own_endpoint(&self, variable: &'static str, service: &str) -> Result<Option<Found<String>>, Error> {
        if self.ignores_endpoints()?.value {
            return Ok(None);
        }
        if let Some(found) = self.text(&[variable], &[]) {
            return Ok(Some(found));
        }
        let Some(profile) = self.profile() else { return Ok(None) };
        Ok(profile.service_endpoint(service)?.map(|(value, origin)| Found::new(value.to_owned(), origin)))
    }

    fn ignores_endpoints(&self) -> Result<Found<bool>, Error> {
        let found =
            self.parsed(&["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"], &["ignore_configured_endpoint_urls"], boolean)?;
        Ok(found.unwrap_or(default(false)))
    }
}

pub(crate) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("true or false"),
    }
}

fn addressing(text: &str) -> Result<AddressingStyle, &'static str> {
    match text {
        "auto" => Ok(AddressingStyle::Auto),
        "path" => Ok(AddressingStyle::Path),
        "virtual" => Ok(AddressingStyle::VirtualHost),
        _ => Err("auto, path or virtual"),
    }
}

pub(crate) fn regional(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "regional" => Ok(true),
        "legacy" => Ok(false),
        _ => Err("regional or legacy"),
    }
}

fn when(text: &str) -> Result<When, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "when_supported" => Ok(When::Supported),
        "when_required" => Ok(When::Required),
        _ => Err("when_supported or when_required"),
    }
}

pub(crate) fn attempts(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("a whole number, at least 1")
}

/// All modes retry as `standard` does: `legacy` is older, and `adaptive` adds what S3 does not need.
fn retry_mode(text: &str) -> Result<String, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        mode @ ("standard" | "adaptive" | "legacy") => Ok(mode.to_owned()),
        _ => Err("standard, adaptive or legacy"),
    }
}
