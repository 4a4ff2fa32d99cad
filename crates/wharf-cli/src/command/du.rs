//! `wharf du`: how much there is.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use wharf::S3Uri;

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::payer::Payer;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::units;
use crate::url::{self, Shown, Wild};
use crate::vigil::Vigil;

/// How many requests for names are under way at a time.
const AT_ONCE: usize = 8;

const EXAMPLE: &str = "\
Example: how much there is under each directory of a bucket, in each storage class

  wharf du s3://my-bucket --depth 1 --human-readable";

/// Add up sizes, by prefix and storage class
///
/// A line has the size in bytes, the number of objects, their storage class and the prefix.
///
/// Exits with 1 where nothing begins with the prefix.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {
    /// s3://BUCKET or s3://BUCKET/PREFIX; * and ? are wild
    #[arg(value_name = "URL", value_parser = url::bucket)]
    url: S3Uri,
    /// So many levels of directories below have lines of their own
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = units::whole::<usize>, allow_hyphen_values = true)]
    depth: usize,
    /// Sizes as KiB, MiB and so on
    #[arg(long)]
    human_readable: bool,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    payer: Payer,
}

/// The objects of one storage class under one prefix.
#[derive(Serialize)]
#[serde(tag = "type", rename = "usage")]
struct Usage {
    prefix: String,
    storage_class: String,
    objects: u64,
    size: u64,
    #[serde(skip)]
    human: bool,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = if self.human { units::human(self.size) } else { self.size.to_string() };
        write!(f, "{size:>16} {:>10} {:<19} {}", self.objects, self.storage_class, self.prefix)
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let (bucket, key) = (args.url.bucket(), args.url.key());
    let wild = Wild::of(key, context.keys(args.raw));
    let prefix = wild.as_ref().map_or(key, |wild| &wild.prefix);
    let root = wild.as_ref().map_or(key, |wild| wild.directory());
    let s3 = context.client()?;
    let mut listing = context.list(&s3, bucket).prefix(prefix).parallel(AT_ONCE).unordered();
    if args.payer.requester_pays() {
        listing = listing.request_payer();
    }
    printer.show(|| Bar::count("objects"));
    let mut sums: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    let mut count = 0;
    let (mut pages, mut vigil) = (listing.pages(), Vigil::over([s3]));
    while let Some(page) = vigil.until(printer, pages.next()).await {
        for object in page?.objects {
            if wild.as_ref().is_some_and(|wild| !wild.pattern.matches(&object.key)) {
                continue;
            }
            let prefix = directory(&object.key, root.len(), args.depth).to_owned();
            let (objects, size) = sums.entry((prefix, object.storage_class.as_str().to_owned())).or_default();
            *objects += 1;
            *size = size.saturating_add(object.size);
            count += 1;
        }
        if let Some(bar) = printer.bar() {
            bar.at(count);
        }
    }
    printer.hide();
    if count == 0 && !key.is_empty() {
        return Err(match wild {
            Some(wild) => Failure::nothing_fits(bucket, &wild.text),
            None => Failure::not_there(bucket, key),
        });
    }
    if sums.is_empty() {
        sums.insert((root.to_owned(), "STANDARD".to_owned()), (0, 0));
    }
    for ((prefix, storage_class), (objects, size)) in sums {
        let prefix = Shown(bucket, &prefix).to_string();
        printer.say(&Usage { prefix, storage_class, objects, size, human: args.human_readable })?;
    }
    Ok(Exit::Done)
}

/// What `key` begins with: the first `root` bytes, and at most `depth` directories more.
fn directory(key: &str, root: usize, depth: usize) -> &str {
    let slashes = key.bytes().enumerate().skip(root).filter(|(_, byte)| *byte == b'/').map(|(at, _)| at + 1);
    // A slash is one byte, so what ends after one is whole characters.
    key.get(..slashes.take(depth).last().unwrap_or(root)).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::directory;

    #[test]
    fn a_key_belongs_to_a_directory_of_the_depth_asked_for() {
        for (key, root, depth, prefix) in [
            ("a/b/c", 0, 0, ""),
            ("a/b/c", 0, 1, "a/"),
            ("a/b/c", 0, 2, "a/b/"),
            ("a/b/c", 0, 9, "a/b/"),
            ("a/b/c", 2, 1, "a/b/"),
            ("a", 0, 1, ""),
            ("lo/x", 2, 0, "lo"),
            ("log/x", 2, 1, "log/"),
            ("é/ü", 0, 1, "é/"),
        ] {
            assert_eq!(directory(key, root, depth), prefix, "{key} {root} {depth}");
        }
    }
}
