//! `wharf ls`: buckets, or what is in one.

use std::fmt;

use wharf::op::ListedObject;
use wharf::{Client, Error, S3Uri};

use crate::error::{Exit, Failure};
use crate::local_time::LocalTime;
use crate::printer::Printer;
use crate::{size, uri};

const EXAMPLE: &str = "\
Example: everything under a prefix, with sizes for people and a total

  wharf ls s3://my-bucket/reports/ --recursive --human-readable --summarize";

/// List buckets, or the objects of one
///
/// Without a slash at its end the prefix is a plain prefix: s3://bucket/log lists log.txt and
/// logs/. Times are in this machine's time zone (TZ), as with aws-cli.
///
/// Exits with 1 where a prefix was given and nothing begins with it.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET or s3://BUCKET/PREFIX; without it, the buckets are listed
    #[arg(value_parser = place)]
    uri: Option<Place>,
    /// List all objects with their whole keys, directories or not
    #[arg(long)]
    recursive: bool,
    /// Sizes as KiB, MiB and so on
    #[arg(long)]
    human_readable: bool,
    /// At the end, the number of objects and their size
    #[arg(long)]
    summarize: bool,
    /// How many names to ask for at a time
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    page_size: u32,
}

#[derive(Debug, Clone)]
enum Place {
    /// `s3://`: all buckets.
    Service,
    Bucket(S3Uri),
}

fn place(text: &str) -> Result<Place, Error> {
    if text == "s3://" { Ok(Place::Service) } else { uri::bucket(text).map(Place::Bucket) }
}

pub(crate) async fn run(args: Args, s3: &Client, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut total = Total::default();
    let exit = match &args.uri {
        None | Some(Place::Service) => buckets(s3, printer).await?,
        Some(Place::Bucket(uri)) => objects(uri, &args, s3, &mut total, printer).await?,
    };
    if args.summarize {
        let size = if args.human_readable { size::human(total.size) } else { total.size.to_string() };
        printer.line(format_args!("\nTotal Objects: {}\n   Total Size: {size}", total.objects))?;
    }
    Ok(exit)
}

async fn buckets(s3: &Client, printer: &mut Printer) -> Result<Exit, Failure> {
    let time = LocalTime::new();
    let mut buckets = s3.list_buckets().items();
    while let Some(bucket) = buckets.next().await {
        let bucket = bucket?;
        printer.line(format_args!("{} {}", time.text(bucket.creation_date), bucket.name))?;
    }
    Ok(Exit::Done)
}

/// How much was listed.
#[derive(Default)]
struct Total {
    objects: u64,
    size: u64,
}

async fn objects(
    uri: &S3Uri,
    args: &Args,
    s3: &Client,
    total: &mut Total,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let time = LocalTime::new();
    let mut listing = s3.list_objects(uri.bucket()).prefix(uri.key()).max_keys(args.page_size);
    if !args.recursive {
        listing = listing.delimiter("/");
    }
    let mut pages = listing.pages();
    let mut found = false;
    while let Some(page) = pages.next().await {
        let page = page?;
        found |= !page.common_prefixes.is_empty() || !page.objects.is_empty();
        for prefix in &page.common_prefixes {
            let directory = last_name(prefix.strip_suffix('/').unwrap_or(prefix));
            printer.line(format_args!("{:>30} {directory}/", "PRE"))?;
        }
        for object in &page.objects {
            total.objects += 1;
            total.size = total.size.saturating_add(object.size);
            printer.line(Row { object, time: &time, whole_key: args.recursive, human: args.human_readable })?;
        }
    }
    Ok(if found || uri.key().is_empty() { Exit::Done } else { Exit::Failed })
}

/// An object as a line: time, size, name.
struct Row<'a> {
    object: &'a ListedObject,
    time: &'a LocalTime,
    whole_key: bool,
    human: bool,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListedObject { key, size, last_modified, .. } = self.object;
        let name = if self.whole_key { key } else { last_name(key) };
        write!(f, "{} ", self.time.text(*last_modified))?;
        if self.human { write!(f, "{:>10} {name}", size::human(*size)) } else { write!(f, "{size:>10} {name}") }
    }
}

/// What follows the last slash.
fn last_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
