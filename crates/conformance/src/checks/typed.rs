//! Typed content, there and back.

use serde::{Deserialize, Serialize};
use wharf::{Csv, ErrorKind, Format, Json, Record, Records, Xml};

use super::{Check, pattern};
use crate::context::Context;
use crate::expect::{Outcome, equal, holds, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("typed-text", "Text", |cx| Box::pin(text(cx))),
    Check::new("typed-json", "JSON", |cx| Box::pin(json(cx))),
    Check::new("typed-xml", "XML", |cx| Box::pin(xml(cx))),
    Check::new("typed-csv", "CSV, a record a row, read as a stream", |cx| Box::pin(csv(cx))),
    Check::new("typed-record", "A record in the format of the key's extension", |cx| Box::pin(record(cx))),
    Check::new("typed-part", "A part holds typed content, too", |cx| Box::pin(part(cx))),
    Check::new("typed-wrong", "Content of another type than asked for is an error", |cx| Box::pin(wrong(cx))),
    Check::new("typed-limit", "More than the limit is not read into memory", |cx| Box::pin(limit(cx))),
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sale {
    product: String,
    units: u32,
    price: f64,
}

fn sales() -> Vec<Sale> {
    let sale = |product: &str, units, price| Sale { product: product.to_owned(), units, price };
    vec![sale("tea, green", 3, 4.5), sale("say \"cheese\" <&>", 1, 0.25), sale("Z\u{fc}ri\nGschn\u{e4}tzlets", 7, 31.0)]
}

async fn text(cx: Context) -> Outcome {
    let text = "Gr\u{fc}ezi, \u{4e16}\u{754c}\r\n\u{1f980}";
    cx.put("key", text).await?;
    equal("the text", cx.s3.get_object(&cx.bucket, "key").text().await?, text)
}

async fn content_type(cx: &Context, key: &str, wanted: &str) -> Outcome {
    let head = cx.s3.head_object(&cx.bucket, key).await?;
    equal(&format!("content type of {key}"), head.content_type.as_deref(), Some(wanted))
}

async fn json(cx: Context) -> Outcome {
    cx.put("key", Json(&sales())).await?;
    equal("the sales", cx.s3.get_object(&cx.bucket, "key").json::<Vec<Sale>>().await?, sales())?;
    content_type(&cx, "key", "application/json").await
}

async fn xml(cx: Context) -> Outcome {
    let sale = sales().swap_remove(1);
    cx.put("key", Xml(&sale)).await?;
    equal("the sale", cx.s3.get_object(&cx.bucket, "key").xml::<Sale>().await?, sale)?;
    content_type(&cx, "key", "application/xml").await
}

async fn csv(cx: Context) -> Outcome {
    cx.put("key", Csv(&sales())).await?;
    let mut records = cx.s3.get_object(&cx.bucket, "key").csv::<Sale>().await?;
    let mut read = Vec::new();
    while let Some(sale) = records.next().await {
        read.push(sale?);
    }
    equal("the sales", read, sales())?;
    content_type(&cx, "key", "text/csv; charset=utf-8").await
}

async fn record(cx: Context) -> Outcome {
    let sale = sales().swap_remove(0);
    for key in ["sales/1.json", "sales/1.XML"] {
        cx.put(key, Record(&sale)).await?;
        equal(key, cx.s3.get_object(&cx.bucket, key).record::<Sale>().await?, sale.clone())?;
    }
    cx.put("sales/all.csv", Records(&sales())).await?;
    let all = cx.s3.get_object(&cx.bucket, "sales/all.csv").records::<Sale>().await?.collect().await?;
    equal("all", all, sales())?;
    cx.put("sales/1", Record(&sale).format(Format::Json)).await?;
    equal("by format", cx.s3.get_object(&cx.bucket, "sales/1").record_as::<Sale>(Format::Json).await?, sale)
}

async fn part(cx: Context) -> Outcome {
    let id = super::multipart::begin(&cx, "all.csv").await?;
    let part = cx.s3.upload_part(&cx.bucket, "all.csv", &id, 1, Records(&sales())).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "all.csv", &id).part(part).await?;
    let all = cx.s3.get_object(&cx.bucket, "all.csv").records::<Sale>().await?.collect().await?;
    equal("all", all, sales())
}

async fn wrong(cx: Context) -> Outcome {
    cx.put("dir/bad.json", &b"{\"product\": \xff"[..]).await?;
    let got = cx.s3.get_object(&cx.bucket, "dir/bad.json").record::<Sale>().await;
    let error = refused("as a record", got, &[ErrorKind::InvalidContent])?;
    holds("the error names the key", error.key() == Some("dir/bad.json"))?;
    let got = cx.s3.get_object(&cx.bucket, "dir/bad.json").text().await;
    refused("as text", got, &[ErrorKind::InvalidContent]).map(drop)
}

async fn limit(cx: Context) -> Outcome {
    cx.put("key", pattern(1000)).await?;
    let got = cx.s3.get_object(&cx.bucket, "key").limit(999).bytes().await;
    refused("one byte more than the limit", got, &[ErrorKind::InvalidContent])?;
    equal("up to the limit", cx.s3.get_object(&cx.bucket, "key").limit(1000).bytes().await?.len(), 1000)
}
