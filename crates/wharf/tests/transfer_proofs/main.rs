//! The proofs of transfers: whatever happens, the bytes are right, or there is one clear error, nothing that looks whole but is
//! not, and no upload left over. The slow ones are ignored and run by `ci/full`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod cluster;
mod common;
mod counts;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod memory;
mod storms;
#[path = "../support/mod.rs"]
mod support;
mod wire;
mod work;
