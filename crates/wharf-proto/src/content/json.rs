//! JSON, by `serde_json`.

use serde::Serialize;

use crate::body::{Body, IntoBody};
use crate::{Error, ErrorKind};

/// A value as JSON (`application/json`).
///
/// Serialised when the call is made; a value that cannot be serialised fails the call when it is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoBody for Json<T> {
    fn into_body(self, _key: &str) -> Body {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Body::bytes(bytes).with_content_type("application/json"),
            Err(error) => Body::failed(
                Error::new(ErrorKind::InvalidInput, format!("the value cannot be written as JSON: {error}"))
                    .with_cause(error),
            ),
        }
    }
}
