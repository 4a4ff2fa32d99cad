//! The AWS config and credentials files, read when a client is built.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wharf_proto::profile::{FileKind, FileLocations, Platform, Profiles, Section};
use wharf_proto::{Error, ErrorKind};

use crate::config::Environment;

/// One profile, with both files laid on top of each other.
#[derive(Debug)]
pub(crate) struct Profile {
    name: String,
    section: Section,
    /// The `[services NAME]` that it names.
    services: Option<Section>,
}

impl Profile {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Why no keys come of it: it has none, or has them elsewhere.
    pub(crate) fn lacks_keys(&self) -> String {
        let elsewhere = ["credential_process", "sso_session", "sso_start_url", "role_arn", "credential_source"];
        match elsewhere.into_iter().find(|property| self.get(property).is_some()) {
            Some(property) => format!("profile {:?} has no access key; {property} is not supported yet", self.name),
            None => format!("profile {:?} has no access key", self.name),
        }
    }

    /// The endpoint for S3: that of its services section, else its own.
    pub(crate) fn endpoint_url(&self) -> Option<&str> {
        let s3 = self.services.as_ref().and_then(|services| services.get("s3"));
        let of_s3 = s3.and_then(|s3| s3.sub_property("endpoint_url")).map(|url| url.value());
        of_s3.filter(|url| !url.is_empty()).or_else(|| self.get("endpoint_url"))
    }

    /// A property's value; an empty one is none.
    pub(crate) fn get(&self, property: &str) -> Option<&str> {
        self.section.get(property).map(|property| property.value()).filter(|value| !value.is_empty())
    }
}

/// Reads the profile `name`, or the one that the environment names, or `default`. A profile that is asked for by name
/// must exist.
pub(crate) fn load(
    name: Option<&str>,
    credentials_file: Option<&Path>,
    environment: &Environment,
) -> Result<Option<Profile>, Error> {
    let locations = FileLocations::find(Platform::current(), |name| environment.get_os(name));
    let config = read(FileKind::Config, locations.config.as_deref(), false)?;
    let credentials = match credentials_file {
        Some(path) => read(FileKind::Credentials, Some(path), true)?,
        None => read(FileKind::Credentials, locations.credentials.as_deref(), false)?,
    };
    let profiles = Profiles::merge(config, credentials);
    let asked_for = name.map(str::to_owned).or_else(|| locations.profile.clone());
    let name = asked_for.as_deref().unwrap_or("default");
    if let Some(section) = profiles.profile(name) {
        let services = section.get("services").and_then(|services| profiles.services(services.value()));
        let (section, services) = (section.clone(), services.cloned());
        return Ok(Some(Profile { name: name.to_owned(), section, services }));
    }
    if asked_for.is_none() {
        return Ok(None);
    }
    let known: Vec<_> = profiles.profiles().map(|(name, _)| name).collect();
    let known = if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
    let files = [locations.config, credentials_file.map(PathBuf::from).or(locations.credentials)];
    let files: Vec<_> = files.into_iter().flatten().map(|path| path.display().to_string()).collect();
    let place = if files.is_empty() { "any file".to_owned() } else { files.join(" or ") };
    Err(Error::invalid_input(format!("profile {name:?} is not in {place}; {known}")))
}

fn read(kind: FileKind, path: Option<&Path>, must_exist: bool) -> Result<Profiles, Error> {
    let Some(path) = path else { return Ok(Profiles::default()) };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(Profiles::default()),
        Err(error) => {
            let message = format!("the {kind} {} cannot be read: {error}", path.display());
            return Err(Error::new(ErrorKind::InvalidInput, message).with_cause(error));
        }
    };
    Profiles::parse(kind, &text)
        .map_err(|error| Error::invalid_input(format!("{}: {error}", path.display())).with_cause(error))
}
