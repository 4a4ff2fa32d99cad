//! Typed content: what can be written as a body and read back as a value.

mod read;
#[cfg(feature = "json")]
mod json;

#[cfg(feature = "json")]
pub use json::Json;
