//! ListBuckets.

use crate::account::canonical_id;
use crate::call::{Call, Reply, document};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::time::iso_date;
use crate::token;
use crate::xml::Writer;

const MOST: usize = 10_000;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let prefix = call.query.filled("prefix").unwrap_or_default();
    let limit = call.query.count("max-buckets", MOST)?;
    if limit == 0 {
        return Err(invalid_argument(
            "Argument max-buckets must be an integer between 1 and 10000",
            "max-buckets",
            "0",
        ));
    }
    let after = match call.query.filled("continuation-token") {
        Some(text) => token::read(text)?,
        None => String::new(),
    };
    if let Some(region) = call.query.filled("bucket-region")
        && region != call.shared.region
    {
        let message = format!("Argument value {region} is not a valid AWS Region");
        return Err(Error::new(Code::InvalidArgument, message));
    }
    let mut buckets = call.backend().buckets().await?;
    buckets
        .retain(|bucket| bucket.owner == call.account.number && bucket.name.starts_with(prefix) && bucket.name > after);
    let truncated = buckets.len() > limit;
    buckets.truncate(limit);
    let paged = call.query.has("max-buckets");
    let mut xml = Writer::new("ListAllMyBucketsResult");
    xml.element("Owner", |xml| {
        xml.text("ID", &canonical_id(&call.account.number));
        xml.text("DisplayName", &call.account.name);
    });
    xml.element("Buckets", |xml| {
        for bucket in &buckets {
            xml.element("Bucket", |xml| {
                xml.text("Name", &bucket.name);
                xml.text("CreationDate", &iso_date(bucket.created));
                if paged {
                    xml.text("BucketRegion", &bucket.region);
                }
            });
        }
    });
    if !prefix.is_empty() {
        xml.text("Prefix", prefix);
    }
    if let Some(last) = buckets.last().filter(|_| truncated) {
        xml.text("ContinuationToken", &token::write(&last.name));
    }
    Ok(document(xml))
}
