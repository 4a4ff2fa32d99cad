//! Where the examples run: on an embedded store, or on a real one if the AWS variables name it.

use std::env;
use std::time::UNIX_EPOCH;

use wharf::{Client, Error, ErrorKind, Result};
use wharf_embedded::{Server, Store};

/// A client, a bucket's name, and the embedded server that has to be kept.
pub(crate) struct Place {
    pub(crate) s3: Client,
    pub(crate) bucket: String,
    _server: Option<Server>,
}

/// A real store where the usual AWS variables name one, or keys; else an embedded one, on a port so that `curl` reaches it.
pub(crate) async fn place() -> Result<Place> {
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let bucket = format!("wharf-example-{}", UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos()));
    if names.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Ok(Place { s3: Client::from_env()?, bucket, _server: None });
    }
    let store = Store::in_memory();
    let server = store.serve("127.0.0.1:0").await.map_err(|error| Error::new(ErrorKind::Other, error.to_string()))?;
    let s3 = Client::builder()
        .endpoint(server.endpoint())
        .region(store.region())
        .credentials(store.access_key_id(), store.secret_access_key())
        .build()?;
    Ok(Place { s3, bucket, _server: Some(server) })
}

/// Removes a bucket with all its objects.
pub(crate) async fn remove(s3: &Client, bucket: &str) -> Result<()> {
    let objects = s3.list_objects(bucket).items().collect().await?;
    let output = s3.delete_objects(bucket, objects.into_iter().map(|object| object.key)).await?;
    if let Some(error) = output.errors.first() {
        return Err(Error::new(ErrorKind::Other, error.to_string()));
    }
    s3.delete_bucket(bucket).await?;
    Ok(())
}
