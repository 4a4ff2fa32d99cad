//! JSON, by `serde_json`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::format::{Format, Problem, cannot_write};
use crate::body::{Body, IntoBody};

/// A value as JSON (`application/json`).
///
/// Serialised when the call is made; a value that cannot be serialised fails the call when it is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoBody for Json<T> {
    fn into_body(self, _key: &str) -> Body {
        body(&self.0)
    }
}

pub(super) fn body<T: Serialize + ?Sized>(value: &T) -> Body {
    match serde_json::to_vec(value) {
        Ok(bytes) => Body::bytes(bytes).of_type("application/json"),
        Err(error) => Body::failed(cannot_write(Format::Json, Problem::new(&error).with_cause(error))),
    }
}

/// Reads a document. `serde_json` says line and column, and stops at 128 levels.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| Problem::new(&error).with_cause(error))
}
