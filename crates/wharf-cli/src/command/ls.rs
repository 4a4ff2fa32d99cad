//! `wharf ls`: buckets, or what is in one.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::SystemTime;

use serde::Serialize;
use wharf::op::ListedObject;
use wharf::transfer::ListedPage;
use wharf::{Client, Error, S3Uri};

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::local_time::LocalTime;
use crate::message;
use crate::payer::Payer;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::units;
use crate::url::{self, Wild};
use crate::vigil::Vigil;

/// How many names a request brings at most.
const ALL: u32 = 1000;

/// How many requests for names are under way at a time, where there are many names.
const AT_ONCE: usize = 8;

const EXAMPLE: &str = "\
Example: everything under a prefix, with sizes for people and a total

  wharf ls s3://my-bucket/reports/ --recursive --human-readable --summarize";

/// List buckets, or the objects of one
///
/// Without a slash at its end the prefix is a plain prefix: s3://bucket/log lists log.txt and
/// logs/. Times are in this machine's time zone (TZ), as with aws-cli. With * or ? all keys that
/// fit are listed whole.
///
/// Exits with 1 where a prefix was given and nothing begins with it.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET or s3://BUCKET/PREFIX; without it, the buckets are listed
    #[arg(value_name = "URL", value_parser = place)]
    url: Option<Place>,
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
    #[arg(long, value_name = "N", default_value_t = ALL, value_parser = units::page_size, allow_negative_numbers = true)]
    page_size: u32,
    #[command(flatten)]
    payer: Payer,
    /// Only buckets whose names begin with this
    #[arg(long, value_name = "PREFIX")]
    bucket_name_prefix: Option<String>,
    /// Only buckets of this region
    #[arg(long, value_name = "NAME")]
    bucket_region: Option<String>,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
}

#[derive(Debug, Clone)]
enum Place {
    /// `s3://`: all buckets.
    Service,
    Bucket(S3Uri),
}

fn place(text: &str) -> Result<Place, Error> {
    match url::without_scheme(text) {
        Some("") => Ok(Place::Service),
        _ => url::bucket(text).map(Place::Bucket),
    }
}

/// A bucket.
#[derive(Serialize)]
#[serde(tag = "type", rename = "bucket")]
struct Bucket<'a> {
    name: &'a str,
    #[serde(serialize_with = "message::time")]
    creation_date: Option<SystemTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip)]
    time: &'a LocalTime,
}

impl fmt::Display for Bucket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time.text(self.creation_date), self.name)
    }
}

/// What begins with the prefix and has a slash behind it.
#[derive(Serialize)]
#[serde(tag = "type", rename = "prefix")]
struct Prefix<'a> {
    prefix: &'a str,
}

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = last_name(self.prefix.strip_suffix('/').unwrap_or(self.prefix));
        write!(f, "{:>30} {directory}/", "PRE")
    }
}

/// An object: time, size, name.
#[derive(Serialize)]
#[serde(tag = "type", rename = "object")]
struct Row<'a> {
    key: &'a str,
    size: u64,
    #[serde(serialize_with = "message::time")]
    last_modified: Option<SystemTime>,
    etag: &'a str,
    storage_class: &'a str,
    #[serde(skip)]
    time: &'a LocalTime,
    #[serde(skip)]
    whole_key: bool,
    #[serde(skip)]
    human: bool,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.whole_key { self.key } else { last_name(self.key) };
        write!(f, "{} ", self.time.text(self.last_modified))?;
        if self.human {
            write!(f, "{:>10} {name}", units::human(self.size))
        } else {
            write!(f, "{:>10} {name}", self.size)
        }
    }
}

/// How much was listed.
#[derive(Serialize)]
#[serde(tag = "type", rename = "summary")]
struct Total {
    objects: u64,
    size: u64,
    #[serde(skip)]
    human: bool,
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = if self.human { units::human(self.size) } else { self.size.to_string() };
        write!(f, "\nTotal Objects: {}\n   Total Size: {size}", self.objects)
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let s3 = context.client()?;
    let mut total = Total { objects: 0, size: 0, human: args.human_readable };
    let missing = match &args.url {
        None | Some(Place::Service) => {
            buckets(&args, &s3, printer).await?;
            None
        }
        Some(Place::Bucket(url)) => {
            let wild = Wild::of(url.key(), context.keys(args.raw));
            let found = objects(url, wild.as_ref(), &args, context, &mut total, printer).await?;
            (!found && !url.key().is_empty()).then_some((url, wild))
        }
    };
    if args.summarize {
        printer.say(&total)?;
    }
    match missing {
        None => Ok(Exit::Done),
        // Which says nothing.
        Some(_) if context.is_aws() => Ok(Exit::Failed),
        Some((url, Some(wild))) => Err(Failure::nothing_fits(url.bucket(), &wild.text)),
        Some((url, None)) => Err(Failure::not_there(url.bucket(), url.key())),
    }
}

async fn buckets(args: &Args, s3: &Client, printer: &mut Printer) -> Result<(), Failure> {
    let time = LocalTime::new();
    let mut listing = s3.list_buckets().max_buckets(args.page_size);
    if let Some(prefix) = &args.bucket_name_prefix {
        listing = listing.prefix(prefix);
    }
    if let Some(region) = &args.bucket_region {
        listing = listing.bucket_region(region);
    }
    let mut buckets = listing.items();
    while let Some(bucket) = buckets.next().await {
        let bucket = bucket?;
        printer.say(&Bucket {
            name: &bucket.name,
            creation_date: bucket.creation_date,
            region: bucket.region.as_deref(),
            time: &time,
        })?;
    }
    Ok(())
}

/// Whether there is any.
async fn objects(
    url: &S3Uri,
    wild: Option<&Wild>,
    args: &Args,
    context: &Context,
    total: &mut Total,
    printer: &mut Printer,
) -> Result<bool, Failure> {
    let time = LocalTime::new();
    let prefix = wild.map_or(url.key(), |wild| &wild.prefix);
    let s3 = context.client()?;
    let mut listing = context.list(&s3, url.bucket()).prefix(prefix).max_keys(args.page_size);
    if !args.recursive && wild.is_none() {
        listing = listing.delimiter("/");
    } else if args.page_size == ALL {
        listing = listing.parallel(AT_ONCE);
    }
    if args.payer.requester_pays() {
        listing = listing.request_payer();
    }
    // Where the names themselves are on the terminal, they show how far it is.
    if !io::stdout().is_terminal() {
        printer.show(|| Bar::count("objects"));
    }
    let takes = |object: &ListedObject| wild.is_none_or(|wild| wild.pattern.matches(&object.key));
    let (mut pages, mut vigil) = (listing.pages(), Vigil::over([s3]));
    let mut found = false;
    while let Some(page) = vigil.until(printer, pages.next()).await {
        let ListedPage { common_prefixes, objects, .. } = page?;
        for prefix in &common_prefixes {
            found = true;
            printer.say(&Prefix { prefix })?;
        }
        for object in objects.iter().filter(|object| takes(object)) {
            found = true;
            total.objects += 1;
            total.size = total.size.saturating_add(object.size);
            printer.say(&Row {
                key: &object.key,
                size: object.size,
                last_modified: object.last_modified,
                etag: object.etag.unquoted(),
                storage_class: object.storage_class.as_str(),
                time: &time,
                whole_key: args.recursive || wild.is_some(),
                human: args.human_readable,
            })?;
        }
        if let Some(bar) = printer.bar() {
            bar.at(total.objects);
        }
    }
    Ok(found)
}

/// What follows the last slash.
fn last_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
