//! `wharf rm --incomplete`: uploads that nobody completed, whose parts are paid for.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use wharf::op::ListedUpload;
use wharf::transfer::Interrupted;
use wharf::{Client, S3Uri};

use super::Args;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::message::{self, Warning};
use crate::printer::Printer;
use crate::url::{Shown, Wild};

/// An upload that was aborted.
#[derive(Serialize)]
#[serde(tag = "type", rename = "abort")]
struct Aborted {
    source: String,
    upload_id: String,
    #[serde(serialize_with = "message::time")]
    initiated: Option<SystemTime>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dryrun: bool,
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dryrun = if self.dryrun { "(dryrun) " } else { "" };
        write!(f, "{dryrun}abort: {} upload {}", self.source, self.upload_id)
    }
}

pub(super) async fn run(
    url: &S3Uri,
    args: &Args,
    wild: Option<&Wild>,
    context: &Context,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let (s3, is_aws) = (context.client()?, context.is_aws());
    let bucket = url.bucket();
    let prefix = wild.map_or(url.key(), |wild| &wild.prefix);
    let mut listing = s3.list_multipart_uploads(bucket).prefix(prefix).max_uploads(args.page_size);
    if args.request_payer.is_some() {
        listing = listing.request_payer();
    }
    // What this machine wrote down of them goes as well.
    let mut journals = match s3.interrupted_transfers() {
        _ if args.dryrun || args.request_payer.is_some() => Vec::new(),
        Ok(journals) => journals,
        Err(error) => {
            printer.warn(&Warning::new(format!("what was written down of uploads stays: {error}")));
            Vec::new()
        }
    };
    let now = SystemTime::now();
    let mut uploads = listing.items();
    let mut exit = Exit::Done;
    while let Some(upload) = uploads.next().await {
        let upload = upload?;
        let fits = wild.is_none_or(|wild| wild.pattern.matches(&upload.key));
        if !fits || !is_older(&upload, args.older_than, now) {
            continue;
        }
        if !args.dryrun {
            let mut call = s3.abort_multipart_upload(bucket, &upload.key, &upload.upload_id);
            if args.request_payer.is_some() {
                call = call.request_payer();
            }
            let aborted = call.await;
            if let Err(error) = aborted {
                let source = Shown(bucket, &upload.key).in_error();
                printer.failure(Failure::from(error).of_failed(format_args!("abort failed: {source}"), is_aws));
                exit = Exit::Failed;
                continue;
            }
        }
        if let Some(at) = journals.iter().position(|journal| is_of(journal, &s3, bucket, &upload))
            && let Err(error) = journals.swap_remove(at).remove(&s3).await
        {
            // The upload is gone all the same.
            let source = Shown(bucket, &upload.key);
            printer.warn(&Warning::about(
                &source,
                format!("what was written down of {} stays: {error}", source.in_error()),
            ));
        }
        let ListedUpload { key, upload_id, initiated, .. } = upload;
        printer.say(&Aborted { source: Shown(bucket, &key).to_string(), upload_id, initiated, dryrun: args.dryrun })?;
    }
    Ok(exit)
}

/// Whether it was begun long enough ago. Where the server does not say when, it is never old enough for a limit.
fn is_older(upload: &ListedUpload, limit: Option<Duration>, now: SystemTime) -> bool {
    let Some(limit) = limit else { return true };
    upload.initiated.and_then(|initiated| now.duration_since(initiated).ok()).is_some_and(|age| age >= limit)
}

/// Whether it was written down of this upload, by a transfer that does not go on with it meanwhile.
fn is_of(journal: &Interrupted, s3: &Client, bucket: &str, upload: &ListedUpload) -> bool {
    journal.endpoint == s3.server()
        && journal.bucket == bucket
        && journal.key == upload.key
        && journal.upload_id.as_ref() == Some(&upload.upload_id)
        && !journal.is_running
}
