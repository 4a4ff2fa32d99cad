//! The real binary at work on a server: the embedded store, or the one that the environment names. Whole outputs are
//! compared, and what is there afterwards.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in tests, a panic is how they fail")]

mod absent;
mod bench;
mod buckets;
mod case;
mod cp;
#[cfg(target_os = "linux")]
mod durable;
mod effects;
mod embedded;
mod hostile;
mod interrupt;
mod json;
mod like_aws;
mod look;
mod mv;
mod no_overwrite;
mod options;
mod pipe;
mod readme;
mod rm;
mod run;
mod sync;
mod terminal;
mod verify;
