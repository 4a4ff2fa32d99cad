//! Transfers that are interrupted and resumed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod cancelled;
mod common;
mod downloads;
mod kill;
mod left_over;
mod tap;
mod uploads;
