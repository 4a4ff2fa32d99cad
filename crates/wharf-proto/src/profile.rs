//! The AWS config and credentials files, from text to profiles.
//!
//! [`Profiles::parse`] reads one file, [`Profiles::merge`] lays the two on top of each other, and
//! [`FileLocations::find`] says where they are. Files and environment stay with the caller.
//!
//! What a file can hold:
//!
//! ```text
//! [default]                       # in either file
//! region = eu-west-1              # a comment needs a space before it
//!
//! [profile work]                  # config file; plain [work] in the credentials file
//! s3 =
//!   addressing_style = path       # an indented line: here a sub-property, elsewhere more of the value
//! services = local
//!
//! [sso-session corp]              # config file only, as are services
//! [services local]
//! ```
//!
//! Names of properties do not depend on case and are kept in lower case; the last of several wins, and the credentials
//! file wins over the config file. `[profile default]` displaces a `[default]` in the same file. A section or name that
//! is not valid is skipped and named in [`Profiles::warnings`]; a line that cannot be read is a [`ProfileError`].
//!
//! A line that is a comment is skipped even if it is indented, as the AWS command line does.
//!
//! ```
//! use wharf_proto::profile::{FileKind, Profiles};
//!
//! let config = Profiles::parse(FileKind::Config, "[profile work]\nregion = eu-west-1")?;
//! let credentials = Profiles::parse(FileKind::Credentials, "[work]\naws_access_key_id = AKIDEXAMPLE")?;
//! let profiles = Profiles::merge(config, credentials);
//! let region = profiles.profile("work").and_then(|work| work.get("region"));
//! assert_eq!(region.map(|region| (region.value(), region.line())), Some(("eu-west-1", 2)));
//! # Ok::<(), wharf_proto::profile::ProfileError>(())
//! ```

mod location;
mod parse;

use std::collections::BTreeMap;
use std::fmt;

pub use location::{FileLocations, Platform};

/// Which of the two files a text came from. It decides how sections are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `~/.aws/config`: `[default]`, `[profile NAME]`, `[sso-session NAME]`, `[services NAME]`.
    Config,
    /// `~/.aws/credentials`: `[NAME]`.
    Credentials,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "config file",
            Self::Credentials => "credentials file",
        })
    }
}

/// The sections of one file, or of both after [`Profiles::merge`].
///
/// `Debug` hides the values of secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profiles {
    profiles: BTreeMap<String, Section>,
    sso_sessions: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
    warnings: Vec<ProfileWarning>,
}

impl Profiles {
    /// Reads the text of one file.
    ///
    /// # Errors
    /// At the first line that is neither a section, a property, a continuation nor a comment.
    pub fn parse(file: FileKind, text: &str) -> Result<Self, ProfileError> {
        parse::parse(file, text)
    }

    /// Joins the two files: a profile in both has the properties of both, and where both set one, `credentials` wins.
    #[must_use]
    pub fn merge(config: Self, credentials: Self) -> Self {
        let mut merged = config;
        for (name, section) in credentials.profiles {
            match merged.profiles.get_mut(&name) {
                Some(known) => known.properties.extend(section.properties),
                None => {
                    merged.profiles.insert(name, section);
                }
            }
        }
        merged.warnings.extend(credentials.warnings);
        merged
    }

    /// The profile of that name; names depend on case.
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    /// All profiles, by name.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &Section)> {
        by_name(&self.profiles)
    }

    /// The `[sso-session NAME]` that profiles name in `sso_session`.
    pub fn sso_session(&self, name: &str) -> Option<&Section> {
        self.sso_sessions.get(name)
    }

    /// All `[sso-session NAME]` sections, by name.
    pub fn sso_sessions(&self) -> impl Iterator<Item = (&str, &Section)> {
        by_name(&self.sso_sessions)
    }

    /// The `[services NAME]` that profiles name in `services`: one property per service, with sub-properties.
    pub fn services(&self, name: &str) -> Option<&Section> {
        self.services.get(name)
    }

    /// What was skipped, in the order of the lines. Worth showing when a profile or setting is not found.
    pub fn warnings(&self) -> &[ProfileWarning] {
        &self.warnings
    }
}

/// One section: the properties of a profile, an SSO session or a set of services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    file: FileKind,
    line: usize,
    properties: BTreeMap<String, Property>,
}

impl Section {
    /// The property of that name, which is in lower case.
    pub fn get(&self, name: &str) -> Option<&Property> {
        self.properties.get(name)
    }

    /// All properties, by name.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Property)> {
        by_name(&self.properties)
    }

    /// The file that has the section; the config file when both have.
    pub const fn file(&self) -> FileKind {
        self.file
    }

    /// The line of the section's header, from 1; the first when there are several.
    pub const fn line(&self) -> usize {
        self.line
    }
}

/// The value of a property and where it stands.
///
/// `Debug` prints no secret: see [`Property::is_secret`]. It also leaves out continuation lines, since a secret
/// indented by mistake continues the value above it.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    file: FileKind,
    line: usize,
    value: String,
    secret: bool,
    sub_properties: BTreeMap<String, Property>,
}

impl Property {
    /// The value without the white space around it. Continuation lines follow after a `\n` each, also those that are
    /// sub-properties.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The file that the value is from.
    pub const fn file(&self) -> FileKind {
        self.file
    }

    /// The line of the property's name, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The nested property of that name, which is in lower case: `addressing_style` of `s3`.
    pub fn sub_property(&self, name: &str) -> Option<&Property> {
        self.sub_properties.get(name)
    }

    /// All nested properties, by name; none unless the first line of the value is empty.
    pub fn sub_properties(&self) -> impl Iterator<Item = (&str, &Property)> {
        by_name(&self.sub_properties)
    }

    /// Whether the value must never be shown: `aws_secret_access_key`, `aws_session_token`, any other name with
    /// `secret` or `password` in it or `token` at its end, and `credential_process`, whose arguments can be secrets.
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    fn new(file: FileKind, line: usize, name: &str, value: &str) -> Self {
        let secret = name.contains("secret")
            || name.contains("password")
            || name.ends_with("token")
            || name == "credential_process";
        Self { file, line, value: value.to_owned(), secret, sub_properties: BTreeMap::new() }
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Property");
        out.field("line", &self.line);
        match self.value.split_once('\n') {
            _ if self.secret => out.field("value", &format_args!("<secret>")),
            None => out.field("value", &self.value),
            Some(("", _)) => out.field("sub_properties", &self.sub_properties),
            Some((first, _)) => out.field("value", &format_args!("{first:?} and more lines")),
        };
        out.finish()
    }
}

fn by_name<T>(map: &BTreeMap<String, T>) -> impl Iterator<Item = (&str, &T)> {
    map.iter().map(|(name, item)| (name.as_str(), item))
}

/// A line that cannot be read. It says what to do and never repeats the line, which may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileError {
    /// The file.
    pub file: FileKind,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what to write instead.
    pub message: &'static str,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS {}, line {}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for ProfileError {}

/// A line that was skipped, or means something else than it seems to. It never repeats the line either.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileWarning {
    /// The file.
    pub file: FileKind,
    /// The line, from 1.
    pub line: usize,
    /// What became of it, and what to write instead.
    pub message: &'static str,
}

impl fmt::Display for ProfileWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS {}, line {}: {}", self.file, self.line, self.message)
    }
}
