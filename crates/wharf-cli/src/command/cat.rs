//! `wharf cat`: objects to standard output.

use futures_util::TryStreamExt;
use wharf::{Client, S3Uri};

use crate::error::{Exit, Failure};
use crate::printer::Printer;
use crate::uri;

const EXAMPLE: &str = "\
Example: two objects, one after the other

  wharf cat s3://my-bucket/reports/2025.csv s3://my-bucket/reports/2026.csv > both.csv";

/// Write objects to standard output
///
/// The bytes are compared with the stored checksum as they pass. Of several objects those that
/// can be read are written; if any failed, it exits with 1.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY
    #[arg(required = true, value_name = "URI", value_parser = uri::object)]
    uris: Vec<S3Uri>,
}

pub(crate) async fn run(args: Args, s3: &Client, printer: &mut Printer) -> Result<Exit, Failure> {
    if let [uri] = args.uris.as_slice() {
        return write(uri, s3, printer).await.map(|()| Exit::Done);
    }
    let mut exit = Exit::Done;
    for uri in &args.uris {
        match write(uri, s3, printer).await {
            Ok(()) => {}
            Err(failure @ Failure::ReaderGone) => return Err(failure),
            Err(failure) => {
                printer.failure(&failure);
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

async fn write(uri: &S3Uri, s3: &Client, printer: &mut Printer) -> Result<(), Failure> {
    let mut body = s3.get_object(uri.bucket(), uri.key()).checksum_mode(true).stream().await?;
    while let Some(bytes) = body.try_next().await? {
        printer.data(&bytes)?;
    }
    printer.flush()
}
