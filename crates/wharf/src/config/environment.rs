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

    /// A variable's text; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.get_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self(Arc::new(|name| env::var_os(name)))
    }
}
