//! Whether an object exists.

use std::future::Future;

use wharf_proto::op::{HeadBucket, HeadObject};
use wharf_proto::{Error, ErrorKind};

use crate::Client;

impl Client {
    /// Whether the bucket has this key: one HeadObject, and where it answers 404 a HeadBucket, which tells a missing
    /// key from a missing bucket.
    ///
    /// ```no_run
    /// # async fn example(s3: wharf::Client) -> wharf::Result<()> {
    /// if !s3.object_exists("my-bucket", "docs/readme.txt").await? {
    ///     println!("nothing there");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Of an object that only its own key opens (SSE-C), of a version, or where the requester pays, ask
    /// [`head_object`](Client::head_object): its kind is [`NotFound`](ErrorKind::NotFound) where there is none.
    ///
    /// # Errors
    /// [`NoSuchBucket`](ErrorKind::NoSuchBucket) rather than `false`; whatever else keeps the answer from being sure.
    pub fn object_exists(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> impl Future<Output = Result<bool, Error>> + Send + 'static {
        let (client, bucket) = (self.clone(), bucket.into());
        let head = HeadObject::new(self.clone(), bucket.clone(), key);
        async move {
            match head.await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::NoSuchKey => Ok(false),
                Err(error) if error.kind() == ErrorKind::NotFound => match HeadBucket::new(client, bucket).await {
                    Ok(_) => Ok(false),
                    Err(error) if error.kind() == ErrorKind::NotFound => Err(error.with_kind(ErrorKind::NoSuchBucket)),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            }
        }
    }
}
