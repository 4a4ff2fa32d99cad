//! S3 on paper: what is sent and what comes back, without sending anything.
//!
//! Nothing here touches a socket, a clock, the environment or a file: time, randomness and text are arguments. An
//! [operation](op) is a value that turns itself into a [`Request`](operation::Request) and an answer into its output;
//! whoever implements [`Sender`](operation::Sender) sends it. `wharf` is that sender for most; use this crate alone
//! to sign, to parse or to plan where no client can run.

pub mod body;
pub mod checksum;
mod condition;
pub mod content;
pub mod correct;
mod credentials;
mod encryption;
pub mod endpoint;
mod error;
pub mod escape;
pub mod evidence;
mod headers;
pub mod key_space;
mod metadata;
mod name;
mod new_object;
mod object;
pub mod op;
pub mod operation;
pub mod paging;
pub mod profile;
pub mod provider;
mod range;
pub mod retry;
pub mod sigv4;
mod storage;
pub mod sts;
pub mod sync_plan;
pub mod time;
pub mod transfer;
mod uri;
mod xml;

pub use body::{Body, IntoBody};
pub use credentials::Credentials;
pub use encryption::{CustomerKey, Encryption, EncryptionInfo, KmsKey};
pub use endpoint::{AddressingStyle, Endpoint};
pub use error::{BoxError, Error, ErrorKind};
pub use metadata::Metadata;
pub use name::{ETag, MAX_KEY_BYTES, S3Uri, check_bucket, check_key, version_name};
pub use new_object::EventHoldDuration;
pub use object::{Object, ObjectHead};
pub use operation::Presigned;
pub use provider::Provider;
pub use range::{ByteRange, ContentRange};
pub use storage::{CannedAcl, Grantee, ObjectLockMode, StorageClass, Tag};
pub use xml::{is_error_document, is_web_page, is_whole_document};
