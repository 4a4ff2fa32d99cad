//! The AWS config and credentials files, read when a client is built.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wharf_proto::Error;
use wharf_proto::profile::{FileKind, FileLocations, Platform, ProfileWarning, Profiles, Property, Section};

use crate::config::Environment;
use crate::settings::Origin;

/// Both files laid on top of each other, and which profile is asked for.
#[derive(Debug)]
pub(crate) struct Files {
    profiles: Profiles,
    home: Option<PathBuf>,
    config: Option<PathBuf>,
    credentials: Option<PathBuf>,
    /// Who says where the two are.
    placed_by: [Origin; 2],
    name: String,
    named_by: Origin,
}

/// One profile of the files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile<'a> {
    files: &'a Files,
    name: &'a str,
    section: &'a Section,
}

impl Files {
    /// Reads the files that the environment names; those it does not name need not exist. `name` is the profile that
    /// the program asks for: without it the environment's, or `default`. A profile that is asked for must exist.
    pub(crate) fn read(
        name: Option<&str>,
        credentials_file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let locations = FileLocations::find(Platform::current(), |name| environment.get_os(name));
        let config = read(FileKind::Config, locations.config.as_deref(), false)?;
        let (credentials_path, must_exist) = match credentials_file {
            Some(path) => (Some(path.to_owned()), true),
            None => (locations.credentials, false),
        };
        let credentials = read(FileKind::Credentials, credentials_path.as_deref(), must_exist)?;
        let (name, named_by) = match (name, locations.profile, environment.get("AWS_DEFAULT_PROFILE")) {
            (Some(name), ..) => (name.to_owned(), Origin::Code),
            (None, Some(name), _) => (name, Origin::Variable("AWS_PROFILE")),
            (None, None, Some(name)) => (name, Origin::Variable("AWS_DEFAULT_PROFILE")),
            (None, None, None) => ("default".to_owned(), Origin::Default),
        };
        let by = |variable| match environment.get_os(variable).is_some_and(|path| !path.is_empty()) {
            true => Origin::Variable(variable),
            false => Origin::Default,
        };
        let placed_by = match credentials_file {
            Some(_) => [by("AWS_CONFIG_FILE"), Origin::Code],
            None => [by("AWS_CONFIG_FILE"), by("AWS_SHARED_CREDENTIALS_FILE")],
        };
        let files = Self {
            profiles: Profiles::merge(config, credentials),
            home: locations.home,
            config: locations.config,
            credentials: credentials_path,
            placed_by,
            name,
            named_by,
        };
        if files.named_by != Origin::Default {
            files.profile(&files.name).map_err(|error| files.named_by.blame(error))?;
        }
        Ok(files)
    }

    /// The profile that is asked for. Only `default` may be missing.
    pub(crate) fn selected(&self) -> Option<Profile<'_>> {
        self.profile(&self.name).ok()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The credentials file that the program names.
    pub(crate) fn credentials_file(&self) -> Option<&Path> {
        self.credentials.as_deref().filter(|_| self.placed_by[1] == Origin::Code)
    }

    /// The home folder, below which `aws sso login` leaves its tokens.
    pub(crate) fn home(&self) -> &Path {
        self.home.as_deref().unwrap_or(Path::new(""))
    }

    pub(crate) fn named_by(&self) -> &Origin {
        &self.named_by
    }

    /// The profile of that name.
    pub(crate) fn profile<'a>(&'a self, name: &'a str) -> Result<Profile<'a>, Error> {
        if let Some(section) = self.profiles.profile(name) {
            return Ok(Profile { files: self, name, section });
        }
        let known: Vec<_> = self.profiles.profiles().map(|(name, _)| name).collect();
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
        let files: Vec<_> = self.paths().map(|path| path.display().to_string()).collect();
        let place = if files.is_empty() { "any file".to_owned() } else { files.join(" or ") };
        let error = Error::invalid_input(format!("profile {name:?} is not in {place}; {known}"));
        Err(match self.warnings().first() {
            Some(warning) => error.with_hint(warning.clone()),
            None => error,
        })
    }

    /// Where the files are looked for, and who says so.
    pub(crate) fn tell(&self) -> Vec<(&'static str, &Path, Origin)> {
        let places = [("config file", &self.config), ("credentials file", &self.credentials)];
        let rows = places.into_iter().zip(&self.placed_by);
        rows.filter_map(|((name, path), origin)| Some((name, path.as_deref()?, origin.clone()))).collect()
    }

    pub(crate) fn sso_session(&self, name: &str) -> Option<OtherSection<'_>> {
        self.profiles.sso_session(name).map(|section| OtherSection { files: self, section })
    }

    /// The files that are looked into, whether they exist or not.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        [&self.config, &self.credentials].into_iter().flatten().map(PathBuf::as_path)
    }

    /// What was skipped, each with its file and line.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let shown = |warning: &ProfileWarning| {
            let place = self.origin(warning.file, warning.line);
            format!("{place}: {}", warning.message)
        };
        self.profiles.warnings().iter().map(shown).collect()
    }

    fn origin(&self, file: FileKind, line: usize) -> Origin {
        let path = match file {
            FileKind::Config => &self.config,
            FileKind::Credentials => &self.credentials,
        };
        Origin::File { path: path.clone().unwrap_or_default(), line }
    }
}

impl<'a> Profile<'a> {
    pub(crate) fn files(&self) -> &'a Files {
        self.files
    }

    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    /// A property's value and where it stands; an empty one is none.
    pub(crate) fn find(&self, property: &str) -> Option<(&'a str, Origin)> {
        OtherSection { files: self.files, section: self.section }.find(property)
    }

    /// A property's value; an empty one is none.
    pub(crate) fn get(&self, property: &str) -> Option<&'a str> {
        self.find(property).map(|(value, _)| value)
    }

    /// A property nested in another, such as `addressing_style` of `s3`.
    pub(crate) fn find_nested(&self, section: &str, property: &str) -> Option<(&'a str, Origin)> {
        value(self.files, self.section.get(section)?.sub_property(property)?)
    }

    /// The endpoint that its `services` section has for a service.
    ///
    /// # Errors
    /// A section that does not exist.
    pub(crate) fn service_endpoint(&self, service: &str) -> Result<Option<(&'a str, Origin)>, Error> {
        let Some((name, origin)) = self.find("services") else { return Ok(None) };
        let section = self.files.profiles.services(name).ok_or_else(|| {
            Error::invalid_input(format!("{origin}: there is no [services {name}]; add it to the config file"))
        })?;
        let url = section.get(service).and_then(|service| service.sub_property("endpoint_url"));
        Ok(url.and_then(|url| value(self.files, url)))
    }
}

/// A section that is no profile: an SSO session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OtherSection<'a> {
    files: &'a Files,
    section: &'a Section,
}

impl<'a> OtherSection<'a> {
    pub(crate) fn find(&self, property: &str) -> Option<(&'a str, Origin)> {
        value(self.files, self.section.get(property)?)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.files.origin(self.section.file(), self.section.line())
    }
}

fn value<'a>(files: &Files, property: &'a Property) -> Option<(&'a str, Origin)> {
    let origin = files.origin(property.file(), property.line());
    Some((property.value(), origin)).filter(|(value, _)| !value.is_empty())
}

fn read(kind: FileKind, path: Option<&Path>, must_exist: bool) -> Result<Profiles, Error> {
    let Some(path) = path else { return Ok(Profiles::default()) };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(Profiles::default()),
        Err(error) => {
            let message = format!("the {kind} {} cannot be read: {error}", path.display());
            return Err(Error::invalid_input(message).with_cause(error));
        }
    };
    Profiles::parse(kind, &text)
        .map_err(|error| Error::invalid_input(format!("{}: {error}", path.display())).with_cause(error))
}
