//! Replaces an object behind its reader's back.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::backend::blob;
use crate::backend::{Backend, Object};
use crate::checksum::Algorithm;
use crate::condition::Guard;
use crate::error::Result;
use crate::hex::hex;
use crate::target::Target;

/// Puts these bytes in the place of the object's, which keeps its headers and tags. Where there is none, none is made.
pub(crate) async fn replace(backend: &dyn Backend, target: &Target, now: SystemTime, bytes: Bytes) -> Result<()> {
    let found = backend.find(&target.bucket, &target.key, None).await?;
    let Some(old) = &found.version.object else { return Ok(()) };
    let mut writer = backend.writer();
    writer.write(bytes).await?;
    let blob = writer.finish().await?;
    let (md5, checksum) = blob::digest(&*blob, Algorithm::Crc64Nvme).await?;
    let object = Object { blob, etag: hex(&md5), checksum: Some(checksum), parts: Vec::new(), ..old.clone() };
    // Dates are told in whole seconds.
    let at = found.version.modified.checked_add(Duration::from_secs(1)).map_or(now, |later| later.max(now));
    backend.put(&target.bucket, &target.key, at, object, &Guard::default()).await?;
    Ok(())
}
