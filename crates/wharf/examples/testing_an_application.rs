//! Testing code that stores things in S3: three lines, no port, no cloud, and what was asked can be counted.

#![allow(clippy::print_stdout, reason = "an example")]

use wharf::{Client, Error, ErrorKind};
use wharf_embedded::Store;

/// The application: greets whoever has a profile.
async fn greeting(s3: &Client, user: &str) -> Result<String, Error> {
    match s3.get_object("profiles", format!("{user}.txt")).text().await {
        Ok(name) => Ok(format!("Hello, {name}!")),
        Err(error) if error.kind() == ErrorKind::NoSuchKey => Ok("Hello, stranger!".to_owned()),
        Err(error) => Err(error),
    }
}

/// In your project this is a `#[tokio::test]`.
#[tokio::main]
async fn main() -> Result<(), Error> {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build()?;
    s3.create_bucket("profiles").await?;

    s3.put_object("profiles", "ada.txt", "Ada").await?;
    store.clear_requests();

    assert_eq!(greeting(&s3, "ada").await?, "Hello, Ada!");
    assert_eq!(greeting(&s3, "bob").await?, "Hello, stranger!");

    let asked: Vec<_> = store.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["GetObject", "GetObject"]);
    println!("the application asked for: {asked:?}");
    Ok(())
}
