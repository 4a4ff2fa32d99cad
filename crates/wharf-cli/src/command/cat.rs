//! `wharf cat`: objects to standard output.

use futures_util::TryStreamExt;
use wharf::{ByteRange, Client, S3Uri};

use crate::context::Context;
use crate::customer_key::CustomerKeyArgs;
use crate::error::{Exit, Failure};
use crate::payer::Payer;
use crate::printer::Printer;
use crate::url::{self, Wild};

const EXAMPLE: &str = "\
Example: two objects, one after the other, and the first line of a third

  wharf cat s3://my-bucket/reports/2025.csv s3://my-bucket/reports/2026.csv > both.csv
  wharf cat s3://my-bucket/reports/2027.csv --range 0-199 | head -n 1";

/// Write objects to standard output
///
/// With * or ? all objects that fit are written, in the order of their keys. The bytes are
/// compared with the stored checksum as they pass. Of several objects those that can be read are
/// written; if any failed, it exits with 1.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY
    #[arg(required = true, value_name = "URL", value_parser = url::object)]
    urls: Vec<S3Uri>,
    /// Only these bytes: 0-99 for the first hundred, 100- for all behind them, -500 for the last 500
    #[arg(long, value_name = "BYTES", value_parser = range, allow_hyphen_values = true)]
    range: Option<ByteRange>,
    /// A version that is not the latest
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    customer_key: CustomerKeyArgs,
    #[command(flatten)]
    payer: Payer,
}

fn range(text: &str) -> Result<ByteRange, String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let range = match text.split_once('-') {
        Some(("", count)) => number(count).filter(|count| *count > 0).map(ByteRange::last),
        Some((first, "")) => number(first).map(|first| ByteRange::from(first..)),
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some(ByteRange::from(first..=last)),
            _ => None,
        },
        None => None,
    };
    range.ok_or_else(|| "bytes read like 0-99, 100- or -500".to_owned())
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    match write_named(&args, context, printer, &mut exit).await {
        // What failed before the reader left has failed.
        Ok(()) | Err(Failure::ReaderGone) => Ok(exit),
        Err(failure) => Err(failure),
    }
}

/// Writes all that was named. `exit` is how it ends as far as it got.
async fn write_named(args: &Args, context: &Context, printer: &mut Printer, exit: &mut Exit) -> Result<(), Failure> {
    let s3 = context.client()?;
    let keys = context.keys(args.raw);
    for url in &args.urls {
        let written = match Wild::of(url.key(), keys) {
            Some(wild) => write_all(url.bucket(), &wild, args, &s3, printer, exit).await,
            None => write(url.bucket(), url.key(), args, &s3, printer).await,
        };
        match written {
            Err(failure @ Failure::Told(_)) if args.urls.len() > 1 && failure.exit() != Exit::Configuration => {
                printer.failure(failure);
                *exit = Exit::Failed;
            }
            written => written?,
        }
    }
    Ok(())
}

async fn write_all(
    bucket: &str,
    wild: &Wild,
    args: &Args,
    s3: &Client,
    printer: &mut Printer,
    exit: &mut Exit,
) -> Result<(), Failure> {
    let mut listing = s3.list_objects(bucket).prefix(&wild.prefix);
    if args.payer.requester_pays() {
        listing = listing.request_payer();
    }
    let mut objects = listing.items();
    let mut found = false;
    while let Some(object) = objects.next().await {
        let object = object?;
        if !wild.pattern.matches(&object.key) {
            continue;
        }
        found = true;
        match write(bucket, &object.key, args, s3, printer).await {
            Ok(()) => {}
            Err(failure @ Failure::ReaderGone) => return Err(failure),
            Err(failure) => {
                printer.failure(failure);
                *exit = Exit::Failed;
            }
        }
    }
    match found {
        true => Ok(()),
        false => Err(Failure::nothing_fits(bucket, &wild.text)),
    }
}

async fn write(bucket: &str, key: &str, args: &Args, s3: &Client, printer: &mut Printer) -> Result<(), Failure> {
    let mut call = s3.get_object(bucket, key).checksum_mode(args.range.is_none());
    if let Some(range) = args.range {
        call = call.range(range);
    }
    if let Some(id) = &args.version_id {
        call = call.version_id(id);
    }
    if let Some(key) = args.customer_key.key() {
        call = call.customer_key(key.clone());
    }
    if args.payer.requester_pays() {
        call = call.request_payer();
    }
    let mut body = call.stream().await.map_err(|error| Failure::of_object(error, bucket, key))?;
    while let Some(bytes) = body.try_next().await? {
        printer.data(&bytes)?;
    }
    printer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_as_in_http() {
        for (text, header) in
            [("0-99", "bytes=0-99"), ("5-5", "bytes=5-5"), ("100-", "bytes=100-"), ("-500", "bytes=-500")]
        {
            assert_eq!(range(text).unwrap().to_header().unwrap(), header);
        }
        for text in ["", "-", "5", "9-5", "-0", "a-b", "1-2-3"] {
            assert!(range(text).is_err(), "{text}");
        }
    }
}
