//! `wharf presign`: a link that works without keys.

use std::time::Duration;

use clap::ValueEnum;
use wharf::{Body, Client, Presigned, S3Uri};

use crate::error::{Exit, Failure};
use crate::printer::Printer;
use crate::uri;

const EXAMPLE: &str = "\
Example: let somebody without keys upload a file, for ten minutes

  url=$(wharf presign s3://my-bucket/inbox/photo.jpg --method PUT --expires-in 600)
  curl -T photo.jpg \"$url\"";

/// Print a link that anybody may use until it expires
///
/// Nothing is sent: neither the keys nor the object are checked. Whoever has the link can use it.
/// Headers that must be sent with it, where there are any, go to standard error.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY
    #[arg(value_parser = uri::object)]
    uri: S3Uri,
    /// For how many seconds it works: at most 604800, which is a week
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3600,
        value_parser = seconds
    )]
    expires_in: u64,
    /// What it is good for
    #[arg(long, value_enum, ignore_case = true, default_value_t = Method::Get)]
    method: Method,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Method {
    Get,
    Put,
    Head,
    Delete,
}

fn seconds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(seconds @ 1..=604_800) => Ok(seconds),
        _ => Err("it is a number of whole seconds from 1 to 604800, such as 600".to_owned()),
    }
}

pub(crate) async fn run(args: Args, s3: &Client, printer: &mut Printer) -> Result<Exit, Failure> {
    let (bucket, key) = (args.uri.bucket(), args.uri.key());
    let expires_in = Duration::from_secs(args.expires_in);
    let link = match args.method {
        Method::Get => s3.get_object(bucket, key).presign(expires_in),
        Method::Put => s3.put_object(bucket, key, Body::empty()).presign(expires_in),
        Method::Head => s3.head_object(bucket, key).presign(expires_in),
        Method::Delete => s3.delete_object(bucket, key).presign(expires_in),
    }
    .await?;
    for header in headers(&link) {
        printer.note(header);
    }
    printer.line(&link.url)?;
    Ok(Exit::Done)
}

/// What must be sent with the link, a line each.
fn headers(link: &Presigned) -> impl Iterator<Item = String> {
    link.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
}

#[cfg(test)]
mod tests {
    use wharf_embedded::Store;

    use super::*;

    #[tokio::test]
    async fn headers_are_lines() {
        let s3 = Client::builder().transport(Store::in_memory()).build().unwrap();
        let link =
            s3.put_object("my-bucket", "a", Body::empty()).content_type("text/plain").presign(Duration::from_secs(1));
        assert_eq!(headers(&link.await.unwrap()).collect::<Vec<_>>(), ["content-type: text/plain"]);
    }
}
