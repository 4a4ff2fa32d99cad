//! `wharf presign`: a link that works without keys.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use serde::Serialize;
use wharf::{Body, Presigned, S3Uri};

use crate::context::Context;
use crate::error::{Exit, Failure, RAW};
use crate::message;
use crate::printer::Printer;
use crate::units;
use crate::url;

const EXAMPLE: &str = "\
Example: let somebody without keys upload a file, for ten minutes

  url=$(wharf presign s3://my-bucket/inbox/photo.jpg --method PUT --expires-in 10m)
  curl -T photo.jpg \"$url\"";

/// Print a link that anybody may use until it expires
///
/// Nothing is sent: neither the keys nor the object are checked. Whoever has the link can use it.
/// Headers that must be sent with it, where there are any, go to standard error.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// s3://BUCKET/KEY
    #[arg(value_name = "URL", value_parser = url::object)]
    url: S3Uri,
    /// For how long it works: seconds, or such as 10m or 7d; at most 604800, which is a week
    #[arg(
        long,
        value_name = "TIME",
        default_value_t = 3600,
        value_parser = seconds,
        allow_hyphen_values = true
    )]
    expires_in: u64,
    /// What it is good for
    #[arg(long, value_enum, ignore_case = true, default_value_t = Method::Get)]
    method: Method,
    /// Take * and ? as they are
    #[arg(long)]
    raw: bool,
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
    let seconds = text.parse().ok().or_else(|| Some(units::duration(text).ok()?.as_secs()));
    let seconds = seconds.filter(|seconds| (1..=604_800).contains(seconds));
    seconds.ok_or_else(|| "it is a number of whole seconds from 1 to 604800, such as 600, or 10m, 12h, 7d".to_owned())
}

/// A link, and what must be sent with it.
#[derive(Serialize)]
#[serde(tag = "type", rename = "presign")]
struct Link {
    url: String,
    method: String,
    #[serde(serialize_with = "message::time")]
    expires_at: Option<SystemTime>,
    headers: BTreeMap<String, String>,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    if context.globals.connection.embedded.is_some() {
        return Err(Failure::usage("--embedded has no address that a link could lead to")
            .hint("`wharf serve --data DIR` serves the same directory; then presign with --endpoint-url"));
    }
    context.must_be_literal(&args.url, args.raw, "one object", RAW)?;
    let (bucket, key) = (args.url.bucket(), args.url.key());
    let expires_in = Duration::from_secs(args.expires_in);
    let s3 = context.client()?;
    let link = match args.method {
        Method::Get => s3.get_object(bucket, key).presign(expires_in),
        Method::Put => s3.put_object(bucket, key, Body::empty()).presign(expires_in),
        Method::Head => s3.head_object(bucket, key).presign(expires_in),
        Method::Delete => s3.delete_object(bucket, key).presign(expires_in),
    }
    .await?;
    let headers = headers(&link);
    if !printer.is_json() {
        for (name, value) in &headers {
            printer.note(format_args!("{name}: {value}"));
        }
    }
    let (method, expires_at) = (link.method.to_string(), Some(link.expires_at));
    printer.say(&Link { url: link.url.to_string(), method, expires_at, headers })?;
    Ok(Exit::Done)
}

/// What must be sent with the link.
fn headers(link: &Presigned) -> BTreeMap<String, String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    link.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use wharf::Client;
    use wharf_embedded::Store;

    use super::*;

    #[tokio::test]
    async fn headers_are_what_must_be_sent() {
        let s3 = Client::builder().transport(Store::in_memory()).build().unwrap();
        let link =
            s3.put_object("my-bucket", "a", Body::empty()).content_type("text/plain").presign(Duration::from_secs(1));
        let headers = headers(&link.await.unwrap());
        assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("content-type".to_owned(), "text/plain".to_owned())]);
    }
}
