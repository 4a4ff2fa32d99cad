//! The real binary, run against a store behind a TCP port and against `wharf serve`; whole outputs are compared.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in tests, a panic is how they fail")]

mod bench;
mod cat;
mod ls;
mod presign;
mod secrets;
mod serve;
mod serve_tls;
mod usage;
mod whoami;
