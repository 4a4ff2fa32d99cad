//! An S3 store inside your process.
//!
//! The store keeps its data in memory and answers in process, without a thread, a port or a socket:
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
//! For other programs it listens on a TCP port, which serves the same data:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use wharf_embedded::Store;
//!
//! let store = Store::builder().credentials("my-key", "my-secret").region("eu-west-1").build();
//! let server = store.serve("127.0.0.1:0").await?;
//! println!("export AWS_ENDPOINT_URL={}", server.endpoint());
//! server.stop().await;
//! # Ok::<_, std::io::Error>(())
//! # })?;
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! A store in a directory outlives its process, however that ends: a write is answered when it is safe.
//!
//! ```no_run
//! use wharf_embedded::Store;
//!
//! let store = Store::builder().credentials("my-key", "my-secret").open("data")?;
//! # Ok::<_, wharf_embedded::OpenError>(())
//! ```
//!
//! With the feature `tls` it serves HTTPS too, with a certificate that is given or made for it.
//!
//! # Making it fail
//!
//! A [`Fault`] makes it misbehave as scripted: answer 503, be slow, lose an answer, break off, spoil a byte. The same can
//! be [read from a file](Fault::from_toml). What was asked is in [a log](Store::requests), to be asserted on.
//!
//! ```
//! use wharf_embedded::{Fault, Operation, Store};
//!
//! let store = Store::in_memory();
//! let busy = store.inject(Fault::respond(503, "SlowDown").on(Operation::PutObject).times(2))?;
//! let lost = store.inject(Fault::drop_answer().on(Operation::PutObject).key("reports/*").nth(3))?;
//! // ... what is to be tested ...
//! # assert_eq!((busy.fired(), lost.fired()), (0, 0));
//! let asked = store.requests();
//! assert_eq!(asked.count(Operation::DeleteObject), 0, "nothing was to be deleted:\n{asked}");
//! store.clear_faults();
//! # Ok::<_, wharf_embedded::FaultError>(())
//! ```
//!
//! A [`Personality`] gives a store the habits of another server, such as one that ignores conditions.
//!
//! # What it carries
//!
//! * Buckets: CreateBucket, DeleteBucket, HeadBucket, ListBuckets, GetBucketLocation, GetBucketVersioning and
//!   PutBucketVersioning, ACLs and tagging of buckets.
//! * What configures a bucket: CORS, policy and its status, lifecycle, website, notification, encryption, ownership
//!   controls, public access block, object lock, acceleration, logging and request payment. Each comes back as it was
//!   put, and what S3 would refuse is refused.
//! * Objects: PutObject, PostObject (forms of browsers), GetObject, HeadObject, GetObjectAttributes, CopyObject,
//!   DeleteObject, DeleteObjects, and ACLs, tagging, legal hold and retention of objects.
//! * Listings: ListObjects, ListObjectsV2 and ListObjectVersions.
//! * Multipart uploads: CreateMultipartUpload, UploadPart, UploadPartCopy, CompleteMultipartUpload,
//!   AbortMultipartUpload, ListParts and ListMultipartUploads.
//!
//! Everything else is answered `501 NotImplemented`, never with a wrong success.
//!
//! It verifies signatures (in the header, in the query, in a form, chunk by chunk, and of trailers), payload hashes, checksums and
//! Content-MD5; keys are bytes and are never normalised; conditions are judged in the same step as the write they guard;
//! object lock is enforced.
//!
//! # Who may do what
//!
//! A request is its signer's, or nobody's: anonymous requests and those of other accounts
//! ([`Builder::account`](crate::Builder::account)) get what an ACL or the bucket's policy opens to them and
//! `403 AccessDenied` otherwise. What a policy denies is denied to everybody, the owner too, who can still take the
//! policy away. Temporary keys ([`Builder::session`](crate::Builder::session)) need their token. A bucket's CORS rules
//! answer browsers; its encryption and its default retention hold for new objects.
//!
//! Three things are otherwise than in a new AWS account:
//!
//! * A new bucket has ACLs and no public access block, as all buckets had until 2023: `public-read` works unless
//!   `BucketOwnerEnforced` or a public access block is set. AWS sets both by itself.
//! * An account is one identity, its root. Users and roles that a policy names are nobody here; canonical ids and
//!   addresses that an ACL names may be of nobody.
//! * Of the keys that a policy's conditions can ask for, those of networks (`aws:SourceVpc`), organizations and tags of
//!   principals are never there. `aws:SourceIp` is known over TCP alone. Variables such as `${aws:username}` are not
//!   replaced.
//!
//! # What it does not do
//!
//! * Lifecycle rules never run, notifications are never sent, access is never logged into a bucket, a website is never
//!   served, and nobody pays: these documents are kept and told. Replication cannot be configured.
//! * Nothing is encrypted. Headers of server-side encryption are kept and told, and a customer's key is asked for again.
//! * Objects of the storage classes `GLACIER` and `DEEP_ARCHIVE` cannot be read, and there is no RestoreObject.
//! * What is in memory goes with the last clone of its [`Store`]; keys, faults and the log of requests are never on disk.
//! * Of the checksums, the five that every S3 has are kept. One of the young ones (SHA-512, MD5, xxHash) is refused.
//! * There are no directory buckets, names of buckets within an account, holds until an event, nor MFA delete: what asks for
//!   them is refused.
//!
//! # Whose reading of S3 it is
//!
//! Signatures, chunked framing and the documents of requests are read by `s3s`, not by code that a client of the same
//! authors could share its mistakes with. What `s3s` lets pass and S3 does not is refused in front of it.

mod access;
mod account;
mod backend;
mod builder;
mod call;
mod checksum;
mod condition;
mod copy_source;
mod cors;
mod disk;
mod document;
mod encoded_words;
mod error;
mod faults;
mod form;
mod front;
mod hex;
mod id;
mod kept;
mod lock;
mod log;
mod memory;
mod op;
mod operations;
mod pattern;
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
pub use disk::OpenError;
pub use faults::{Fault, FaultError, Injected, Personality};
pub use log::{LOG_CAPACITY, LoggedRequest, Requests};
pub use operations::Operation;
pub use server::Server;
#[cfg(feature = "tls")]
pub use server::tls::Certificate;
pub use store::Store;
