//! Keys that servers and clients like to get wrong.

use super::Check;
use crate::context::Context;
use crate::expect::{Outcome, equal, holds};

pub(super) const CHECKS: &[Check] = &[
    Check::new("key-control-characters", "Every control character", |cx| Box::pin(there_and_back(cx, &controls()))),
    Check::new("key-punctuation", "Every sign of ASCII", |cx| Box::pin(there_and_back(cx, &signs()))),
    Check::new("key-dot", "`.`", |cx| Box::pin(there_and_back(cx, "."))),
    Check::new("key-dot-dot", "`..`", |cx| Box::pin(there_and_back(cx, ".."))),
    Check::new("key-parent", "`up/../down`", |cx| Box::pin(there_and_back(cx, "up/../down"))),
    Check::new("key-here", "`./here`", |cx| Box::pin(there_and_back(cx, "./here"))),
    Check::new("key-double-slash", "`two//slashes`", |cx| Box::pin(there_and_back(cx, "two//slashes"))),
    Check::new("key-first-slash", "`/first`", |cx| Box::pin(there_and_back(cx, "/first"))),
    Check::new("key-last-slash", "`last/`, with a body", |cx| Box::pin(there_and_back(cx, "last/"))),
    Check::new("key-plus", "`1+1 = 2%2B0`", |cx| Box::pin(there_and_back(cx, "1+1 = 2%2B0"))),
    Check::new("key-percent", "`100%41.txt`, which is not `100A.txt`", |cx| Box::pin(there_and_back(cx, "100%41.txt"))),
    Check::new("key-unicode", "Letters of several scripts, and a crab", |cx| {
        Box::pin(there_and_back(cx, "Z\u{fc}rich/\u{6771}\u{4eac}/\u{1f980}.txt"))
    }),
    Check::new("key-decomposed", "Both ways of writing an umlaut stay apart", |cx| Box::pin(decomposed(cx))),
    Check::new("key-case", "Capital and small letters stay apart", |cx| Box::pin(case(cx))),
    Check::new("key-object-and-folder", "A key may be the beginning of another: `a`, `a/`, `a/b`", |cx| {
        Box::pin(object_and_folder(cx))
    }),
    Check::new("key-1024-bytes", "1,024 bytes, the most there can be", |cx| {
        Box::pin(there_and_back(cx, &"\u{e4}".repeat(512)))
    }),
    Check::new("key-first-space", "A space at the beginning", |cx| Box::pin(there_and_back(cx, " begins"))),
    Check::new("key-first-tab", "A tab at the beginning", |cx| Box::pin(there_and_back(cx, "\tbegins"))),
    Check::new("key-first-lf", "A line feed at the beginning", |cx| Box::pin(there_and_back(cx, "\nbegins"))),
    Check::new("key-first-vt", "A vertical tab at the beginning", |cx| Box::pin(there_and_back(cx, "\u{b}begins"))),
    Check::new("key-first-cr", "A carriage return at the beginning", |cx| Box::pin(there_and_back(cx, "\rbegins"))),
    Check::new("key-first-dot", "A dot at the beginning", |cx| Box::pin(there_and_back(cx, ".begins"))),
    Check::new("key-first-tilde", "A tilde at the beginning", |cx| Box::pin(there_and_back(cx, "~begins"))),
    Check::new("key-last-space", "A space at the end", |cx| Box::pin(there_and_back(cx, "ends "))),
    Check::new("key-last-tab", "A tab at the end", |cx| Box::pin(there_and_back(cx, "ends\t"))),
    Check::new("key-last-lf", "A line feed at the end", |cx| Box::pin(there_and_back(cx, "ends\n"))),
    Check::new("key-last-vt", "A vertical tab at the end", |cx| Box::pin(there_and_back(cx, "ends\u{b}"))),
    Check::new("key-last-cr", "A carriage return at the end", |cx| Box::pin(there_and_back(cx, "ends\r"))),
    Check::new("key-last-dot", "A dot at the end", |cx| Box::pin(there_and_back(cx, "ends."))),
];

fn controls() -> String {
    ('\0'..=' ').chain(['\u{7f}']).collect()
}

fn signs() -> String {
    ('!'..='~').filter(char::is_ascii_punctuation).collect()
}

/// Puts, describes, reads, lists, copies from and to, and deletes an object under this key.
fn there_and_back(cx: Context, key: &str) -> impl Future<Output = Outcome> + Send + use<> {
    let key = key.to_owned();
    async move {
        let cx = &cx;
        let body = format!("the body of {key:?}");
        cx.put(&key, &body).await?;
        equal("HeadObject: length", cx.s3.head_object(&cx.bucket, &key).await?.content_length, body.len() as u64)?;
        equal("GetObject", cx.bytes(&key).await?, &body)?;
        equal("ListObjects", cx.keys().await?, [key.as_str()])?;
        let by_prefix = cx.s3.list_objects(&cx.bucket).prefix(&key).items().collect().await?;
        equal("ListObjects by prefix", by_prefix.into_iter().map(|one| one.key).collect::<Vec<_>>(), [key.as_str()])?;
        cx.s3.copy_object(&cx.bucket, &key, &cx.bucket, "copy").await?;
        equal("CopyObject from it", cx.bytes("copy").await?, &body)?;
        cx.s3.delete_object(&cx.bucket, &key).await?;
        equal("keys after DeleteObject", cx.keys().await?, ["copy"])?;
        holds("object_exists is false", !cx.s3.object_exists(&cx.bucket, &key).await?)?;
        cx.s3.copy_object(&cx.bucket, "copy", &cx.bucket, &key).await?;
        equal("CopyObject to it", cx.bytes(&key).await?, &body)
    }
}

async fn all_apart(cx: Context, keys: &[&str]) -> Outcome {
    for key in keys {
        cx.put(key, *key).await?;
    }
    equal("keys", cx.keys().await?, keys)?;
    for key in keys {
        equal(key, cx.s3.get_object(&cx.bucket, *key).text().await?, *key)?;
    }
    Ok(())
}

async fn decomposed(cx: Context) -> Outcome {
    all_apart(cx, &["Zu\u{308}rich", "Z\u{fc}rich"]).await
}

async fn case(cx: Context) -> Outcome {
    all_apart(cx, &["README", "Readme", "readme"]).await
}

async fn object_and_folder(cx: Context) -> Outcome {
    all_apart(cx, &["a", "a/", "a/b"]).await
}
