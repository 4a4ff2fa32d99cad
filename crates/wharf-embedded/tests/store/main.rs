//! The store through hand-made requests, signed by a signer that knows nothing of the store or of any client.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auth;
mod chunked;
mod faults;
mod faults_wire;
mod listing;
mod multipart;
mod objects;
mod personalities;
mod seam;
mod support;
mod tcp;
mod versions;
