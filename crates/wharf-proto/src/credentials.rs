//! The keys that a request is signed with.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// An access key, its secret, and what comes with temporary ones.
///
/// Cloning is cheap. `Debug` shows the access key id and nothing that is secret.
///
/// ```
/// use wharf_proto::Credentials;
///
/// let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
/// assert_eq!(keys.access_key_id(), "AKIAIOSFODNN7EXAMPLE");
/// assert!(!format!("{keys:?}").contains("wJalr"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    access_key_id: Arc<str>,
    secret_access_key: Arc<str>,
    session_token: Option<Arc<str>>,
    expires_at: Option<SystemTime>,
}

impl Credentials {
    /// Long-lived keys: no session token, no end.
    pub fn new(access_key_id: impl Into<Arc<str>>, secret_access_key: impl Into<Arc<str>>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
            expires_at: None,
        }
    }

    /// Adds the session token of temporary keys. An empty token is no token.
    #[must_use]
    pub fn with_session_token(mut self, token: impl Into<Arc<str>>) -> Self {
        let token = token.into();
        self.session_token = (!token.is_empty()).then_some(token);
        self
    }

    /// Says when the keys stop working.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: SystemTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// The public half, such as `AKIAIOSFODNN7EXAMPLE`.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret half. Never print it.
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// The session token of temporary keys; never `Some("")`. Never print it.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// When the keys stop working; `None` if they do not say.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    pub(crate) fn shared_secret(&self) -> &Arc<str> {
        &self.secret_access_key
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"<redacted>")
            .field("session_token", &self.session_token.as_ref().map(|_| "<redacted>"))
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_token_is_no_token() {
        let keys = Credentials::new("id", "secret").with_session_token("t").with_session_token("");
        assert_eq!(keys.session_token(), None);
    }

    #[test]
    fn debug_hides_the_secret_and_the_token() {
        let keys = Credentials::new("AKID", "s3cr3t").with_session_token("t0k3n").with_expiry(SystemTime::UNIX_EPOCH);
        let text = format!("{keys:?} {keys:#?}");
        assert!(text.contains("AKID"));
        assert!(!text.contains("s3cr3t") && !text.contains("t0k3n"), "{text}");
    }
}
