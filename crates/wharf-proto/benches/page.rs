//! What a page of 1,000 keys costs to read into owned values, in microseconds:
//! `cargo bench -p wharf-proto --bench page [-- PAGES]`.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod clock;

use std::fmt::Write;
use std::process::ExitCode;

use bytes::Bytes;
use clock::ROUNDS;
use wharf_proto::Error;
use wharf_proto::op::{ListObjects, ListObjectsOutput};
use wharf_proto::operation::Operation;

/// The limit that docs/performance.md names, in microseconds.
const LIMIT: f64 = 500.0;

fn main() -> ExitCode {
    // Cargo passes `--bench`.
    let argument = std::env::args().skip(1).find(|argument| argument != "--bench");
    let pages = match argument.as_deref().map_or(Ok(500), str::parse::<u32>) {
        Ok(pages) if pages > 0 => pages,
        _ => {
            println!("page: the argument is how many pages a round has, a whole number from 1, such as 500");
            return ExitCode::FAILURE;
        }
    };
    println!("microseconds to read a page of 1,000 keys, {pages} times in {ROUNDS} rounds");
    println!("{:44} {:>8} {:>8} {:>6}", "", "fastest", "median", "limit");
    for (name, page) in [
        ("as S3 answers: encoding-type=url", page("url", "Q1%2Breport")),
        ("with owners, 2,000 values more", page("owner", "Q1-report")),
        ("not URL-encoded", page("", "Q1 &amp; report")),
    ] {
        match measure(&page, pages) {
            Ok((fastest, median)) => {
                let missed = if median > LIMIT { "  MISSED" } else { "" };
                println!("{name:34} {:5} KiB {fastest:>8.0} {median:>8.0} {LIMIT:>6.0}{missed}", page.len() / 1024);
            }
            Err(error) => {
                println!("page: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn measure(page: &Bytes, pages: u32) -> Result<(f64, f64), Error> {
    let list = ListObjects::new((), "my-bucket");
    let read = || -> Result<ListObjectsOutput, Error> { list.response(http::Response::new(page.clone())) };
    let found = read()?;
    assert_eq!((found.objects.len(), found.is_truncated), (1_000, true), "the page is not what it should be");
    // Dropping the values counts too.
    let (fastest, median) = clock::measure(pages, read);
    Ok((fastest / 1e3, median / 1e3))
}

/// A page as S3 writes it, with keys of about 60 bytes.
fn page(kind: &str, name: &str) -> Bytes {
    let equals = if kind == "url" { "%3D" } else { "=" };
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>my-bucket</Name><Prefix></Prefix>\
         <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>\
         <KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys>",
    );
    if kind == "url" {
        page.push_str("<EncodingType>url</EncodingType>");
    }
    page.push_str("<IsTruncated>true</IsTruncated>");
    let owner = match kind {
        "owner" => {
            "<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID>\
                    <DisplayName>accounting</DisplayName></Owner>"
        }
        _ => "",
    };
    for number in 0..1_000 {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "<Contents><Key>reports/year{equals}2026/month{equals}{:02}/day{equals}{:02}/{name}-{number:08}.csv</Key>\
             <LastModified>2026-10-{:02}T17:50:30.000Z</LastModified><ETag>&quot;{number:032x}&quot;</ETag>\
             <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>\
             <Size>{}</Size>{owner}<StorageClass>STANDARD</StorageClass></Contents>",
            number % 12 + 1,
            number % 28 + 1,
            number % 31 + 1,
            number * 4096,
        );
    }
    page.push_str("</ListBucketResult>");
    page.into()
}
