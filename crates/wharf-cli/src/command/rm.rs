//! `wharf rm`: objects that go.

mod incomplete;

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use serde::Serialize;
use wharf::op::ListedObject;
use wharf::proto::escape;
use wharf::transfer::Keys;
use wharf::{Client, S3Uri};

use crate::context::{Context, Dialect};
use crate::error::{Exit, Failure};
use crate::filter::Filters;
use crate::message::Warning;
use crate::payer::Payer;
use crate::printer::{Loudness, Printer};
use crate::terminal;
use crate::units;
use crate::url::{self, Shown, Wild};
use crate::vigil::Vigil;

const EXAMPLE: &str = "\
Example: all old logs but those of January; first see what would go

  wharf rm s3://my-bucket/logs/2025 --recursive --exclude '01/*' --dryrun";

/// Delete objects
///
/// With --recursive everything under a prefix goes, which ends with a slash whether you type it
/// or not. Without it the URL names one object, or, with * or ?, all that fit; then you are asked
/// first, and where nobody can be asked --recursive must be said. Several URLs are done one after
/// the other, without `s3`.
///
/// Exits with 1 where nothing is there. Of one object S3 does not tell whether it was: it is gone.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY or s3://BUCKET/PREFIX
    #[arg(value_name = "URL", required = true, value_parser = url::whole)]
    urls: Vec<S3Uri>,
    /// Delete everything under the prefix, or everything that fits, without asking (a whole bucket: see --force)
    #[arg(long)]
    recursive: bool,
    /// Only print what would be deleted
    #[arg(long)]
    dryrun: bool,
    #[command(flatten)]
    filters: Filters,
    /// Print only what goes wrong
    #[arg(long)]
    only_show_errors: bool,
    /// How many names to ask for at a time
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = units::page_size, allow_negative_numbers = true)]
    page_size: u32,
    #[command(flatten)]
    payer: Payer,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
    /// Do not ask before a whole bucket is emptied
    #[arg(long)]
    force: bool,
    /// Not objects: uploads of that key, and of all under it, that were begun and never completed. One that
    /// this machine has written down as under way is left; others are kept by --older-than alone
    #[arg(long, conflicts_with_all = ["recursive", "exclude", "include"])]
    incomplete: bool,
    /// Only uploads that were begun this long ago, such as 1d or 12h
    // What conflicts with --incomplete would do away with the need of it.
    #[arg(long, value_name = "TIME", requires = "incomplete", conflicts_with_all = ["recursive", "exclude", "include"], value_parser = units::duration, allow_hyphen_values = true)]
    older_than: Option<Duration>,
}

/// An object that was deleted.
#[derive(Serialize)]
#[serde(tag = "type", rename = "delete")]
pub(crate) struct Deleted {
    pub(crate) source: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dryrun: bool,
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}delete: {}", if self.dryrun { "(dryrun) " } else { "" }, self.source)
    }
}

/// An object that could not be deleted.
#[derive(Serialize)]
#[serde(tag = "type", rename = "error")]
struct NotDeleted {
    operation: &'static str,
    source: String,
    message: String,
    code: String,
    #[serde(skip)]
    is_aws: bool,
}

impl fmt::Display for NotDeleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "delete failed: {}{} {} ({})",
            escape::name(&self.source),
            if self.is_aws { "" } else { ":" },
            escape::line(&self.message),
            escape::line(&self.code)
        )
    }
}

impl Args {
    pub(super) fn filters(&self) -> &Filters {
        &self.filters
    }

    /// Refuses what has to be asked, for where nobody is: several would ask at the same time.
    pub(super) fn refuse_questions(&self, dialect: Dialect) -> Result<(), Failure> {
        for url in &self.urls {
            must_name_objects(url, self)?;
            if let Some(question) = question(url, self, dialect.keys(self.raw)) {
                return Err(Failure::usage(format!("nobody is asked in a list of commands: {question}"))
                    .hint("--recursive takes what fits a pattern without a question, --force a whole bucket"));
            }
        }
        Ok(())
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    // With --dryrun these lines are what is asked for, as with aws-cli.
    if args.only_show_errors && !args.dryrun {
        printer.at_most(Loudness::OnlyErrors);
    }
    if context.is_aws() && args.urls.len() > 1 {
        return Err(Failure::usage("`wharf s3` takes one URL").hint("`wharf rm` takes several"));
    }
    // Before anything is deleted.
    for url in &args.urls {
        must_name_objects(url, &args)?;
    }
    for url in &args.urls {
        if let Some(question) = question(url, &args, context.keys(args.raw))
            && !terminal::ask(question).await?
        {
            return Err(Failure::new(Exit::Failed, "nothing was deleted"));
        }
    }
    if !args.dryrun {
        printer.outlive_reader();
    }
    if let [url] = args.urls.as_slice() {
        return delete(url, &args, context, printer).await.map_err(Failure::of_many);
    }
    let (mut exit, mut unheard) = (Exit::Done, 0);
    let mut left = args.urls.iter();
    while let Some(url) = left.next() {
        match delete(url, &args, context, printer).await.map_err(Failure::of_many) {
            Ok(Exit::Done) => unheard = 0,
            // Of uploads, one that is under way.
            Ok(Exit::Skipped) if exit == Exit::Done => (exit, unheard) = (Exit::Skipped, 0),
            Ok(Exit::Skipped) => unheard = 0,
            Ok(_) => (exit, unheard) = (Exit::Failed, 0),
            Err(failure) if failure.exit() == Exit::Failed => {
                unheard = if failure.is_unheard() { unheard + 1 } else { 0 };
                exit = Exit::Failed;
                printer.failure(failure);
            }
            // The others would fail as well.
            Err(failure) => return Err(failure),
        }
        // One may have had bad luck.
        if unheard == 2 && left.len() > 0 {
            return Err(Failure::away(&context.client()?.server()));
        }
    }
    Ok(exit)
}

async fn delete(url: &S3Uri, args: &Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let wild = Wild::of(url.key(), context.keys(args.raw));
    if args.incomplete {
        return incomplete::run(url, args, wild.as_ref(), context, printer).await;
    }
    let deletion = Deletion { bucket: url.bucket(), dryrun: args.dryrun, payer: args.payer.requester_pays(), context };
    if !args.recursive && wild.is_none() {
        let name = url.key().rsplit('/').next().unwrap_or_default();
        if !args.filters.take(name) {
            return Ok(Exit::Done);
        }
        return deletion.one(url.key(), &context.client()?, printer).await;
    }
    let missing = match &wild {
        Some(wild) => Some(Failure::nothing_fits(url.bucket(), &wild.text)),
        // Of a bucket that is empty anyway nobody named anything.
        None if context.is_aws() || url.key().is_empty() => None,
        None => Some(Failure::nothing_under(url.bucket(), url.key())),
    };
    let selection = Selection::of(url, args, wild);
    let found = selection.found.clone();
    let exit = deletion.many(selection, args.page_size, &context.client()?, printer).await?;
    match missing {
        Some(missing) if !found.load(Ordering::Relaxed) => Err(missing),
        _ => Ok(exit),
    }
}

/// A bucket is no object, and is not emptied by a slip.
fn must_name_objects(url: &S3Uri, args: &Args) -> Result<(), Failure> {
    if args.recursive || args.incomplete || !url.key().is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!("s3://{} is a whole bucket", url.bucket()))
        .hint("--recursive deletes all that is in it; `wharf rb` removes the bucket itself"))
}

/// What must be asked before much is deleted. A whole bucket is believed where nobody can be asked.
fn question(url: &S3Uri, args: &Args, keys: url::Keys) -> Option<String> {
    let (bucket, key) = (url.bucket(), url.key());
    if args.dryrun || args.incomplete {
        return None;
    }
    let is_pattern = Wild::of(key, keys).is_some();
    if !args.recursive && is_pattern {
        return Some(format!("delete everything that fits {}?", Shown(bucket, key).in_error()));
    }
    let is_all = key.is_empty() || is_pattern && key.bytes().all(|byte| byte == b'*');
    let whole = is_all && args.filters.is_empty() && !args.force && terminal::can_ask();
    whole.then(|| format!("delete everything in s3://{bucket}?"))
}

/// Deletes everything in a bucket, without a question.
pub(crate) async fn everything_in(bucket: &str, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    printer.outlive_reader();
    let all = Selection::all(String::new(), Filters::default());
    Deletion { bucket, dryrun: false, payer: false, context }.many(all, 1000, &context.client()?, printer).await
}

/// Which objects of a listing are meant.
struct Selection {
    prefix: String,
    wild: Option<Wild>,
    filters: Filters,
    /// What filters do not see of a key.
    root: usize,
    /// Whether there was anything, filtered or not.
    found: Arc<AtomicBool>,
}

impl Selection {
    fn of(url: &S3Uri, args: &Args, wild: Option<Wild>) -> Self {
        let filters = args.filters.clone();
        if let Some(wild) = wild {
            let root = wild.directory().len();
            return Self { root, wild: Some(wild.clone()), ..Self::all(wild.prefix, filters) };
        }
        let mut prefix = url.key().to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self::all(prefix, filters)
    }

    /// All that is under a prefix, but for what filters leave out.
    fn all(prefix: String, filters: Filters) -> Self {
        Self { root: prefix.len(), prefix, wild: None, filters, found: Arc::default() }
    }

    fn takes(&self, object: &ListedObject) -> bool {
        let fits = self.wild.as_ref().is_none_or(|wild| wild.pattern.matches(&object.key));
        self.found.fetch_or(fits, Ordering::Relaxed);
        fits && object.key.get(self.root..).is_none_or(|name| self.filters.take(name))
    }
}

struct Deletion<'a> {
    bucket: &'a str,
    dryrun: bool,
    payer: bool,
    context: &'a Context,
}

impl Deletion<'_> {
    fn deleted(&self, key: &str) -> Deleted {
        Deleted { source: Shown(self.bucket, key).to_string(), dryrun: self.dryrun }
    }

    async fn one(&self, key: &str, s3: &Client, printer: &mut Printer) -> Result<Exit, Failure> {
        if !self.dryrun {
            let mut call = s3.delete_object(self.bucket, key);
            if self.payer {
                call = call.request_payer();
            }
            call.await.map_err(|error| {
                Failure::from(error)
                    .of_failed(
                        format_args!("delete failed: {}", Shown(self.bucket, key).in_error()),
                        self.context.is_aws(),
                    )
                    .exits(Exit::Failed)
            })?;
        }
        printer.say(&self.deleted(key))?;
        if key.ends_with('/') && !self.context.is_aws() {
            let url = Shown(self.bucket, key);
            let text = format!("{} is one key: --recursive deletes what is under it", url.in_error());
            printer.warn(&Warning::about(url, text));
        }
        Ok(Exit::Done)
    }

    async fn many(
        &self,
        selection: Selection,
        page_size: u32,
        s3: &Client,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let mut listing = self.context.list(s3, self.bucket).prefix(&selection.prefix).max_keys(page_size);
        if self.payer {
            listing = listing.request_payer();
        }
        let mut objects = listing.items().try_filter(move |object| ready(selection.takes(object)));
        if self.dryrun {
            while let Some(object) = objects.try_next().await? {
                printer.say(&self.deleted(&object.key))?;
            }
            return Ok(Exit::Done);
        }
        let mut call = s3.delete(self.bucket, Keys::stream(objects.map_ok(|object| object.key)));
        if self.payer {
            call = call.request_payer();
        }
        if let Some(patience) = self.context.tuning().patience {
            call = call.patience(patience);
        }
        let mut exit = Exit::Done;
        let (mut outcomes, mut vigil) = (call.outcomes(), Vigil::over([s3.clone()]));
        while let Some(outcome) = vigil.until(printer, outcomes.next()).await {
            match outcome? {
                Ok(deleted) => printer.say(&self.deleted(&deleted.key))?,
                Err(error) => {
                    exit = Exit::Failed;
                    printer.problem(&NotDeleted {
                        operation: "delete",
                        source: Shown(self.bucket, &error.key).to_string(),
                        message: error.message,
                        code: error.code,
                        is_aws: self.context.is_aws(),
                    });
                }
            }
        }
        Ok(exit)
    }
}
