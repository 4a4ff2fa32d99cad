//! `wharf verify`: whether two sides have the same bytes.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tokio::sync::mpsc;
use wharf::proto::evidence::Likeness;
use wharf::proto::sync_plan::{Compare, Reason};
use wharf::transfer::{SyncAction, SyncItem, SyncPlace};
use wharf::{Client, ErrorKind, S3Uri};

use crate::context::Context;
use crate::customer_key::CustomerKeyArgs;
use crate::error::{CHOOSE, Exit, Failure, RAW, by_option};
use crate::filter::Filters;
use crate::message::Warning;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::transfer::place::{Locally, Place};
use crate::transfer::route::as_prefix;
use crate::transfer::unfinished::Unfinished;
use crate::url::{self, Shown};
use crate::vigil::Vigil;

const EXAMPLE: &str = "\
Example: whether the backup has what the folder has, byte for byte; and whether it has one file

  wharf verify photos s3://my-bucket/photos
  wharf verify photos/a.jpg s3://my-bucket/photos/";

/// Compare a folder with a prefix, or a file with an object, by checksum
///
/// Every file is read, and every object of its size asked for its checksum (a HEAD request). Where
/// the server keeps none, its ETag is compared with the file's MD5, if it is known to be that.
/// Nothing is changed. A line for each that is not the same, and a report at the end.
///
/// Of one file: a URL that is a bucket or ends with a slash means the object of its name there.
///
/// Exits with 1 where something differs, is missing or could not be compared, and else with 2 where
/// what a download has left was.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// The folder, or the file
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// s3://BUCKET/PREFIX, or s3://BUCKET/KEY
    #[arg(value_name = "URL")]
    url: OsString,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    customer_key: CustomerKeyArgs,
    /// Leave symbolic links out
    #[arg(long)]
    no_follow_symlinks: bool,
    /// A line for those that are the same, too
    #[arg(long)]
    all: bool,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
}

/// How two of a name compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Same,
    Differs,
    /// The bucket does not have it.
    Missing,
    /// The folder does not have it.
    Extra,
    /// It could not be compared.
    Unread,
    /// Nothing tells whether it has the same bytes.
    Unproven,
}

/// One name.
#[derive(Serialize)]
#[serde(tag = "type", rename = "comparison")]
struct Comparison {
    name: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Same => "same",
            Verdict::Differs => "differs",
            Verdict::Missing => "missing",
            Verdict::Extra => "extra",
            Verdict::Unread => "unread",
            Verdict::Unproven => "unproven",
        };
        write!(f, "{verdict}: {}", self.name)?;
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, " ({reason})"))
    }
}

/// How many of each.
#[derive(Default, Serialize)]
#[serde(tag = "type", rename = "report")]
struct Report {
    same: u64,
    differs: u64,
    missing: u64,
    extra: u64,
    unread: u64,
    unproven: u64,
    /// Whether something was left out, and named.
    #[serde(skip)]
    skipped: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { same, differs, missing, extra, unread, unproven, .. } = self;
        write!(
            f,
            "{same} same, {differs} differ, {missing} missing in the bucket, {extra} missing here, {unread} unread, \
             {unproven} unproven"
        )
    }
}

impl Report {
    /// Counts one, and tells of it where that is asked for.
    fn tell(&mut self, comparison: &Comparison, args: &Args, printer: &mut Printer) -> Result<(), Failure> {
        self.count(comparison.verdict);
        let is_told = args.all || comparison.verdict != Verdict::Same;
        if is_told { printer.say(comparison) } else { Ok(()) }
    }

    fn count(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Same => &mut self.same,
            Verdict::Differs => &mut self.differs,
            Verdict::Missing => &mut self.missing,
            Verdict::Extra => &mut self.extra,
            Verdict::Unread => &mut self.unread,
            Verdict::Unproven => &mut self.unproven,
        };
        *count += 1;
    }

    fn is_good(&self) -> bool {
        self.differs + self.missing + self.extra + self.unread + self.unproven == 0
    }
}

impl Args {
    pub(super) fn filters(&self) -> &Filters {
        &self.filters
    }

    /// Whether what was named is a link, and none is followed.
    fn leaves_link(&self) -> bool {
        self.no_follow_symlinks && self.path.is_symlink()
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let Place::Remote(url) = Place::parse(&args.url)? else {
        let failure = Failure::usage("the second must be an S3 URL: it reads like s3://BUCKET/PREFIX");
        let is_swapped = args.path.to_str().is_some_and(|text| url::without_scheme(text).is_some());
        return Err(if is_swapped { failure.hint("the folder comes first") } else { failure });
    };
    if args.path.to_str().is_some_and(|text| url::without_scheme(text).is_some()) {
        return Err(Failure::usage("the first must be a folder here: two prefixes are not compared")
            .hint("`wharf sync URL URL --checksum --dryrun` shows what differs"));
    }
    if !args.path.exists() {
        return Err(Failure::missing(&args.path));
    }
    let is_tree = args.path.is_dir();
    if is_tree {
        context.must_be_literal(&url, args.raw, "a prefix", CHOOSE)?;
    } else if args.path.is_file() {
        context.must_be_literal(&url, args.raw, "one object", RAW)?;
    } else {
        return Err(Failure::usage(format!("{} is neither a folder nor a file", args.path.display())));
    }
    // How it exits is the result.
    printer.outlive_reader();
    let (place, report) = match is_tree {
        true => (as_prefix(url.key()), tree(&args, &url, context, printer).await?),
        false => {
            let name = args.path.file_name().unwrap_or_default();
            let names_prefix = url.key().is_empty() || url.key().ends_with('/');
            if names_prefix && name.to_str().is_none() {
                let why = format!("{} is no UTF-8, which every key must be", args.path.display());
                return Err(Failure::new(Exit::Other, why));
            }
            let name = name.to_string_lossy().into_owned();
            let key = if names_prefix { format!("{}{name}", url.key()) } else { url.key().to_owned() };
            let report = one(&args, name, url.bucket(), &key, context, printer).await?;
            (key, report)
        }
    };
    printer.say(&report)?;
    if report.same == 0 && report.is_good() {
        // Two names that are mistyped are as empty as each other.
        let why = match args.filters.is_empty() {
            _ if report.skipped => "all there is is what downloads have left",
            _ if !is_tree && args.leaves_link() => "the file is a symbolic link, which --no-follow-symlinks leaves out",
            true => "the folder and the prefix are both empty",
            false if is_tree => "of what is in the folder and under the prefix, the filters take nothing",
            false => "the filters leave the file out",
        };
        return Err(Failure::new(Exit::Failed, format!("nothing was compared: {why}")));
    }
    let in_bucket = report.same + report.differs + report.extra + report.unread + report.unproven;
    if in_bucket == 0 && report.missing > 0 && args.filters.is_empty() {
        let shown = Shown(url.bucket(), &place).to_string();
        let what = if is_tree { "there is no object under" } else { "there is no object" };
        printer.remark(&Warning::new(format!("nothing is there: {what} {shown}")));
    }
    Ok(match report.is_good() {
        true if report.skipped => Exit::Skipped,
        true => Exit::Done,
        false => Exit::Failed,
    })
}

/// Compares all of a folder with what is under a prefix.
async fn tree(args: &Args, url: &S3Uri, context: &Context, printer: &mut Printer) -> Result<Report, Failure> {
    let filters = args.filters.below(&Locally::new().absolute(&args.path).display().to_string());
    let (warnings, mut warned) = mpsc::unbounded_channel();
    let unfinished = Unfinished::new(&args.path, url, false, true, warnings);
    // What would be done to make the bucket like the folder is what is different.
    let s3 = context.client()?;
    let comparing = s3
        .sync(SyncPlace::local(&args.path), SyncPlace::from(url.clone()))
        .compare(Compare::Checksum)
        .delete(true)
        .allow_empty_source(true)
        .dry_run(true)
        .report_skipped(true)
        .follow_symlinks(!args.no_follow_symlinks)
        .filter(move |name| filters.take(name) && !unfinished.leaves(name));
    let comparing = match context.tuning().patience {
        Some(patience) => comparing.patience(patience),
        None => comparing,
    };
    let comparing = match context.tuning().part_size {
        Some(bytes) => comparing.uploads(move |upload| upload.part_size(bytes)),
        None => comparing,
    };
    let comparing = match args.customer_key.key() {
        Some(key) => comparing.target_customer_key(key.clone()),
        None => comparing,
    };
    printer.show(|| Bar::count("files"));
    let mut report = Report::default();
    let (mut events, mut vigil) = (comparing.events(), Vigil::over([s3]));
    while let Some(item) = vigil.until(printer, events.next()).await {
        report.tell(&comparison(item?), args, printer)?;
        printer.update(|bar| bar.at(report.same + report.differs));
    }
    printer.hide();
    while let Ok((warning, _)) = warned.try_recv() {
        report.skipped = true;
        printer.warn(&warning);
    }
    Ok(report)
}

/// Compares a file with an object.
async fn one(
    args: &Args,
    name: String,
    bucket: &str,
    key: &str,
    context: &Context,
    printer: &mut Printer,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    let folder = Locally::new().absolute(args.path.parent().unwrap_or(Path::new("")));
    if args.leaves_link() || !args.filters.below(&folder.display().to_string()).take(&name) {
        return Ok(report);
    }
    let s3 = context.client()?;
    let call = s3.head_object(bucket, key).checksum_mode(true);
    let head = match args.customer_key.key() {
        None => call.await,
        Some(own) => match call.clone().customer_key(own.clone()).await {
            // So it is for an object that is not encrypted with it.
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 400) => call.await,
            answered => answered,
        },
    };
    let (verdict, reason) = match head {
        // As of an object that is met in a folder: it may not be read, or not without its key.
        Err(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 400 | 403)) => {
            (Verdict::Unread, Some(error.to_string()))
        }
        Err(error) => match Failure::from(error) {
            failure if failure.is_not_there() => {
                bucket_must_be_there(&s3, bucket).await?;
                (Verdict::Missing, None)
            }
            failure => return Err(failure),
        },
        Ok(head) => match args.path.metadata() {
            Err(error) => (Verdict::Unread, Some(error.to_string())),
            Ok(file) if file.len() != head.content_length => (Verdict::Differs, Some(Reason::Size.to_string())),
            Ok(_) => match s3.compare_file(&args.path, bucket, &head, context.tuning().part_size).await {
                Ok(Likeness::Same(_)) => (Verdict::Same, None),
                Ok(Likeness::Differs) => (Verdict::Differs, Some(Reason::Content.to_string())),
                Ok(Likeness::Unknown(doubt)) => (Verdict::Unproven, Some(by_option(doubt.as_str()))),
                Err(error) => (Verdict::Unread, Some(error.to_string())),
            },
        },
    };
    report.tell(&Comparison { name, verdict, reason }, args, printer)?;
    Ok(report)
}

/// The same 404 is said of an object whose bucket is not there.
async fn bucket_must_be_there(s3: &Client, bucket: &str) -> Result<(), Failure> {
    match s3.head_bucket(bucket).await {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NoSuchBucket) => {
            Err(Failure::from(error).exits(Exit::Service))
        }
        _ => Ok(()),
    }
}

fn comparison(item: SyncItem) -> Comparison {
    let (verdict, reason) = match (item.action, item.error) {
        (_, Some(error)) => (Verdict::Unread, Some(error.to_string())),
        (SyncAction::Upload(Reason::Missing), None) => (Verdict::Missing, None),
        (SyncAction::Upload(Reason::Unproven(doubt)), None) => (Verdict::Unproven, Some(by_option(doubt.as_str()))),
        (SyncAction::Upload(reason), None) => (Verdict::Differs, Some(reason.to_string())),
        (SyncAction::Delete, None) => (Verdict::Extra, None),
        _ => (Verdict::Same, None),
    };
    Comparison { name: item.key, verdict, reason }
}
