//! S3 for Rust.
//!
//! A [`Client`] makes calls; a call's options chain on it, and the call is awaited. Every call is what its S3 name
//! says: [`put_object`](Client::put_object) is exactly one PutObject request.

pub mod blocking;
mod body;
mod calls;
mod client;
mod clock;
mod config;
mod credentials;
mod dispatch;
mod exists;
mod payload;
mod presign;
mod profiles;
mod progress;
mod quotas;
mod runtime;
pub mod transport;

#[cfg(feature = "tokio-io")]
mod reader;

pub use body::ObjectBody;
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use config::ClientBuilder;
pub use credentials::ProvideCredentials;
#[cfg(feature = "tokio-io")]
pub use reader::Reader;

pub use bytes;
pub use http;
pub use wharf_proto as proto;
pub use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
pub use wharf_proto::content::*;
pub use wharf_proto::op;
pub use wharf_proto::op::{CompletedPart, ObjectIdentifier, VersioningStatus};
pub use wharf_proto::{
    AddressingStyle, Body, ByteRange, CannedAcl, Credentials, CustomerKey, ETag, Encryption, EncryptionInfo, Error,
    ErrorKind, Grantee, IntoBody, KmsKey, Metadata, ObjectHead, ObjectLockMode, Presigned, Provider, S3Uri,
    StorageClass, Tag,
};

/// An object that is being read.
pub type Object = wharf_proto::Object<ObjectBody>;

/// What a call gives back, or why it failed.
pub type Result<T, E = Error> = std::result::Result<T, E>;
