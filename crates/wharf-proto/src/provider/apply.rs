//! What habits do to a request.

use std::borrow::Cow;

use http::Method;

use super::{Condition, Habits};
use crate::operation::Request;
use crate::{Error, ErrorKind};

impl Habits {
    /// Makes `request` one that the provider understands, or refuses it. To be called once, before it is sent.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a condition that the provider [ignores](Habits::ignores).
    pub fn apply(&self, request: &mut Request) -> Result<(), Error> {
        self.check(request)?;
        if !self.checksum_mode {
            request.headers.remove("x-amz-checksum-mode");
        }
        if request.method == Method::GET && request.key.is_none() {
            if !self.list_encoding {
                request.query.retain(|(name, _)| name != "encoding-type");
            }
            if !self.list_v2 {
                to_version_1(&mut request.query);
            }
        }
        Ok(())
    }

    /// Refuses a request with a condition that would be ignored.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported).
    pub fn check(&self, request: &Request) -> Result<(), Error> {
        let ignored = Condition::of(request).iter().find(|condition| self.ignores.contains(*condition));
        let Some(condition) = ignored else { return Ok(()) };
        let damage = condition.damage();
        let known = match condition {
            Condition::DeleteIfSizeOrDate | Condition::Append => "only Amazon S3 is known to keep",
            _ => "this provider is known to ignore",
        };
        let message = format!("{known} the condition \"{condition}\": {damage}; nothing was sent");
        Err(Error::new(ErrorKind::Unsupported, message))
    }
}

type Query = Vec<(Cow<'static, str>, Option<String>)>;

/// ListObjects in place of ListObjectsV2: a token of our own making is a marker.
fn to_version_1(query: &mut Query) {
    if !query.iter().any(|(name, value)| name == "list-type" && value.as_deref() == Some("2")) {
        return;
    }
    let goes_on = query.iter().any(|(name, _)| name == "continuation-token");
    query.retain(|(name, _)| match &**name {
        "list-type" | "fetch-owner" => false,
        "start-after" => !goes_on,
        _ => true,
    });
    for (name, _) in query {
        if name == "continuation-token" || name == "start-after" {
            *name = "marker".into();
        }
    }
}
