//! `wharf pipe`: standard input into an object.

use std::ffi::OsString;

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::printer::Printer;
use crate::transfer::options::TransferArgs;
use crate::transfer::pipe;
use crate::transfer::place::Place;
use crate::units;
use crate::url;

const EXAMPLE: &str = "\
Example: a folder as one compressed archive

  tar cz photos | wharf pipe s3://my-bucket/photos.tar.gz";

/// Upload standard input
///
/// Of any length, in bounded memory.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY
    #[arg(value_name = "URL")]
    url: OsString,
    /// How many bytes will come, so that parts are large enough
    #[arg(long, value_name = "BYTES", value_parser = units::whole::<u64>, allow_hyphen_values = true)]
    expected_size: Option<u64>,
    #[command(flatten)]
    options: TransferArgs,
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    args.options.set(printer);
    match Place::parse(&args.url)? {
        target @ Place::Remote(_) => pipe::up(&target, args.expected_size, args.options, context, printer).await,
        other => {
            let shown = other.to_string();
            let shown = url::without_secrets(&shown);
            Err(Failure::usage(format!("{shown} is no S3 URL: it reads like s3://BUCKET/KEY")))
        }
    }
}
