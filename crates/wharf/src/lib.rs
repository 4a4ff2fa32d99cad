//! S3 for Rust: buckets, objects, typed content, streams, multipart uploads and presigned URLs, on any S3.
//!
//! A [`Client`] makes calls; a call's options chain on it, and the call is awaited:
//!
//! ```no_run
//! use wharf::{Client, Json};
//!
//! # async fn example() -> wharf::Result<()> {
//! let s3 = Client::builder().region("eu-west-1").profile("work").build()?;
//! s3.put_object("my-bucket", "docs/readme.txt", "Hello!").content_type("text/plain").if_absent().await?;
//! s3.put_object("my-bucket", "users/1.json", Json(&["Ada"])).metadata("team", "blue").await?;
//! let text: String = s3.get_object("my-bucket", "docs/readme.txt").text().await?;
//! let page = s3.list_objects("my-bucket").prefix("docs/").max_keys(100).await?;
//! # Ok(())
//! # }
//! ```
//!
//! * Every call is what its S3 name says: [`put_object`](Client::put_object) is exactly one PutObject request. The
//!   calls' own pages are in [`op`]: their options, limits and errors.
//! * What is sent: anything that is [`IntoBody`]. Text, bytes, a [`Path`](std::path::Path), a stream, an `AsyncRead` by
//!   [`Reader`], values by [`Json`], [`Xml`], [`Csv`], [`Record`].
//! * What is read: an [`Object`], whole or as it arrives.
//! * What fails: [`Error`], with a [`kind`](Error::kind) to match.
//! * Without async: [`blocking`]. Without a network: [`ClientBuilder::transport`] with `wharf-embedded`'s store.

pub mod blocking;
mod body;
mod buckets;
mod calls;
mod client;
mod clock;
mod config;
mod counters;
mod credentials;
mod dispatch;
mod explain;
mod identity;
mod payload;
mod presign;
mod probe;
mod profiles;
mod progress;
mod route;
mod runtime;
mod session;
mod settings;
pub mod transfer;
pub mod transport;

#[cfg(feature = "tokio-io")]
mod reader;

pub use body::ObjectBody;
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use config::ClientBuilder;
pub use counters::Counters;
pub use credentials::{CachedCredentials, CredentialsFuture, ProvideCredentials};
pub use explain::{Explanation, Setting};
pub use probe::{Finding, ProbeReport};
#[cfg(feature = "tokio-io")]
pub use reader::Reader;
pub use settings::Origin;

pub use bytes;
pub use http;
pub use wharf_proto as proto;
pub use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
pub use wharf_proto::content::*;
pub use wharf_proto::op;
pub use wharf_proto::op::{CompletedPart, ObjectIdentifier, VersioningStatus};
pub use wharf_proto::provider;
pub use wharf_proto::{
    AddressingStyle, Body, ByteRange, CannedAcl, Credentials, CustomerKey, ETag, Encryption, EncryptionInfo, Error,
    ErrorKind, EventHoldDuration, Grantee, IntoBody, KmsKey, Metadata, ObjectHead, ObjectLockMode, Presigned, Provider,
    S3Uri, StorageClass, Tag,
};

/// An object that is being read.
pub type Object = wharf_proto::Object<ObjectBody>;

/// What a call gives back, or why it failed.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The README's programs, compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The same of "Testing your application".
#[cfg(doctest)]
#[doc = include_str!("../../../docs/testing.md")]
struct Testing;

/// The same of "Transfers".
#[cfg(doctest)]
#[doc = include_str!("../../../docs/transfers.md")]
struct Transfers;
