//! `wharf website`: a bucket that is served as pages.

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::paramfile;
use crate::printer::Printer;
use crate::url;

const EXAMPLE: &str = "\
Example: directories answer with their index.html, what is missing with error.html

  wharf website s3://my-bucket --index-document index.html --error-document error.html";

/// Have a bucket served as a website
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {
    /// s3://BUCKET
    #[arg(value_name = "URL", value_parser = url::bucket)]
    url: wharf::S3Uri,
    /// What is appended to the path of a directory; it has no slash
    #[arg(long, value_name = "SUFFIX", value_parser = paramfile::text)]
    index_document: Option<String>,
    /// The key of what is served in place of an error of the 400s
    #[arg(long, value_name = "KEY", value_parser = paramfile::text)]
    error_document: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context, _: &mut Printer) -> Result<Exit, Failure> {
    if !args.url.key().is_empty() {
        return Err(Failure::usage(format!("a bucket alone is s3://{}", args.url.bucket())));
    }
    let mut call = context.client()?.put_bucket_website(args.url.bucket());
    if let Some(suffix) = args.index_document {
        call = call.index_document(suffix);
    }
    if let Some(key) = args.error_document {
        call = call.error_document(key);
    }
    call.await?;
    Ok(Exit::Done)
}
