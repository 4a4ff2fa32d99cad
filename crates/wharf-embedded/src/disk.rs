//! The backend on disk: metadata in a database, bytes in files, both safe before a write is answered.
//!
//! The order of a write makes it so: the bytes are in a file, the file and its name are on the disk, then one
//! transaction names it. Bytes go the other way round: a transaction lets go of them, then they are removed. So
//! whatever a crash leaves behind is a file or row that nothing needs, and the next opening sweeps it.

mod commit;
mod directory;
mod failure;
mod metadata;
mod objects;
mod open_error;
mod opening;
mod place;
mod record;
mod tables;
mod uploads;
mod work;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable};

pub use self::open_error::OpenError;

use self::commit::Job;
use self::failure::Failure;
use self::objects::{AllVersions, Current, Listing, Seen, Written};
use self::place::Shared;
use self::record::{BucketRecord, PartRecord};
use self::tables::{BUCKETS, PARTS, Tx, UPLOADS, VERSIONS, bucket, bucket_and};
use self::uploads::{Uploads, upload};
use self::writer::Writer;
use crate::access::acl::Acl;
use crate::backend::endings::Ending;
use crate::backend::history::{self, History};
use crate::backend::list;
use crate::backend::{
    Amendment, Backend, BlobWriter, Bucket, Deleted, Found, ListQuery, ListedVersion, Object, Page, Part, Removal,
    Upload, Version, Versioning,
};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};

/// Everything in one directory, which is this store's alone until it is dropped.
pub(crate) struct Disk {
    shared: Arc<Shared>,
    /// The one that commits.
    thread: Option<JoinHandle<()>>,
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.shared.jobs.send(Job::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // Bodies that are still being read have their files open; another may have the directory.
        self.shared.close();
    }
}

impl Disk {
    async fn change_bucket(&self, name: &str, change: impl Fn(&mut Bucket) + Send + 'static) -> Result<()> {
        let name = name.to_owned();
        let step = move |tx: &mut Tx<'_>| {
            let (number, mut bucket) = tx.bucket(&name)?;
            change(&mut bucket);
            tx.put_bucket(number, &bucket)
        };
        self.shared.commit(false, step).await
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        step: impl Fn(&Arc<Shared>, &ReadTransaction) -> failure::Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared.clone();
        let read = work::start(move || Ok(shared.metadata.read(|transaction| step(&shared, transaction))));
        Ok(read.await.map_err(Failure::from)??)
    }
}

#[async_trait]
impl Backend for Disk {
    async fn create_bucket(&self, bucket: Bucket) -> Result<()> {
        let step = move |tx: &mut Tx<'_>| {
            match tx.bucket(&bucket.name) {
                Err(Failure::Refused(error)) if error.code() == Code::NoSuchBucket => {}
                Err(failure) => return Err(failure),
                Ok((_, there)) => {
                    let same = there.owner == bucket.owner;
                    let code = if same { Code::BucketAlreadyOwnedByYou } else { Code::BucketAlreadyExists };
                    return Err(Error::from(code).detail("BucketName", &bucket.name).into());
                }
            }
            let number = tx.shared.ids.number();
            tx.put_bucket(number, &bucket)
        };
        self.shared.commit(false, step).await
    }

    async fn delete_bucket(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let step = move |tx: &mut Tx<'_>| {
            let (number, _) = tx.bucket(&name)?;
            if tx.versions.range((number, "", 0)..(number + 1, "", 0))?.next().transpose()?.is_some() {
                return Err(Error::from(Code::BucketNotEmpty).detail("BucketName", &name).into());
            }
            tx.remove_uploads(number)?;
            tx.shared.endings().remove(&number);
            tx.buckets.remove(name.as_str())?;
            Ok(())
        };
        self.shared.commit(true, step).await
    }

    // Look-ups of a row or two are done where they are asked for: another thread would cost more than they do.
    async fn bucket(&self, name: &str) -> Result<Bucket> {
        let read = |transaction: &ReadTransaction| Ok(bucket(&transaction.open_table(BUCKETS)?, name)?.1);
        Ok(self.shared.metadata.read(read)?)
    }

    async fn buckets(&self) -> Result<Vec<Bucket>> {
        let read = |_: &Arc<Shared>, transaction: &ReadTransaction| {
            let mut buckets = Vec::new();
            for row in transaction.open_table(BUCKETS)?.iter()? {
                let record: BucketRecord = record::decode(row?.1.value())?;
                buckets.push(record.bucket()?);
            }
            Ok(buckets)
        };
        self.read(read).await
    }

    async fn set_bucket_tags(&self, name: &str, tags: Vec<(String, String)>) -> Result<()> {
        self.change_bucket(name, move |bucket| bucket.tags.clone_from(&tags)).await
    }

    async fn set_bucket_acl(&self, name: &str, acl: Acl) -> Result<()> {
        self.change_bucket(name, move |bucket| bucket.acl.clone_from(&acl)).await
    }

    async fn set_bucket_document(&self, name: &str, subresource: &str, document: Option<Bytes>) -> Result<()> {
        let subresource = subresource.to_owned();
        let change = move |bucket: &mut Bucket| {
            match &document {
                Some(document) => bucket.documents.insert(subresource.clone(), document.clone()),
                None => bucket.documents.remove(&subresource),
            };
        };
        self.change_bucket(name, change).await
    }

    async fn set_versioning(&self, name: &str, versioning: Versioning) -> Result<()> {
        self.change_bucket(name, move |bucket| bucket.versioning = versioning).await
    }

    fn writer(&self) -> Box<dyn BlobWriter> {
        Box::new(Writer::new(self.shared.clone()))
    }

    async fn put(&self, bucket: &str, key: &str, at: SystemTime, object: Object, guard: &Guard) -> Result<Found> {
        let (bucket, key, guard) = (bucket.to_owned(), key.to_owned(), guard.clone());
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, info) = tx.bucket(&bucket)?;
            let ids = tx.shared.ids.clone();
            let mut written = Written { tx, bucket, key: &key };
            history::put(&mut written, info.versioning, &ids, at, object.clone(), &guard)
        };
        self.shared.commit(false, step).await
    }

    async fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Found> {
        let read = |transaction: &ReadTransaction| {
            let (bucket, info, table) = bucket_and(transaction, bucket, VERSIONS)?;
            let seen = Seen { table: &table, shared: &self.shared, bucket, key };
            let (_, version) = history::find(&seen, version)?;
            Ok(Found { version, versioned: info.versioning != Versioning::Never })
        };
        Ok(self.shared.metadata.read(read)?)
    }

    async fn delete(&self, bucket: &str, key: &str, version: Option<&str>, how: &Removal) -> Result<Deleted> {
        let (bucket, key, version, how) = (bucket.to_owned(), key.to_owned(), version.map(str::to_owned), how.clone());
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, info) = tx.bucket(&bucket)?;
            let ids = tx.shared.ids.clone();
            let mut written = Written { tx, bucket, key: &key };
            history::delete(&mut written, info.versioning, &ids, version.as_deref(), &how)
        };
        self.shared.commit(true, step).await
    }

    async fn amend(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        at: SystemTime,
        change: Amendment,
    ) -> Result<Found> {
        let (bucket, key, version) = (bucket.to_owned(), key.to_owned(), version.map(str::to_owned));
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, info) = tx.bucket(&bucket)?;
            let mut written = Written { tx, bucket, key: &key };
            let version = history::amend(&mut written, version.as_deref(), at, change.clone())?;
            Ok(Found { version, versioned: info.versioning != Versioning::Never })
        };
        self.shared.commit(false, step).await
    }

    async fn list(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<Version>>> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        let read = move |shared: &Arc<Shared>, transaction: &ReadTransaction| {
            let (bucket, _, table) = bucket_and(transaction, &bucket, VERSIONS)?;
            list::page(&Current(Listing { table: &table, shared, bucket }), &query)
        };
        self.read(read).await
    }

    async fn list_versions(&self, bucket: &str, query: &ListQuery) -> Result<Page<ListedVersion>> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        let read = move |shared: &Arc<Shared>, transaction: &ReadTransaction| {
            let (bucket, _, table) = bucket_and(transaction, &bucket, VERSIONS)?;
            list::page(&AllVersions(Listing { table: &table, shared, bucket }), &query)
        };
        self.read(read).await
    }

    async fn create_upload(&self, bucket: &str, upload: Upload) -> Result<()> {
        let bucket = bucket.to_owned();
        let mut upload = upload;
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, _) = tx.bucket(&bucket)?;
            let latest = Written { tx, bucket, key: &upload.key }.latest()?;
            upload.replaces = history::object_of(&latest).is_some();
            tx.put_upload(bucket, &upload)
        };
        self.shared.commit(false, step).await
    }

    async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Arc<Upload>> {
        let read = |transaction: &ReadTransaction| {
            let (bucket, _, table) = bucket_and(transaction, bucket, UPLOADS)?;
            upload(&table, bucket, key, id)
        };
        Ok(Arc::new(self.shared.metadata.read(read)?))
    }

    async fn put_part(&self, bucket: &str, key: &str, id: &str, part: Part) -> Result<()> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, _) = tx.bucket(&bucket)?;
            tx.check_upload(bucket, &key, &id)?;
            tx.put_part(&id, &part)
        };
        self.shared.commit(false, step).await
    }

    async fn parts(&self, bucket: &str, key: &str, id: &str) -> Result<Vec<Part>> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let read = move |shared: &Arc<Shared>, transaction: &ReadTransaction| {
            let (bucket, _, table) = bucket_and(transaction, &bucket, UPLOADS)?;
            upload(&table, bucket, &key, &id)?;
            let mut parts = Vec::new();
            for row in transaction.open_table(PARTS)?.range((id.as_str(), 0)..=(id.as_str(), u16::MAX))? {
                let record: PartRecord = record::decode(row?.1.value())?;
                parts.push(record.part(&|extents| shared.blob(extents))?);
            }
            Ok(parts)
        };
        self.read(read).await
    }

    async fn complete(&self, bucket: &str, upload: &Upload, object: Object, guard: &Guard) -> Result<Found> {
        let (bucket, upload, guard) = (bucket.to_owned(), upload.clone(), guard.clone());
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, info) = tx.bucket(&bucket)?;
            let (key, id) = (&upload.key, &upload.id);
            tx.check_upload(bucket, key, id)?;
            let ids = tx.shared.ids.clone();
            let mut written = Written { tx, bucket, key };
            let found = history::complete(&mut written, info.versioning, &ids, &upload, object.clone(), &guard)?;
            tx.end_upload(bucket, key, id, Ending::completed(&found))?;
            Ok(found)
        };
        self.shared.commit(false, step).await
    }

    async fn ending(&self, bucket: &str, key: &str, id: &str) -> Result<Option<Ending>> {
        let number = |transaction: &ReadTransaction| Ok(tables::bucket(&transaction.open_table(BUCKETS)?, bucket)?.0);
        let number = self.shared.metadata.read(number)?;
        Ok(self.shared.endings().get(&number).and_then(|endings| endings.get(key, id)).cloned())
    }

    async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<()> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let step = move |tx: &mut Tx<'_>| {
            let (bucket, _) = tx.bucket(&bucket)?;
            tx.check_upload(bucket, &key, &id)?;
            tx.end_upload(bucket, &key, &id, Ending::Aborted)
        };
        self.shared.commit(true, step).await
    }

    async fn list_uploads(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<Upload>>> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        let read = move |_: &Arc<Shared>, transaction: &ReadTransaction| {
            let (bucket, _, table) = bucket_and(transaction, &bucket, UPLOADS)?;
            list::page(&Uploads { table, bucket }, &query)
        };
        self.read(read).await
    }
}
