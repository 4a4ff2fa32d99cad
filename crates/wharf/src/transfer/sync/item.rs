//! One entry of a sync, carried out.

use std::future::IntoFuture;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::StatusCode;
use wharf_proto::ObjectHead;
use wharf_proto::evidence::{Comparison, Doubt, Evidence, Likeness, likely_cuts};
use wharf_proto::op::HeadObject;
use wharf_proto::operation::SendFuture;
use wharf_proto::provider::Parts;
use wharf_proto::sync_plan::{Compare, Entry, Reason};
use wharf_proto::{CustomerKey, Error, ErrorKind, check_key};

use super::SyncAction;
use super::place::Kind;
use super::work::Work;
use crate::Client;
use crate::payload::blocking;
use crate::transfer::handle::Watch;
use crate::transfer::lane::Lane;
use crate::transfer::patience::patiently;
use crate::transfer::reading::{each_block, while_wanted};
use crate::transfer::safe_path::{LocalTree, folder_in_the_way};
use crate::transfer::upload::{Upload, Uploaded};
use crate::transfer::verification::Verification;

/// From how many bytes on a download is worth being gone on with: what has arrived must be synced to the disk for it.
const RESUMABLE: u64 = 64 << 20;

/// What is known of bytes that were moved; nothing where none were.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) verification: Option<Verification>,
    pub(super) resumed_bytes: u64,
    pub(super) left_over: Vec<String>,
    pub(super) lost_create: bool,
}

impl From<Uploaded> for Moved {
    fn from(done: Uploaded) -> Self {
        let Uploaded { verification, resumed_bytes, left_over, lost_create, .. } = done;
        Self { verification: Some(verification), resumed_bytes, left_over, lost_create }
    }
}

/// Why an entry did not come to the target.
pub(super) struct NotMoved {
    pub(super) error: Error,
    /// Whether it may be nowhere in the target, so that what looks superfluous there may be all there is of it.
    pub(super) may_be_lost: bool,
}

impl NotMoved {
    /// It cannot have that name there, or is there, or nobody can read it: the next sync finds the same.
    fn for_good(error: Error) -> Self {
        Self { error, may_be_lost: false }
    }
}

impl From<Error> for NotMoved {
    fn from(error: Error) -> Self {
        // What is in an archive stays there.
        let may_be_lost = error.kind() != ErrorKind::InvalidObjectState;
        Self { error, may_be_lost }
    }
}

/// Brings an entry to the target, and says how that went. Without a reason the bytes are compared first.
pub(super) async fn carry_out(work: &Work, source: Entry, because: Option<Reason>, target: Option<Entry>) {
    let because = match (because, &target) {
        (Some(because), _) => because,
        (None, None) => Reason::Missing,
        (None, Some(target)) => match likeness(work, &source, target).await {
            Ok(Likeness::Same(_)) => return work.same(source).await,
            Ok(Likeness::Differs) => Reason::Content,
            // By its time it may differ, and that is enough.
            Ok(Likeness::Unknown(_)) | Err(_) if work.rules.compare != Compare::Checksum => Reason::Time,
            // What nobody knows may differ.
            Ok(Likeness::Unknown(doubt)) => Reason::Unproven(doubt),
            Err(error) => return work.item(SyncAction::Read, source, Some(error)).await,
        },
    };
    work.watch.expect_more(source.size);
    let watch = Watch::part_of(&work.watch);
    let (action, done) = match (&work.source, &work.target) {
        (Kind::Local(from), Kind::Bucket { client, bucket, prefix }) => {
            let client = client.as_ref().unwrap_or(&work.client);
            let key = format!("{prefix}{}", source.key);
            let done = upload(work, client, &watch, &LocalTree::new(from), &source, bucket, key).await;
            (SyncAction::Upload(because), done)
        }
        (Kind::Bucket { client, bucket, prefix }, Kind::Local(to)) => {
            let client = client.as_ref().unwrap_or(&work.client);
            let key = format!("{prefix}{}", source.key);
            let done = download(work, client, &watch, (bucket, key), &LocalTree::new(to), &source, because).await;
            (SyncAction::Download(because), done)
        }
        (from, to) => (SyncAction::Copy(because), copy(work, &watch, from, to, &source).await),
    };
    let is_done = done.is_ok() && !work.dry_run;
    watch.counts(if is_done { source.size } else { 0 });
    if is_done {
        work.watch.part_done();
    }
    work.ended(action, source, done).await;
}

async fn upload(
    work: &Work,
    client: &Client,
    watch: &Arc<Watch>,
    from: &LocalTree,
    source: &Entry,
    bucket: &str,
    key: String,
) -> Result<Moved, NotMoved> {
    let path = from.source_of(&source.key)?;
    check_key(&key).map_err(NotMoved::for_good)?;
    if work.dry_run {
        return Ok(Moved::default());
    }
    let call = upload_of(work, client, &path, bucket, key);
    // It is missing, and stays what it is if it comes meanwhile.
    let call = if work.rules.keep { call.if_absent_unless_ignored(source.size) } else { call };
    match call.run(watch.clone()).await {
        Ok(done) => Ok(done.into()),
        Err(error) if work.rules.keep && error.kind() == ErrorKind::PreconditionFailed => {
            Err(NotMoved::for_good(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The upload of a file, as the caller wants it.
fn upload_of(work: &Work, client: &Client, path: &Path, bucket: &str, key: String) -> Upload {
    let call = client.upload(bucket, key, path).patience(work.patience).resumable(work.resumable);
    let call = if work.request_payer { call.request_payer() } else { call };
    match &work.tweaks.upload {
        Some(tweak) => tweak(call),
        None => call,
    }
}

async fn download(
    work: &Work,
    client: &Client,
    watch: &Arc<Watch>,
    (bucket, key): (&str, String),
    to: &LocalTree,
    source: &Entry,
    because: Reason,
) -> Result<Moved, NotMoved> {
    to.path_of(&source.key).map_err(NotMoved::for_good)?;
    let (tree, name) = (to.clone(), source.key.clone());
    if work.dry_run {
        blocking(move || tree.find(&name)).await.map_err(not_written)?;
        return Ok(Moved::default());
    }
    let path = blocking(move || tree.prepare(&name)).await.map_err(not_written)?;
    // What is missing must not be there by another spelling, as where `A` and `a` are one file.
    let overwrite = because != Reason::Missing;
    let call = client.download(bucket, key, path.as_path()).overwrite(overwrite).patience(work.patience);
    // By its time the next sync sees that nothing has changed.
    let call = call.resumable(work.resumable && source.size >= RESUMABLE).dated(source.modified);
    let call = if work.request_payer { call.request_payer() } else { call };
    let call = match &work.tweaks.download {
        Some(tweak) => tweak(call),
        None => call,
    };
    let done = call.run(watch.clone()).await.map_err(|error| match error.kind() {
        ErrorKind::PreconditionFailed if !overwrite && path.is_symlink() => {
            let hint = "a symbolic link of that name is there, and leads to no file: remove it";
            NotMoved::for_good(error.with_hint(hint))
        }
        // Else it was the object that is another by now.
        ErrorKind::PreconditionFailed if !overwrite && path.exists() => {
            // The file may be one that is not in the source, and be deleted.
            error.with_hint("a file of that name is there already: on this disk two keys may be one name").into()
        }
        // One that was made for a key below this one, since the path was prepared.
        ErrorKind::InvalidInput if path.is_dir() => folder_in_the_way(&path).into(),
        _ => error.into(),
    })?;
    Ok(Moved { verification: Some(done.verification), resumed_bytes: done.resumed_bytes, ..Moved::default() })
}

/// Why there is no way to a file: no file can have too long a name, whatever else is mended.
fn not_written(error: Error) -> NotMoved {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidFilename) {
        true => NotMoved::for_good(error),
        false => error.into(),
    }
}

async fn copy(work: &Work, watch: &Arc<Watch>, from: &Kind, to: &Kind, source: &Entry) -> Result<Moved, NotMoved> {
    let (
        Kind::Bucket { client, bucket, prefix },
        Kind::Bucket { client: to_client, bucket: to_bucket, prefix: to_prefix },
    ) = (from, to)
    else {
        return Err(Error::invalid_input("a sync of two folders of this machine has nothing to do with S3").into());
    };
    let [key, to_key] = [prefix, to_prefix].map(|prefix| format!("{prefix}{}", source.key));
    check_key(&to_key).map_err(NotMoved::for_good)?;
    if work.dry_run {
        return Ok(Moved::default());
    }
    let client = client.as_ref();
    let call = client.unwrap_or(&work.client).copy(bucket, key, to_bucket, &to_key).patience(work.patience);
    let call = if work.request_payer { call.request_payer() } else { call };
    // Only a client of its own makes an end another endpoint.
    let call = match (client, to_client) {
        (None, None) => call,
        (_, to_client) => call.to(to_client.as_ref().unwrap_or(&work.client)),
    };
    let call = match &work.tweaks.copy {
        Some(tweak) => tweak(call),
        None => call,
    };
    let call = if work.rules.keep { call.if_absent_unless_ignored(source.size) } else { call };
    match call.run(watch.clone()).await {
        Ok(done) => {
            Ok(Moved { verification: Some(done.verification), lost_create: done.lost_create, ..Moved::default() })
        }
        Err(error) if work.rules.keep && error.kind() == ErrorKind::PreconditionFailed => {
            // Or it is the source that is another by now.
            let to = to_client.as_ref().unwrap_or(&work.client);
            let look = to.object_exists(to_bucket, to_key);
            let look = if work.request_payer { look.request_payer() } else { look };
            let look = match &work.customer_keys.target {
                Some(own) => look.customer_key(own.clone()),
                None => look,
            };
            let is_there = look.await.is_ok_and(|is_there| is_there);
            Err(NotMoved { error, may_be_lost: !is_there })
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes a file of the target. One that is gone already is no error.
pub(super) async fn remove(root: PathBuf, key: String) -> Result<(), Error> {
    blocking(move || {
        let path = LocalTree::new(root).find(&key)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let message = format!("could not remove {}: {error}", path.display());
                Err(Error::new(ErrorKind::Body, message).with_cause(error))
            }
            _ => Ok(()),
        }
    })
    .await
}

/// Whether what the target has by this name is a symbolic link.
pub(super) async fn is_link(root: PathBuf, key: String) -> Result<bool, Error> {
    blocking(move || Ok(LocalTree::new(root).path_of(&key).is_ok_and(|path| path.is_symlink()))).await
}

/// Whether two entries of the same size have the same bytes, as far as checksums and ETags tell.
async fn likeness(work: &Work, source: &Entry, target: &Entry) -> Result<Likeness, Error> {
    use Bytes::{File, Object};
    let keys = &work.customer_keys;
    let size = source.size;
    let source = bytes_of(work, &work.source, keys.source.as_ref(), source).await?;
    match (source, bytes_of(work, &work.target, keys.target.as_ref(), target).await?) {
        (File(path), Object { client, bucket, key, evidence })
        | (Object { client, bucket, key, evidence }, File(path)) => {
            // An object in parts was cut as this would be, if it was uploaded from here.
            let part_size = |path: &Path| upload_of(work, client, path, bucket, key).wanted_part_size();
            compare(path, size, evidence, part_size, client.inner().sending.habits.parts).await
        }
        (Object { evidence, .. }, Object { evidence: other, .. }) => Ok(evidence.compare(&other)),
        (File(_), File(_)) => Ok(Likeness::Unknown(Doubt::NothingInCommon)),
    }
}

impl Client {
    /// Whether a file has the bytes of an object in this bucket, as far as its checksum or ETag tells: what
    /// [`Compare::Checksum`](wharf_proto::sync_plan::Compare::Checksum) goes by. `head` is what S3 says of the object where
    /// [`checksum_mode`](wharf_proto::op::HeadObject::checksum_mode) is on. The file is read only where that could tell something. Of an
    /// object in parts they are taken to be of `part_size`, or of the size that [`upload`](Client::upload) would take, or of a usual one.
    ///
    /// # Errors
    /// A file that cannot be read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let file = std::env::current_exe().unwrap();
    /// s3.put_object("my-bucket", "a", file.as_path()).await?;
    /// let head = s3.head_object("my-bucket", "a").checksum_mode(true).await?;
    /// let likeness = s3.compare_file(&file, "my-bucket", &head, None).await?;
    /// assert!(matches!(likeness, wharf::proto::evidence::Likeness::Same(_)));
    /// # Ok(()) }
    /// ```
    pub fn compare_file(
        &self,
        path: impl Into<PathBuf>,
        bucket: impl Into<String>,
        head: &ObjectHead,
        part_size: Option<u64>,
    ) -> SendFuture<Likeness> {
        let (client, path, bucket, size) = (self.clone(), path.into(), bucket.into(), head.content_length);
        let habits = self.inner().sending.habits;
        let evidence = Evidence::of(head.into(), &habits, &bucket);
        self.inner().runtime.run(async move {
            let part_size =
                |path: &Path| part_size.unwrap_or_else(|| client.upload(&bucket, "", path).wanted_part_size());
            compare(path, size, evidence, part_size, habits.parts).await
        })
    }
}

/// What an entry is compared by.
enum Bytes<'a> {
    File(PathBuf),
    Object { client: &'a Client, bucket: &'a str, key: String, evidence: Evidence },
}

async fn bytes_of<'a>(
    work: &'a Work,
    place: &'a Kind,
    customer_key: Option<&CustomerKey>,
    entry: &Entry,
) -> Result<Bytes<'a>, Error> {
    match place {
        Kind::Local(root) => LocalTree::new(root).source_of(&entry.key).map(Bytes::File),
        Kind::Bucket { client, bucket, prefix } => {
            let client = client.as_ref().unwrap_or(&work.client);
            let key = format!("{prefix}{}", entry.key);
            let call = client.for_transfers().head_object(bucket, &key).checksum_mode(true);
            let call = if work.request_payer { call.request_payer() } else { call };
            // How many there are at a time, the entries under way decide.
            let (lane, clock) = (Lane::of(client, Some(1)), &client.inner().clock);
            let head = |call: HeadObject<Client>| {
                patiently(&lane, &work.watch, work.patience, || clock.jitter(), move || call.clone().into_future())
            };
            let head = match customer_key {
                None => head(call).await?,
                Some(own) => match head(call.clone().customer_key(own.clone())).await {
                    // So it is for an object that is not encrypted with it.
                    Err(error) if error.status() == Some(StatusCode::BAD_REQUEST) => head(call).await?,
                    answered => answered?,
                },
            };
            let evidence = Evidence::of((&head).into(), &client.inner().sending.habits, bucket);
            Ok(Bytes::Object { client, bucket, key, evidence })
        }
    }
}

/// Reads a file only where that could tell something.
async fn compare(
    path: PathBuf,
    size: u64,
    evidence: Evidence,
    part_size: impl FnOnce(&Path) -> u64,
    limits: Parts,
) -> Result<Likeness, Error> {
    let proof = match evidence.proof() {
        Ok(proof) => proof,
        Err(doubt) => return Ok(Likeness::Unknown(doubt)),
    };
    let cuts = match proof.checksum.part_count() {
        None => Vec::new(),
        Some(count) => likely_cuts(size, count, part_size(&path), limits),
    };
    let mut comparison = match Comparison::new(proof, size, &cuts) {
        Ok(comparison) => comparison,
        Err(doubt) => return Ok(Likeness::Unknown(doubt)),
    };
    while_wanted(move |wanted| {
        let read = each_block(&path, 0, size.saturating_add(1), wanted, |block| comparison.update(block));
        read.map_err(|error| {
            Error::new(ErrorKind::Body, format!("could not read {}: {error}", path.display())).with_cause(error)
        })?;
        Ok(comparison.finish())
    })
    .await
}
