//! What keeps the data of the stores that the tests make: a directory of each store's own.

use std::time::SystemTime;

use wharf_embedded::{Builder, Store};

/// A store in a directory that goes with it.
pub(crate) fn make(builder: Builder, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Store {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    // A store drops its clock after its data.
    let clock = move || {
        let _ = &directory;
        now()
    };
    builder.clock(clock).open(path).unwrap()
}
