//! ListObjectsV2.

use futures_util::{StreamExt, TryStreamExt, stream};
use wharf::ErrorKind;

use super::Check;
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("list-empty", "An empty bucket lists nothing", |cx| Box::pin(empty(cx))),
    Check::new("list-fields", "Each object has size, ETag, date and class", |cx| Box::pin(fields(cx))),
    Check::new("list-owner", "Owners come when they are asked for", |cx| Box::pin(owner(cx))),
    Check::new("list-prefix", "Only keys that begin with the prefix", |cx| Box::pin(prefix(cx))),
    Check::new("list-delimiter", "Keys with a delimiter are rolled up", |cx| Box::pin(delimiter(cx))),
    Check::new("list-delimiter-text", "The delimiter may be any text", |cx| Box::pin(delimiter_text(cx))),
    Check::new("list-start-after", "Only keys after a given one", |cx| Box::pin(start_after(cx))),
    Check::new("list-max-keys", "A page holds as many keys as asked for, and a token for the rest", |cx| {
        Box::pin(max_keys(cx))
    }),
    Check::new("list-pages", "More than 1,000 keys come on several pages", |cx| Box::pin(pages(cx))),
    Check::new("list-delimiter-pages", "A rolled up prefix comes once over all pages", |cx| {
        Box::pin(delimiter_pages(cx))
    }),
    Check::new("list-order", "Keys come in the order of their UTF-8 bytes", |cx| Box::pin(order(cx))),
    Check::new("list-url-encoding", "Keys that XML cannot hold are listed, url-encoded", |cx| {
        Box::pin(url_encoding(cx))
    }),
    Check::new("list-url-encoding-off", "Without url encoding keys come as they are", |cx| {
        Box::pin(url_encoding_off(cx))
    }),
    Check::new("list-prefix-encoded", "Prefix, delimiter and marker are encoded, too", |cx| {
        Box::pin(prefix_encoded(cx))
    }),
    Check::new("list-after-delete", "What is deleted is listed no more", |cx| Box::pin(after_delete(cx))),
    Check::new("list-no-bucket", "A missing bucket is NoSuchBucket", |cx| Box::pin(no_bucket(cx))),
];

/// Puts an object under each of the keys, some at once.
async fn put_all(cx: &Context, keys: impl IntoIterator<Item = String>) -> Outcome {
    let puts: Vec<_> = keys.into_iter().map(|key| cx.s3.put_object(&cx.bucket, key, "x")).collect();
    stream::iter(puts.into_iter().map(IntoFuture::into_future))
        .buffer_unordered(16)
        .try_for_each(|_| std::future::ready(Ok(())))
        .await
        .map_err(Failure::from)
}

async fn put_some(cx: &Context, keys: &[&str]) -> Outcome {
    put_all(cx, keys.iter().map(|key| (*key).to_owned())).await
}

fn keys(page: &wharf::op::ListObjectsOutput) -> Vec<&str> {
    page.objects.iter().map(|object| object.key.as_str()).collect()
}

async fn empty(cx: Context) -> Outcome {
    let page = cx.s3.list_objects(&cx.bucket).await?;
    holds("nothing is listed", page.is_empty() && !page.is_truncated && page.next_continuation_token.is_none())
}

async fn fields(cx: Context) -> Outcome {
    let put = cx.put("key", "0123456789").await?;
    let page = cx.s3.list_objects(&cx.bucket).await?;
    equal("keys", keys(&page), ["key"])?;
    equal("key count", page.key_count, Some(1))?;
    let object = &page.objects[0];
    equal("size", object.size, 10)?;
    equal("ETag", &object.etag, &put.etag)?;
    equal("class", object.storage_class.as_str(), "STANDARD")?;
    holds("there is a date", object.last_modified.is_some())?;
    holds("no owner comes unasked", object.owner.is_none())
}

async fn owner(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let page = cx.s3.list_objects(&cx.bucket).fetch_owner().await?;
    let object = some("the object", page.objects.first())?;
    holds("its owner has an id", object.owner.as_ref().is_some_and(|owner| !owner.id.is_empty()))
}

async fn prefix(cx: Context) -> Outcome {
    put_some(&cx, &["a", "ab", "abc", "b", "ab/c"]).await?;
    equal("by ab", keys(&cx.s3.list_objects(&cx.bucket).prefix("ab").await?), ["ab", "ab/c", "abc"])?;
    equal("by ab/", keys(&cx.s3.list_objects(&cx.bucket).prefix("ab/").await?), ["ab/c"])?;
    equal("by another", keys(&cx.s3.list_objects(&cx.bucket).prefix("x").await?), [""; 0])
}

async fn delimiter(cx: Context) -> Outcome {
    put_some(&cx, &["a/1", "a/2", "b", "c/d/1", "c/2"]).await?;
    let page = cx.s3.list_objects(&cx.bucket).delimiter("/").await?;
    equal("keys", keys(&page), ["b"])?;
    equal("prefixes", &page.common_prefixes, &["a/", "c/"])?;
    equal("key count", page.key_count, Some(3))?;
    let page = cx.s3.list_objects(&cx.bucket).prefix("c/").delimiter("/").await?;
    equal("keys below c/", keys(&page), ["c/2"])?;
    equal("prefixes below c/", &page.common_prefixes, &["c/d/"])
}

async fn delimiter_text(cx: Context) -> Outcome {
    put_some(&cx, &["2024-01-02", "2024-02-03", "2025-01-01", "none"]).await?;
    let page = cx.s3.list_objects(&cx.bucket).delimiter("-0").await?;
    equal("keys", keys(&page), ["none"])?;
    equal("prefixes", &page.common_prefixes, &["2024-0", "2025-0"])
}

async fn start_after(cx: Context) -> Outcome {
    put_some(&cx, &["a", "b", "c", "d"]).await?;
    equal("after b", keys(&cx.s3.list_objects(&cx.bucket).start_after("b").await?), ["c", "d"])?;
    equal("after ba", keys(&cx.s3.list_objects(&cx.bucket).start_after("ba").await?), ["c", "d"])?;
    equal("after d", keys(&cx.s3.list_objects(&cx.bucket).start_after("d").await?), [""; 0])
}

async fn max_keys(cx: Context) -> Outcome {
    put_some(&cx, &["a", "b", "c"]).await?;
    let page = cx.s3.list_objects(&cx.bucket).max_keys(2).await?;
    equal("keys", keys(&page), ["a", "b"])?;
    holds("it is truncated", page.is_truncated)?;
    let token = some("the token", page.next_continuation_token)?;
    let rest = cx.s3.list_objects(&cx.bucket).max_keys(2).continuation_token(token).await?;
    equal("the rest", keys(&rest), ["c"])?;
    holds("that is all", !rest.is_truncated && rest.next_continuation_token.is_none())?;
    let exact = cx.s3.list_objects(&cx.bucket).max_keys(3).await?;
    holds("a page that holds all is not truncated", !exact.is_truncated)
}

async fn pages(cx: Context) -> Outcome {
    let wanted: Vec<_> = (0..1_040).map(|n| format!("p{}/k{:03}", n / 104, n % 104)).collect();
    put_all(&cx, wanted.clone()).await?;
    let first = cx.s3.list_objects(&cx.bucket).await?;
    equal("keys on the first page", (first.objects.len(), first.is_truncated), (1_000, true))?;
    holds("all keys come once, in order", cx.keys().await? == wanted)?;
    let by_seven = cx.s3.list_objects(&cx.bucket).prefix("p3/").max_keys(7).items().collect().await?;
    let found: Vec<_> = by_seven.into_iter().map(|object| object.key).collect();
    holds("so do those of one prefix, seven a page", found == wanted[312..416])?;
    let top = cx.s3.list_objects(&cx.bucket).delimiter("/").await?;
    equal("prefixes", (top.common_prefixes.len(), top.is_truncated), (10, false))
}

async fn delimiter_pages(cx: Context) -> Outcome {
    let deep = (0..30).map(|n| format!("d{}/{}", n % 6, n));
    let top = (0..5).map(|n| format!("d{n}+top"));
    put_all(&cx, deep.chain(top)).await?;
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    let mut pages = cx.s3.list_objects(&cx.bucket).delimiter("/").max_keys(2).pages();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        let page = page?;
        holds("a page holds two at most", page.objects.len() + page.common_prefixes.len() <= 2)?;
        objects.extend(page.objects.into_iter().map(|object| object.key));
        prefixes.extend(page.common_prefixes);
        count += 1;
        holds("the listing comes to an end", count < 20)?;
    }
    equal("keys", objects, ["d0+top", "d1+top", "d2+top", "d3+top", "d4+top"])?;
    equal("prefixes", prefixes, ["d0/", "d1/", "d2/", "d3/", "d4/", "d5/"])
}

async fn order(cx: Context) -> Outcome {
    // By bytes, by UTF-16 and by words these come in three different orders.
    let wanted = ["A", "Z", "a", "a!", "a-b", "a/b", "a0", "z", "\u{e9}", "\u{ff5e}", "\u{1f980}"];
    let mut mixed = wanted;
    mixed.reverse();
    put_some(&cx, &mixed).await?;
    equal("keys", cx.keys().await?, wanted)
}

async fn url_encoding(cx: Context) -> Outcome {
    let wanted = ["a\u{1}b", "c+d e%2Ff", "g<&>\"h'"];
    put_some(&cx, &wanted).await?;
    equal("keys", cx.keys().await?, wanted)
}

async fn url_encoding_off(cx: Context) -> Outcome {
    let wanted = ["c+d e%2Ff", "g<&>\"h'", "\u{e4}/\u{1f980}"];
    put_some(&cx, &wanted).await?;
    equal("keys", keys(&cx.s3.list_objects(&cx.bucket).url_encoding(false).await?), wanted)
}

async fn prefix_encoded(cx: Context) -> Outcome {
    put_some(&cx, &["a +%/1", "a +%/2", "a +%&x"]).await?;
    let page = cx.s3.list_objects(&cx.bucket).prefix("a +").delimiter("%/").await?;
    equal("prefixes", &page.common_prefixes, &["a +%/"])?;
    equal("keys", keys(&page), ["a +%&x"])?;
    let page = cx.s3.list_objects(&cx.bucket).start_after("a +%/1").await?;
    equal("after a +%/1", keys(&page), ["a +%/2"])
}

async fn after_delete(cx: Context) -> Outcome {
    put_some(&cx, &["a", "dir/b"]).await?;
    cx.s3.delete_object(&cx.bucket, "dir/b").await?;
    equal("keys", cx.keys().await?, ["a"])?;
    let page = cx.s3.list_objects(&cx.bucket).delimiter("/").await?;
    equal("prefixes", page.common_prefixes, [""; 0])
}

async fn no_bucket(cx: Context) -> Outcome {
    let page = cx.s3.list_objects(cx.free_name()).await;
    refused("ListObjects", page, &[ErrorKind::NoSuchBucket]).map(drop)
}
