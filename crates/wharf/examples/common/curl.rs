//! `curl`, by which the examples try what they sign.

use std::env;
use std::io::ErrorKind::NotFound;
use std::process::Command;

use wharf::{Error, ErrorKind, Result};

/// It goes where the client goes: straight to this machine, and trusting whom `AWS_CA_BUNDLE` names.
pub(crate) fn command() -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail"]);
    let spared = ["no_proxy", "NO_PROXY"].iter().find_map(|name| env::var(name).ok()).unwrap_or_default();
    curl.env("no_proxy", format!("{spared},127.0.0.1,localhost"));
    if let Some(bundle) = env::var_os("AWS_CA_BUNDLE").filter(|bundle| !bundle.is_empty()) {
        curl.arg("--cacert").arg(bundle);
    }
    curl
}

/// What it prints; `None` where it is not installed.
pub(crate) fn printed(curl: &mut Command) -> Result<Option<String>> {
    match curl.output() {
        Ok(done) if done.status.success() => Ok(Some(String::from_utf8_lossy(&done.stdout).into_owned())),
        Ok(done) => Err(Error::new(ErrorKind::Other, String::from_utf8_lossy(&done.stderr).trim())),
        Err(error) if error.kind() == NotFound => Ok(None),
        Err(error) => Err(Error::new(ErrorKind::Other, format!("curl cannot be run: {error}"))),
    }
}
