//! The store through hand-made requests, signed by a signer that knows nothing of the store or of any client.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod auth;
mod backing;
mod bucket_documents;
mod chunked;
mod cors;
mod faults;
mod faults_wire;
mod forms;
mod listing;
mod multipart;
mod objects;
mod personalities;
mod policy;
mod seam;
mod support;
mod tcp;
mod versions;
