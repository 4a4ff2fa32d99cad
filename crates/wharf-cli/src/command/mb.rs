//! `wharf mb`: a new bucket.

use std::fmt;

use serde::Serialize;
use wharf::S3Uri;
use wharf::op::BucketNamespace;

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::printer::Printer;
use crate::url;

const EXAMPLE: &str = "\
Example: a bucket in another region than usual

  wharf mb s3://my-bucket --region eu-west-1";

/// Make a bucket
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {
    /// s3://BUCKET
    #[arg(value_name = "URL", value_parser = url::bucket_alone)]
    url: S3Uri,
    /// A tag for the bucket; may be given several times
    #[arg(long, num_args = 2, value_names = ["KEY", "VALUE"], action = clap::ArgAction::Append)]
    tags: Vec<String>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "make_bucket")]
struct Made<'a> {
    bucket: &'a str,
}

impl fmt::Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "make_bucket: {}", self.bucket)
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let bucket = args.url.bucket();
    let mut call = context.client()?.create_bucket(bucket);
    for tag in args.tags.chunks_exact(2) {
        call = call.tag(&tag[0], &tag[1]);
    }
    if is_of_account(bucket) {
        call = call.namespace(BucketNamespace::AccountRegional);
    }
    match call.await {
        Ok(_) => {
            printer.say(&Made { bucket })?;
            Ok(Exit::Done)
        }
        Err(error) => {
            let what = format_args!("make_bucket failed: s3://{bucket}");
            Err(Failure::from(error).of_failed(what, context.is_aws()).exits(Exit::Failed))
        }
    }
}

/// Whether a name is one of those that only their account can have: `NAME-ACCOUNT-REGION-an`.
fn is_of_account(bucket: &str) -> bool {
    let is_account = |part: &str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = bucket.split('-').collect();
    parts.last() == Some(&"an") && parts.len() > 4 && parts[1..parts.len() - 2].iter().any(|part| is_account(part))
}

#[cfg(test)]
mod tests {
    use super::is_of_account;

    #[test]
    fn names_of_an_account_are_known() {
        assert!(is_of_account("logs-111122223333-eu-west-1-an"));
        for name in ["logs-an", "my-plan", "logs-111122223333-eu-west-1", "111122223333-eu-west-1-an", "a-1-b-c-an"] {
            assert!(!is_of_account(name), "{name}");
        }
    }
}
