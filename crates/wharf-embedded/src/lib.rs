//! An S3 store inside your process.
//!
//! ```
//! use wharf_embedded::Store;
//!
//! let store = Store::in_memory();
//! // Give a clone to a client as its transport; it finds endpoint, region and keys by itself.
//! let transport = store.clone();
//! // Afterwards, see what was asked.
//! assert!(store.requests().is_empty());
//! ```
//!
//! The store keeps its data in memory and answers in process, without a thread, a port or a socket. For other programs
//! [`Store::serve`] puts it behind a TCP port. It verifies signatures, hashes and checksums, and refuses what S3
//! refuses; what it does not carry is answered `501 NotImplemented`, never with a wrong success.
//!
//! Signatures, chunked framing and the documents of requests are read by `s3s`, not by code that a client of the same
//! authors could share its mistakes with.

mod account;
mod acl;
mod backend;
mod blob;
mod builder;
mod call;
mod checksum;
mod condition;
mod copy_source;
mod error;
mod front;
mod id;
mod kept;
mod list;
mod lock;
mod log;
mod memory;
mod op;
mod query;
mod range;
mod receive;
mod route;
mod server;
mod store;
mod tags;
mod target;
mod time;
mod token;
mod xml;

pub use builder::Builder;
pub use log::{LOG_CAPACITY, LoggedRequest};
pub use server::Server;
pub use store::Store;
