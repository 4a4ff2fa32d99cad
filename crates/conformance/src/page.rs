//! The page about providers, made of the checks and the servers' tables.

/// The text of `docs/providers.md`.
pub fn providers() -> String {
    String::new()
}
