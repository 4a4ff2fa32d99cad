//! What goes wrong, and how it exits.

use std::fmt;
use std::process::ExitCode;

use wharf::ErrorKind;

/// How the command ends. The numbers are aws-cli's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is done.
    Done = 0,
    /// Of several things one failed, or nothing was found.
    Failed = 1,
    /// What was typed cannot be carried out.
    Usage = 252,
    /// The environment, the AWS files or the options do not make a client.
    Configuration = 253,
    /// The server answered with an error.
    Service = 254,
    /// Anything else: no connection, a full disk.
    Other = 255,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read our output has gone (`wharf cat ... | head`): it has all it wanted, so this is no error.
    ReaderGone,
    /// Something to be told: in one line, with a hint apart from it.
    Told { exit: Exit, message: String, hint: Option<String> },
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Told { exit, message: message.into(), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what the reader can do about it.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Told { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// The same, with another exit code.
    pub(crate) fn exits(mut self, code: Exit) -> Self {
        if let Self::Told { exit, .. } = &mut self {
            *exit = code;
        }
        self
    }

    /// How the command ends because of it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::ReaderGone => Exit::Done,
            Self::Told { exit, .. } => *exit,
        }
    }
}

/// The lines for standard error; none where nobody need be told.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Told { message, hint, .. } = self else { return Ok(()) };
        write!(f, "wharf: {message}")?;
        match hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<wharf::Error> for Failure {
    fn from(error: wharf::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::NoCredentials => Exit::Configuration,
            _ if error.status().is_some() => Exit::Service,
            ErrorKind::InvalidInput => Exit::Usage,
            _ => Exit::Other,
        };
        Self::Told { exit, message: error.to_string(), hint: hint(&error) }
    }
}

/// The library's hints speak of its methods; where the command has an option for it, this names the option.
fn hint(error: &wharf::Error) -> Option<String> {
    match (error.kind(), error.region()) {
        (ErrorKind::NoCredentials, _) if error.hint().is_some_and(|hint| hint.contains(".anonymous()")) => Some(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile, or read what is public \
             with --no-sign-request"
                .to_owned(),
        ),
        (ErrorKind::WrongRegion, Some(region)) => Some(format!("say --region {region}")),
        (ErrorKind::InvalidInput, _) if hints_at(error, ".region(") => {
            Some("say --region, set AWS_REGION, or put region into the profile".to_owned())
        }
        (ErrorKind::Transport, _) if hints_at(error, ".root_certificates_pem(") => {
            Some("put the certificate into the system's store, or name its file in SSL_CERT_FILE".to_owned())
        }
        (ErrorKind::WrongRegion, None) => Some("say the bucket's region with --region".to_owned()),
        _ => error.hint().map(str::to_owned),
    }
}

fn hints_at(error: &wharf::Error, method: &str) -> bool {
    error.hint().is_some_and(|hint| hint.contains(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_library_has_its_code_and_hint() {
        let cases = [
            (wharf::Error::invalid_input("no"), Exit::Usage, "wharf: no"),
            (wharf::Error::new(ErrorKind::Transport, "refused"), Exit::Other, "wharf: refused"),
            (
                wharf::Error::new(ErrorKind::NoCredentials, "no keys").with_hint("say .anonymous()"),
                Exit::Configuration,
                "wharf: no keys\nhint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with \
                 --profile, or read what is public with --no-sign-request",
            ),
            (
                wharf::Error::new(ErrorKind::WrongRegion, "moved").with_hint("set the client's region"),
                Exit::Other,
                "wharf: moved\nhint: say the bucket's region with --region",
            ),
            (
                wharf::Error::new(ErrorKind::Transport, "TLS").with_hint("see .root_certificates_pem()"),
                Exit::Other,
                "wharf: TLS\nhint: put the certificate into the system's store, or name its file in SSL_CERT_FILE",
            ),
        ];
        for (error, exit, text) in cases {
            let failure = Failure::from(error);
            assert_eq!((failure.exit(), failure.to_string().as_str()), (exit, text));
        }
    }
}
