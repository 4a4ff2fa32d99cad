//! Writes `docs/providers.md`.

use std::io;

fn main() -> io::Result<()> {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers.md"), conformance::page::providers())
}
