//! User metadata: names and values that go with an object.

use std::collections::BTreeMap;

use http::HeaderMap;

use crate::operation::Request;
use crate::Error;

/// User metadata, by name. Names are case-insensitive on the wire and come back in lower case.
pub type Metadata = BTreeMap<String, String>;

pub(crate) fn apply(metadata: &Metadata, request: &mut Request) -> Result<(), Error> {
    let _ = (metadata, request);
    Ok(())
}

pub(crate) fn read(_headers: &HeaderMap) -> Metadata {
    Metadata::new()
}
