//! What keeps the data of the stores that the tests make: memory. `tests/store_disk` has another.

use std::time::SystemTime;

use wharf_embedded::{Builder, Store};

/// A store whose clock stands still.
pub(crate) fn make(builder: Builder, now: SystemTime) -> Store {
    builder.clock(move || now).build()
}
