//! Every source of credentials, against fakes on loopback: order, laziness, refresh, single flight, failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod cache;
mod common;
mod container;
mod explain;
mod imds;
mod order;
#[cfg(unix)]
mod process;
mod profiles;
mod refused;
mod sso;
mod sts;
#[path = "../support/mod.rs"]
mod support;
