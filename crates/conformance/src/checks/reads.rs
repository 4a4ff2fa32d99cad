//! Reads of a part of an object, under conditions, and with other headers than it has.

use std::time::{Duration, SystemTime};

use wharf::{ByteRange, Client, ErrorKind, ObjectHead, op};

use super::{Check, multipart::put_in_parts, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused, some, taken};

pub(super) const CHECKS: &[Check] = &[
    Check::new("range-first-last", "A range from one byte to another", |cx| Box::pin(range_first_last(cx))),
    Check::new("range-open", "A range from a byte to the end", |cx| Box::pin(range_open(cx))),
    Check::new("range-last", "A range of the last bytes", |cx| Box::pin(range_last(cx))),
    Check::new("range-past-end", "A range that goes past the end is cut short", |cx| Box::pin(range_past_end(cx))),
    Check::new("range-outside", "A range outside the object is 416 InvalidRange", |cx| Box::pin(range_outside(cx))),
    Check::new("range-head", "HeadObject of a range tells its length", |cx| Box::pin(range_head(cx))),
    Check::new("part-number", "A part is read by its number", |cx| Box::pin(part_number(cx))),
    Check::new("part-number-missing", "A part that an object does not have is 416", |cx| {
        Box::pin(part_number_missing(cx))
    }),
    Check::new("get-if-match", "GetObject under If-Match", |cx| Box::pin(get_if_match(cx))),
    Check::new("get-if-match-any", "GetObject under If-Match: *", |cx| Box::pin(get_if_match_any(cx))),
    Check::new("get-if-none-match", "GetObject under If-None-Match", |cx| Box::pin(get_if_none_match(cx))),
    Check::new("get-if-modified-since", "GetObject under If-Modified-Since", |cx| Box::pin(get_if_modified_since(cx))),
    Check::new("get-if-unmodified-since", "GetObject under If-Unmodified-Since", |cx| {
        Box::pin(get_if_unmodified_since(cx))
    }),
    Check::new("head-if-match", "HeadObject under If-Match", |cx| Box::pin(head_if_match(cx))),
    Check::new("head-if-none-match", "HeadObject under If-None-Match", |cx| Box::pin(head_if_none_match(cx))),
    Check::new("head-if-modified-since", "HeadObject under If-Modified-Since", |cx| {
        Box::pin(head_if_modified_since(cx))
    }),
    Check::new("head-if-unmodified-since", "HeadObject under If-Unmodified-Since", |cx| {
        Box::pin(head_if_unmodified_since(cx))
    }),
    Check::new("conditions-together", "If-Match that holds outweighs If-Unmodified-Since that does not", |cx| {
        Box::pin(conditions_together(cx))
    }),
    Check::new("response-overrides", "GetObject answers with the six headers that it is told", |cx| {
        Box::pin(get_overrides(cx))
    }),
    Check::new("response-overrides-head", "HeadObject does so, too", |cx| Box::pin(head_overrides(cx))),
];

const DIGITS: &str = "0123456789";

async fn range(cx: &Context, range: impl Into<ByteRange>, wanted: (&str, &str)) -> Outcome {
    cx.put("key", DIGITS).await?;
    let object = cx.s3.get_object(&cx.bucket, "key").range(range).await?;
    equal("length", object.content_length, wanted.0.len() as u64)?;
    equal("content range", object.content_range.as_deref(), Some(wanted.1))?;
    equal("body", object.text().await?, wanted.0)
}

async fn range_first_last(cx: Context) -> Outcome {
    range(&cx, 2..=4, ("234", "bytes 2-4/10")).await?;
    range(&cx, 0..1, ("0", "bytes 0-0/10")).await
}

async fn range_open(cx: Context) -> Outcome {
    range(&cx, 7.., ("789", "bytes 7-9/10")).await
}

async fn range_last(cx: Context) -> Outcome {
    range(&cx, ByteRange::last(3), ("789", "bytes 7-9/10")).await?;
    range(&cx, ByteRange::last(99), (DIGITS, "bytes 0-9/10")).await
}

async fn range_past_end(cx: Context) -> Outcome {
    range(&cx, 8..100, ("89", "bytes 8-9/10")).await
}

async fn range_outside(cx: Context) -> Outcome {
    cx.put("key", DIGITS).await?;
    let got = cx.s3.get_object(&cx.bucket, "key").range(10..).await;
    refused("GetObject", got, &[ErrorKind::InvalidRange])?;
    cx.put("empty", "").await?;
    let got = cx.s3.get_object(&cx.bucket, "empty").range(0..1).await;
    refused("GetObject of an empty object", got, &[ErrorKind::InvalidRange]).map(drop)
}

async fn range_head(cx: Context) -> Outcome {
    cx.put("key", DIGITS).await?;
    let head = cx.s3.head_object(&cx.bucket, "key").range(2..5).await?;
    equal("length", head.content_length, 3)?;
    equal("content range", head.content_range.as_deref(), Some("bytes 2-4/10"))
}

async fn part_number(cx: Context) -> Outcome {
    let parts = [pattern(5 * 1024 * 1024), pattern(77)];
    put_in_parts(&cx, "key", &parts).await?;
    let second = cx.s3.get_object(&cx.bucket, "key").part_number(2).await?;
    equal("parts", second.parts_count, Some(2))?;
    equal("length", second.content_length, 77)?;
    equal("content range", second.content_range.as_deref(), Some("bytes 5242880-5242956/5242957"))?;
    holds("the bytes are the part's", second.bytes().await? == parts[1])?;
    let first = cx.s3.head_object(&cx.bucket, "key").part_number(1).await?;
    equal("length of the first", first.content_length, 5 * 1024 * 1024)
}

async fn part_number_missing(cx: Context) -> Outcome {
    cx.put("key", DIGITS).await?;
    equal(
        "part 1 of an object in one piece",
        cx.s3.get_object(&cx.bucket, "key").part_number(1).text().await?,
        DIGITS,
    )?;
    let got = cx.s3.get_object(&cx.bucket, "key").part_number(2).await;
    let error = refused("part 2", got, &[ErrorKind::InvalidRange, ErrorKind::InvalidInput, ErrorKind::Other])?;
    equal("status", error.status().map(|status| status.as_u16()), Some(416))
}

type Get = op::GetObject<Client>;
type Head = op::HeadObject<Client>;

/// What a read under a condition must come to.
#[derive(Clone, Copy)]
enum Comes {
    Through,
    To(ErrorKind),
}

async fn get(cx: &Context, what: &str, condition: impl FnOnce(Get) -> Get, comes: Comes) -> Outcome {
    let answer = condition(cx.s3.get_object(&cx.bucket, "key")).text().await;
    match comes {
        Comes::Through => equal(what, taken(what, answer)?, DIGITS),
        Comes::To(kind) => refused(what, answer, &[kind]).map(drop),
    }
}

async fn head(cx: &Context, what: &str, condition: impl FnOnce(Head) -> Head, comes: Comes) -> Outcome {
    let answer = condition(cx.s3.head_object(&cx.bucket, "key")).await;
    match comes {
        Comes::Through => equal(what, taken(what, answer)?.content_length, 10),
        Comes::To(kind) => refused(what, answer, &[kind]).map(drop),
    }
}

const NOT_MODIFIED: Comes = Comes::To(ErrorKind::NotModified);
const FAILED: Comes = Comes::To(ErrorKind::PreconditionFailed);
const OTHER_TAG: &str = "\"0123456789abcdef0123456789abcdef\"";

/// The object, and a date before it was written.
async fn object(cx: &Context) -> Result<(ObjectHead, SystemTime, SystemTime), Failure> {
    cx.put("key", DIGITS).await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    let modified = some("Last-Modified", head.last_modified)?;
    Ok((head, modified, modified - Duration::from_secs(86_400)))
}

async fn get_if_match(cx: Context) -> Outcome {
    let (there, ..) = object(&cx).await?;
    get(&cx, "its ETag", |call| call.if_match(&there.etag), Comes::Through).await?;
    get(&cx, "another ETag", |call| call.if_match(OTHER_TAG), FAILED).await
}

async fn get_if_match_any(cx: Context) -> Outcome {
    object(&cx).await?;
    get(&cx, "any ETag", |call| call.if_match("*"), Comes::Through).await?;
    let missing = cx.s3.get_object(&cx.bucket, "missing").if_match("*").await;
    some("the refusal of a missing key", missing.err()).map(drop)
}

async fn get_if_none_match(cx: Context) -> Outcome {
    let (there, ..) = object(&cx).await?;
    get(&cx, "its ETag", |call| call.if_none_match(&there.etag), NOT_MODIFIED).await?;
    get(&cx, "another ETag", |call| call.if_none_match(OTHER_TAG), Comes::Through).await
}

async fn get_if_modified_since(cx: Context) -> Outcome {
    let (_, modified, before) = object(&cx).await?;
    get(&cx, "its own date", |call| call.if_modified_since(modified), NOT_MODIFIED).await?;
    get(&cx, "an earlier date", |call| call.if_modified_since(before), Comes::Through).await
}

async fn get_if_unmodified_since(cx: Context) -> Outcome {
    let (_, modified, before) = object(&cx).await?;
    get(&cx, "its own date", |call| call.if_unmodified_since(modified), Comes::Through).await?;
    get(&cx, "an earlier date", |call| call.if_unmodified_since(before), FAILED).await
}

async fn head_if_match(cx: Context) -> Outcome {
    let (there, ..) = object(&cx).await?;
    head(&cx, "its ETag", |call| call.if_match(&there.etag), Comes::Through).await?;
    head(&cx, "another ETag", |call| call.if_match(OTHER_TAG), FAILED).await
}

async fn head_if_none_match(cx: Context) -> Outcome {
    let (there, ..) = object(&cx).await?;
    head(&cx, "its ETag", |call| call.if_none_match(&there.etag), NOT_MODIFIED).await?;
    head(&cx, "another ETag", |call| call.if_none_match(OTHER_TAG), Comes::Through).await
}

async fn head_if_modified_since(cx: Context) -> Outcome {
    let (_, modified, before) = object(&cx).await?;
    head(&cx, "its own date", |call| call.if_modified_since(modified), NOT_MODIFIED).await?;
    head(&cx, "an earlier date", |call| call.if_modified_since(before), Comes::Through).await
}

async fn head_if_unmodified_since(cx: Context) -> Outcome {
    let (_, modified, before) = object(&cx).await?;
    head(&cx, "its own date", |call| call.if_unmodified_since(modified), Comes::Through).await?;
    head(&cx, "an earlier date", |call| call.if_unmodified_since(before), FAILED).await
}

async fn conditions_together(cx: Context) -> Outcome {
    let (there, modified, before) = object(&cx).await?;
    let both = |call: Get| call.if_match(&there.etag).if_unmodified_since(before);
    get(&cx, "If-Match holds", both, Comes::Through).await?;
    let both = |call: Get| call.if_none_match(&there.etag).if_modified_since(before);
    get(&cx, "If-None-Match does not hold", both, NOT_MODIFIED).await?;
    let both = |call: Get| call.if_match(OTHER_TAG).if_unmodified_since(modified);
    get(&cx, "If-Match does not hold", both, FAILED).await
}

fn overridden(head: &ObjectHead) -> Outcome {
    equal("cache control", head.cache_control.as_deref(), Some("no-store"))?;
    equal("content disposition", head.content_disposition.as_deref(), Some("attachment; filename=\"x y.txt\""))?;
    equal("content encoding", head.content_encoding.as_deref(), Some("identity"))?;
    equal("content language", head.content_language.as_deref(), Some("fr"))?;
    equal("content type", head.content_type.as_deref(), Some("application/x-other"))?;
    equal("expires", head.expires.as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"))
}

async fn get_overrides(cx: Context) -> Outcome {
    cx.put("key", DIGITS).await?;
    let call = cx.s3.get_object(&cx.bucket, "key").response_cache_control("no-store");
    let call =
        call.response_content_disposition("attachment; filename=\"x y.txt\"").response_content_encoding("identity");
    let call = call.response_content_language("fr").response_content_type("application/x-other");
    overridden(&call.response_expires(SystemTime::UNIX_EPOCH).await?.head)
}

async fn head_overrides(cx: Context) -> Outcome {
    cx.put("key", DIGITS).await?;
    let call = cx.s3.head_object(&cx.bucket, "key").response_cache_control("no-store");
    let call =
        call.response_content_disposition("attachment; filename=\"x y.txt\"").response_content_encoding("identity");
    let call = call.response_content_language("fr").response_content_type("application/x-other");
    overridden(&call.response_expires(SystemTime::UNIX_EPOCH).await?)
}
