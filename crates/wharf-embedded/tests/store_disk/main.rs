//! The tests of `tests/store`, of a store on disk; and those that only a disk can fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that fails tells its seed")]

#[path = "../store/access.rs"]
mod access;
#[path = "../store/auth.rs"]
mod auth;
mod backing;
#[path = "../store/bucket_documents.rs"]
mod bucket_documents;
#[path = "../store/chunked.rs"]
mod chunked;
#[path = "../store/cors.rs"]
mod cors;
mod crash;
mod files;
#[path = "../store/forms.rs"]
mod forms;
mod full;
#[path = "../store/listing.rs"]
mod listing;
#[path = "../store/multipart.rs"]
mod multipart;
#[path = "../store/objects.rs"]
mod objects;
mod opening;
mod places;
#[path = "../store/policy.rs"]
mod policy;
#[path = "../store/seam.rs"]
mod seam;
#[path = "../store/support.rs"]
mod support;
#[path = "../store/tcp.rs"]
mod tcp;
#[path = "../store/versions.rs"]
mod versions;
