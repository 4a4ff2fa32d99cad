//! `wharf head`: what is known of an object.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;
use wharf::{ObjectHead, S3Uri};

use crate::context::Context;
use crate::customer_key::CustomerKeyArgs;
use crate::error::{Exit, Failure, RAW};
use crate::message;
use crate::payer::Payer;
use crate::printer::Printer;
use crate::url::{self, Shown};

const EXAMPLE: &str = "\
Example: the size, type, checksum and metadata of an object

  wharf head s3://my-bucket/reports/2026.csv";

/// Say what is known of an object
///
/// Exits with 1 where there is none.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY
    #[arg(value_name = "URL", value_parser = url::object)]
    url: S3Uri,
    /// A version of it that is not the latest
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
    #[command(flatten)]
    customer_key: CustomerKeyArgs,
    #[command(flatten)]
    payer: Payer,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
}

/// The head of an object; what S3 did not say is left out.
#[derive(Serialize)]
#[serde(tag = "type", rename = "head")]
struct Head {
    url: String,
    size: u64,
    #[serde(serialize_with = "message::time")]
    last_modified: Option<SystemTime>,
    etag: String,
    storage_class: String,
    #[serde(flatten)]
    more: BTreeMap<&'static str, String>,
    metadata: BTreeMap<String, String>,
}

impl Head {
    fn of(url: &S3Uri, head: ObjectHead) -> Self {
        let mut more = BTreeMap::new();
        for (name, value) in [
            ("version_id", head.version_id),
            ("content_type", head.content_type),
            ("content_encoding", head.content_encoding),
            ("content_disposition", head.content_disposition),
            ("content_language", head.content_language),
            ("cache_control", head.cache_control),
            ("expires", head.expires),
            ("checksum", head.checksum.map(|checksum| format!("{} {}", checksum.algorithm(), checksum.to_base64()))),
            ("checksum_type", head.checksum_type.map(|kind| kind.to_string())),
            ("parts", head.parts_count.map(|count| count.to_string())),
            ("tags", head.tag_count.map(|count| count.to_string())),
            ("encryption", head.encryption.map(|encryption| encryption.algorithm)),
            ("object_lock_mode", head.object_lock_mode.map(|mode| mode.as_str().to_owned())),
            ("object_lock_retain_until", head.object_lock_retain_until.and_then(text)),
            ("legal_hold", head.legal_hold.map(|on| on.to_string())),
            ("expiration", head.expiration),
            ("restore", head.restore),
            ("archive_status", head.archive_status),
            ("replication_status", head.replication_status),
            ("website_redirect_location", head.website_redirect_location),
        ] {
            if let Some(value) = value {
                more.insert(name, value);
            }
        }
        Self {
            url: Shown(url.bucket(), url.key()).to_string(),
            size: head.content_length,
            last_modified: head.last_modified,
            etag: head.etag.unquoted().to_owned(),
            storage_class: head.storage_class.as_str().to_owned(),
            more,
            metadata: head.metadata.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

fn text(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(|time| time.to_string())
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:26} {}", "url", self.url)?;
        writeln!(f, "{:26} {}", "size", self.size)?;
        if let Some(time) = self.last_modified.and_then(text) {
            writeln!(f, "{:26} {time}", "last_modified")?;
        }
        writeln!(f, "{:26} {}", "etag", self.etag)?;
        write!(f, "{:26} {}", "storage_class", self.storage_class)?;
        for (name, value) in &self.more {
            write!(f, "\n{name:26} {value}")?;
        }
        for (name, value) in &self.metadata {
            write!(f, "\n{:26} {value}", format!("metadata {name}"))?;
        }
        Ok(())
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    context.must_be_literal(&args.url, args.raw, "one object", RAW)?;
    let mut call = context.client()?.head_object(args.url.bucket(), args.url.key()).checksum_mode(true);
    if let Some(id) = args.version_id {
        call = call.version_id(id);
    }
    if let Some(key) = args.customer_key.key() {
        call = call.customer_key(key.clone());
    }
    if args.payer.requester_pays() {
        call = call.request_payer();
    }
    let failed = |error| Failure::of_object(error, args.url.bucket(), args.url.key());
    printer.say(&Head::of(&args.url, call.await.map_err(failed)?))?;
    Ok(Exit::Done)
}
