//! The store through hand-made requests, signed by a signer that knows nothing of the store or of any client.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auth;
mod backing;
mod chunked;
mod listing;
mod multipart;
mod objects;
mod seam;
mod support;
mod tcp;
mod versions;
