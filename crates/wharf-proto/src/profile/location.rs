//! Where the two files are: a function of the environment.

use std::ffi::OsString;
use std::path::PathBuf;

/// Which rules for the home folder and for paths apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Everything but Windows: the home folder is `HOME`.
    Unix,
    /// The home folder is `HOME`, else `USERPROFILE`, else `HOMEDRIVE` and `HOMEPATH` joined.
    Windows,
}

impl Platform {
    /// The platform this was built for.
    pub const fn current() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }
}

/// Where the files are and which profile is asked for. The files need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLocations {
    /// The home folder, below which other AWS tools keep their files too.
    pub home: Option<PathBuf>,
    /// `AWS_CONFIG_FILE`, else `.aws/config` in the home folder; none when neither is known.
    pub config: Option<PathBuf>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `.aws/credentials` in the home folder; none when neither is known.
    pub credentials: Option<PathBuf>,
    /// `AWS_PROFILE`. None means the profile `default`, which need not exist; one that is named must.
    pub profile: Option<String>,
}

impl FileLocations {
    /// Applies the rules to the environment, which `lookup` reads by name: `|name| std::env::var_os(name)`.
    ///
    /// An empty variable counts as absent. A path that starts with `~` and a separator is taken from the home folder,
    /// since not everything that sets variables expands it.
    pub fn find(platform: Platform, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let home = match platform {
            Platform::Unix => variable("HOME"),
            Platform::Windows => variable("HOME").or_else(|| variable("USERPROFILE")).or_else(|| {
                let mut drive = variable("HOMEDRIVE")?;
                drive.push(variable("HOMEPATH")?);
                Some(drive)
            }),
        };
        let file = |name: &str, default: [&str; 2]| match (variable(name), &home) {
            (Some(path), Some(home)) => Some(expand(platform, home, path)),
            (Some(path), None) => Some(path.into()),
            (None, Some(home)) => Some(join(platform, home, &default)),
            (None, None) => None,
        };
        Self {
            home: home.clone().map(PathBuf::from),
            config: file("AWS_CONFIG_FILE", [".aws", "config"]),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", [".aws", "credentials"]),
            // A name that is not UTF-8 stays set, so that it is reported as a profile that does not exist.
            profile: variable("AWS_PROFILE").map(|name| name.to_string_lossy().into_owned()),
        }
    }
}

fn expand(platform: Platform, home: &OsString, path: OsString) -> PathBuf {
    let below_home = path.to_str().and_then(|path| match platform {
        Platform::Unix => path.strip_prefix("~/"),
        Platform::Windows => path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\")),
    });
    match below_home {
        Some(below) => join(platform, home, &[below]),
        None => path.into(),
    }
}

/// `Path::join` would use the separator of the platform it runs on.
fn join(platform: Platform, home: &OsString, names: &[&str]) -> PathBuf {
    let mut path = home.clone();
    for name in names {
        path.push(match platform {
            Platform::Unix => "/",
            Platform::Windows => "\\",
        });
        path.push(name);
    }
    path.into()
}
