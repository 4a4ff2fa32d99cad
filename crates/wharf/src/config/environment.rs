//! Environment variables.

use std::env;
use std::ffi::OsString;
use std::sync::Arc;

/// Environment variables, or what a test has in their place.
#[derive(Clone)]
pub(crate) struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    pub(crate) fn of(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |name| lookup(name).map(OsString::from)))
    }

    pub(crate) fn get_os(&self, name: &str) -> Option<OsString> {
        (self.0)(name)
    }

    /// A variable's text; an empty one is none. One that is not UTF-8 stays set, so that what it is for reports it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = self.get_os(name).filter(|value| !value.is_empty())?;
        Some(value.to_string_lossy().into_owned())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self(Arc::new(|name| env::var_os(name)))
    }
}
