//! What keeps the data of the stores that the tests make: memory. `tests/store_disk` has another.

use std::time::SystemTime;

use wharf_embedded::{Builder, Store};

pub(crate) fn make(builder: Builder, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Store {
    builder.clock(now).build()
}
