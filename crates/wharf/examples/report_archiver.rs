//! A report archiver: sales reports come in under one prefix, go out sorted under another, and are kept under a third.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use serde::{Deserialize, Serialize};
use wharf::{Client, Csv, Result};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sale {
    product: String,
    revenue: f64,
}

#[derive(Debug, Serialize)]
struct Line {
    product: String,
    revenue: f64,
    running_total: f64,
}

/// Rows without revenue are dropped, the rest sorted by revenue, each with the total so far.
fn report(mut sales: Vec<Sale>) -> Vec<Line> {
    sales.retain(|sale| sale.revenue > 0.0);
    sales.sort_by(|a, b| b.revenue.total_cmp(&a.revenue));
    let mut total = 0.0;
    let line = |sale: Sale| {
        total += sale.revenue;
        Line { product: sale.product, revenue: sale.revenue, running_total: total }
    };
    sales.into_iter().map(line).collect()
}

async fn archive(s3: &Client, bucket: &str) -> Result<()> {
    let mut reports = s3.list_objects(bucket).prefix("incoming/").items();
    while let Some(object) = reports.next().await {
        let key = object?.key;
        let name = key.trim_start_matches("incoming/");
        let sales = s3.get_object(bucket, &key).csv::<Sale>().await?.collect().await?;
        let lines = report(sales);
        let total = lines.last().map_or(0.0, |line| line.running_total);
        let top = lines.first().map_or("nothing", |line| line.product.as_str());
        println!("{name}: {} products, {total:.2} in all, most by {top}", lines.len());
        s3.put_object(bucket, format!("processed/{name}"), Csv(&lines)).await?;
        s3.copy_object(bucket, &key, bucket, format!("archive/{name}")).await?;
        s3.delete_object(bucket, &key).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;
    let monday = "product,revenue\nanchor,120.5\nrope,0\nsail,999.9\n";
    let tuesday = "product,revenue\nrope,12.25\nanchor,80\n";
    for (name, csv) in [("monday.csv", monday), ("tuesday.csv", tuesday)] {
        s3.put_object(bucket, format!("incoming/{name}"), csv).content_type("text/csv").await?;
    }
    archive(s3, bucket).await?;
    println!("{}", s3.get_object(bucket, "processed/monday.csv").text().await?);
    common::remove(s3, bucket).await
}
