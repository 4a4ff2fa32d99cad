//! Downloads: into files, in order, and read where one likes; on a store that fails on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../support/mod.rs"]
mod support;

mod common;
mod faults;
mod files;
mod order;
mod reader;
