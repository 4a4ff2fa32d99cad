//! A report archiver: sales, a row a product, come in under one prefix, go out sorted under another, are kept under a third.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use serde::{Deserialize, Serialize};
use wharf::{Client, Csv, Result};

#[derive(Debug, Serialize, Deserialize)]
struct Sale {
    product: String,
    revenue: Option<f64>,
    #[serde(default)] // not in what comes in
    running_total: f64,
}

async fn archive(s3: &Client, bucket: &str, name: &str) -> Result<()> {
    let incoming = format!("incoming/{name}");
    let mut sales: Vec<Sale> = s3.get_object(bucket, &incoming).csv().await?.collect().await?;
    let revenue = |sale: &Sale| sale.revenue.unwrap_or_default();
    sales.retain(|sale| revenue(sale) != 0.0);
    sales.sort_by(|a, b| revenue(b).total_cmp(&revenue(a)));
    let mut total = 0.0;
    for sale in &mut sales {
        total += revenue(sale);
        sale.running_total = total;
    }
    let top = sales.first().map_or("nothing", |sale| sale.product.as_str());
    println!("{name}: {} products, {total:.2} in all, most by {top}", sales.len());
    s3.put_object(bucket, format!("processed/{name}"), Csv(&sales)).await?;
    s3.copy_object(bucket, &incoming, bucket, format!("archive/{name}")).await?;
    s3.delete_object(bucket, &incoming).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;
    s3.put_object(bucket, "incoming/monday.csv", "product,revenue\nanchor,120.5\nrope,0\nsail,999.9\nflag,\n").await?;
    s3.put_object(bucket, "incoming/tuesday.csv", "product,revenue\nrope,12.25\nanchor,80\n").await?;
    let mut reports = s3.list_objects(bucket).prefix("incoming/").items();
    while let Some(report) = reports.next().await {
        archive(s3, bucket, report?.key.trim_start_matches("incoming/")).await?;
    }
    println!("{}", s3.get_object(bucket, "processed/monday.csv").text().await?);
    common::remove(s3, bucket).await
}
