//! Whether two clients reach one bucket.

use std::collections::HashSet;
use std::time::SystemTime;

use wharf_proto::operation::SendFuture;
use wharf_proto::{ETag, Error};

use crate::Client;

impl Client {
    /// Whether `other` reaches the same bucket by this name: it is a client of the same [`server`](Client::server), or, since a
    /// server can have several names, it shows an object of the same key, ETag and time. An empty bucket is nobody's. To be asked
    /// before objects of one are written into the other.
    ///
    /// At most one ListObjectsV2 for each client, of 1,000 keys.
    ///
    /// # Errors
    /// Those of ListObjectsV2.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = wharf_embedded::Store::in_memory();
    /// let server = store.serve("127.0.0.1:0").await?;
    /// let by_name = |host: &str| {
    ///     let endpoint = server.endpoint().replace("127.0.0.1", host);
    ///     let keys = (store.access_key_id(), store.secret_access_key());
    ///     wharf::Client::builder().endpoint(endpoint).region("us-east-1").credentials(keys.0, keys.1).build()
    /// };
    /// let (one, other) = (by_name("127.0.0.1")?, by_name("localhost")?);
    /// one.create_bucket("my-bucket").await?;
    /// one.put_object("my-bucket", "a", "1").await?;
    /// assert!(one.reaches_same_bucket(&other, "my-bucket").await?);
    /// # Ok(()) }
    /// ```
    pub fn reaches_same_bucket(&self, other: &Client, bucket: impl Into<String>) -> SendFuture<bool> {
        let (one, other, bucket) = (self.clone(), other.clone(), bucket.into());
        self.inner().runtime.run(async move {
            if one.server() == other.server() {
                return Ok(true);
            }
            let (here, there) = (shown(&one, &bucket).await?, shown(&other, &bucket).await?);
            Ok(!here.is_disjoint(&there))
        })
    }
}

/// What tells one object from all others.
type Mark = (String, ETag, SystemTime);

async fn shown(client: &Client, bucket: &str) -> Result<HashSet<Mark>, Error> {
    let page = client.list_objects(bucket).await?;
    let marks = page.objects.into_iter().filter_map(|object| Some((object.key, object.etag, object.last_modified?)));
    Ok(marks.collect())
}
