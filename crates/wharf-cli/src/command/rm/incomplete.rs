//! `wharf rm --incomplete`: uploads that nobody completed, whose parts are paid for.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use wharf::op::ListedUpload;
use wharf::transfer::Interrupted;
use wharf::{Client, ErrorKind, S3Uri};

use super::Args;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::message::{self, Warning};
use crate::printer::Printer;
use crate::transfer::route::as_prefix;
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
    let s3 = context.client()?;
    let prefix = wild.map_or(url.key(), |wild| &wild.prefix);
    let mut listing = s3.list_multipart_uploads(url.bucket()).prefix(prefix).max_uploads(args.page_size);
    if args.payer.requester_pays() {
        listing = listing.request_payer();
    }
    let now = SystemTime::now();
    let mut pages = listing.pages();
    let sweep = Sweep { s3, bucket: url.bucket(), args, is_aws: context.is_aws() };
    let mut exit = Exit::Done;
    while let Some(page) = pages.next().await {
        let page = page?;
        // Behind the page, so that they tell of all that is in it.
        let journals = sweep.journals()?;
        for upload in page.uploads {
            if !is_meant(&upload.key, url.key(), wild) || !is_older(&upload, args.older_than, now) {
                continue;
            }
            exit = match (exit, sweep.abort(upload, &journals, printer).await?) {
                (Exit::Failed, _) | (_, Exit::Failed) => Exit::Failed,
                (exit, Exit::Done) => exit,
                (_, other) => other,
            };
        }
    }
    Ok(exit)
}

struct Sweep<'a> {
    s3: Client,
    bucket: &'a str,
    args: &'a Args,
    is_aws: bool,
}

impl Sweep<'_> {
    /// What this machine has written down of uploads. Where that cannot be read, none that is under way could be left.
    fn journals(&self) -> Result<Vec<Interrupted>, Failure> {
        self.s3.interrupted_transfers().map_err(|error| {
            let failure = Failure::from(error).of("it is not known which uploads are under way here:");
            failure.hint("let this user read that folder, or name another by XDG_STATE_HOME").exits(Exit::Failed)
        })
    }

    async fn abort(
        &self,
        upload: ListedUpload,
        journals: &[Interrupted],
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let ListedUpload { key, upload_id, initiated, .. } = upload;
        let (source, dryrun) = (Shown(self.bucket, &key), self.args.dryrun);
        // One that cannot be read may tell of any.
        let may_be_to = |journal: &&Interrupted| journal.problem.is_some() || self.is_to(journal, &key);
        let mut journals = journals.iter().filter(may_be_to);
        if journals.clone().any(|journal| journal.is_running && may_be_of(journal, &upload_id)) {
            let text = format!("{} upload {upload_id} is under way on this machine: it is left", source.in_error());
            printer.warn(&Warning::about(&source, text));
            return Ok(Exit::Skipped);
        }
        if !dryrun {
            let journal = journals.find(|journal| journal.upload_id.as_ref() == Some(&upload_id));
            let aborted = match journal {
                Some(journal) => match self.remove(journal.clone()).await {
                    // Its upload can be aborted all the same.
                    Err(error) if error.kind() == ErrorKind::Body => {
                        let text = format!("what was written down of {} stays: {error}", source.in_error());
                        printer.warn(&Warning::about(&source, text));
                        self.send(&key, &upload_id).await
                    }
                    removed => removed,
                },
                None => self.send(&key, &upload_id).await,
            };
            if let Err(error) = aborted {
                let what = format!("abort failed: {}", source.in_error());
                printer.failure(Failure::from(error).of_failed(what, self.is_aws));
                return Ok(Exit::Failed);
            }
        }
        printer.say(&Aborted { source: source.to_string(), upload_id, initiated, dryrun })?;
        Ok(Exit::Done)
    }

    /// Aborts one that is written down here, of which nothing stays.
    async fn remove(&self, mut journal: Interrupted) -> Result<(), wharf::Error> {
        journal.request_payer |= self.args.payer.requester_pays();
        journal.remove(&self.s3).await
    }

    /// Aborts it. One that is gone since it was listed is what was asked for.
    async fn send(&self, key: &str, upload_id: &str) -> Result<(), wharf::Error> {
        let mut call = self.s3.abort_multipart_upload(self.bucket, key, upload_id);
        if self.args.payer.requester_pays() {
            call = call.request_payer();
        }
        match call.await {
            Err(error) if error.kind() != ErrorKind::NoSuchUpload => Err(error),
            _ => Ok(()),
        }
    }

    fn is_to(&self, journal: &Interrupted, key: &str) -> bool {
        journal.endpoint == self.s3.server() && journal.bucket == self.bucket && journal.key == key
    }
}

/// Whether a journal tells of this upload, or of one whose id has not been written down yet.
fn may_be_of(journal: &Interrupted, upload_id: &str) -> bool {
    journal.upload_id.as_ref().is_none_or(|id| id == upload_id)
}

/// Whether a key is the one that was named, or under it as a prefix.
fn is_meant(key: &str, named: &str, wild: Option<&Wild>) -> bool {
    match wild {
        Some(wild) => wild.pattern.matches(key),
        None => key == named || key.starts_with(&as_prefix(named)),
    }
}

/// Whether it was begun long enough ago. Where the server does not say when, it is never old enough for a limit.
fn is_older(upload: &ListedUpload, limit: Option<Duration>, now: SystemTime) -> bool {
    let Some(limit) = limit else { return true };
    upload.initiated.and_then(|initiated| now.duration_since(initiated).ok()).is_some_and(|age| age >= limit)
}
