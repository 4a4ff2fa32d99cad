//! `wharf rb`: a bucket that goes.

use std::fmt;

use serde::Serialize;
use wharf::S3Uri;

use super::rm;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::printer::Printer;
use crate::url;

const EXAMPLE: &str = "\
Example: a bucket and all that is in it

  wharf rb s3://my-bucket --force";

/// Remove an empty bucket
///
/// Old versions of objects are not removed, and S3 refuses to remove a bucket that has any.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {
    /// s3://BUCKET
    #[arg(value_name = "URL", value_parser = url::bucket_alone)]
    url: S3Uri,
    /// Delete all objects in it first
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "remove_bucket")]
struct Removed<'a> {
    bucket: &'a str,
}

impl fmt::Display for Removed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "remove_bucket: {}", self.bucket)
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let bucket = args.url.bucket();
    let s3 = context.client()?;
    if args.force {
        let emptied =
            rm::everything_in(bucket, context, printer).await.map_err(|failure| failure.exits(Exit::Other))?;
        if emptied != Exit::Done {
            return Err(Failure::new(
                Exit::Other,
                "remove_bucket failed: Unable to delete all objects in the bucket, bucket will not be deleted.",
            ));
        }
    }
    match s3.delete_bucket(bucket).await {
        Ok(_) => {
            printer.say(&Removed { bucket })?;
            Ok(Exit::Done)
        }
        Err(error) => {
            let has_objects = error.code() == Some("BucketNotEmpty");
            let what = format_args!("remove_bucket failed: s3://{bucket}");
            let failure = Failure::from(error).of_failed(what, context.is_aws()).exits(Exit::Failed);
            Err(match (has_objects, args.force) {
                (false, _) => failure,
                (true, false) => failure.hint("--force deletes all objects in it first"),
                (true, true) => failure.hint(format!(
                    "old versions of objects are in it, which this command does not remove, or uploads that were \
                     never completed: `wharf rm s3://{bucket} --incomplete` removes those"
                )),
            })
        }
    }
}
