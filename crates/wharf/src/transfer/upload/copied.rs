//! An upload whose bytes come from another object: its parts are copied by the server, or pass through this machine.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;
use wharf_proto::op::{PutInParts, UploadPartCopy};
use wharf_proto::provider::Condition;
use wharf_proto::transfer::journal::StoredPart;
use wharf_proto::transfer::{Part, PartPlan};
use wharf_proto::{Body, Error};

use super::job::Job;
use super::multipart::Run;
use super::undo::Begun;
use super::verify::Sent;
use super::{IN_WORK, Settings, Uploaded, source, verify};
use crate::Client;
use crate::transfer::handle::Watch;

/// How it is moved, as the copy was told.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct Moving {
    pub(in crate::transfer) client: Client,
    pub(in crate::transfer) part_size: Option<u64>,
    pub(in crate::transfer) concurrency: Option<usize>,
    pub(in crate::transfer) patience: Duration,
    pub(in crate::transfer) verify: bool,
    pub(in crate::transfer) watch: Arc<Watch>,
}

impl Moving {
    fn settings(&self) -> Settings {
        let settings = Settings::of(self.client.clone());
        Settings {
            part_size: self.part_size.unwrap_or(settings.part_size),
            concurrency: self.concurrency,
            patience: self.patience,
            verify: self.verify,
            ..settings
        }
    }
}

/// Makes an object of `length` bytes of parts that `copy` copies, if `check` lets it once they are there.
pub(in crate::transfer) async fn in_parts(
    moving: &Moving,
    object: PutInParts,
    length: u64,
    copy: impl Fn(Client, &str, Part) -> UploadPartCopy<Client> + Send + Sync + 'static,
    check: impl Future<Output = Result<(), Error>>,
) -> Result<Uploaded, Error> {
    let job = Arc::new(Job::new(object, moving.settings(), moving.watch.clone()));
    job.object.check_parts(job.habits())?;
    let plan = PartPlan::of_length(length, job.settings.part_size, job.habits().parts)?;
    job.watch.expect(length);
    let (mut begun, upload_id, sum) = Begun::create(job.clone(), job.object.parts_checksum(job.habits())).await?;
    let mut run = Run { job, upload_id: upload_id.into(), sum, stored: Vec::new(), resumed_bytes: 0 };
    let parts = async {
        copy_parts(&mut run, &mut begun, plan.parts(length), Arc::new(copy)).await?;
        check.await?;
        complete(&run, &mut begun, length).await
    };
    match parts.await {
        Ok(uploaded) => Ok(Uploaded { lost_create: begun.orphan, ..uploaded }),
        Err(error) => Err(begun.give_up(error).await),
    }
}

type CopyPart = dyn Fn(Client, &str, Part) -> UploadPartCopy<Client> + Send + Sync;

async fn copy_parts(
    run: &mut Run,
    begun: &mut Begun,
    parts: impl Iterator<Item = Part>,
    copy: Arc<CopyPart>,
) -> Result<(), Error> {
    for part in parts {
        while begun.parts.len() >= IN_WORK {
            run.joined(begun).await?;
        }
        let (job, upload_id, copy) = (run.job.clone(), run.upload_id.clone(), copy.clone());
        let copied = async move { copy_part(&job, &upload_id, part, &*copy).await };
        begun.parts.spawn(copied.in_current_span());
    }
    while !begun.parts.is_empty() {
        run.joined(begun).await?;
    }
    run.stored.sort_by_key(|part| part.number);
    Ok(())
}

async fn complete(run: &Run, begun: &mut Begun, length: u64) -> Result<Uploaded, Error> {
    // Where the server names none of the parts, the source's must do.
    let ours = run.whole_checksum()?.or(run.job.object.known_checksum()?);
    let uploaded = run.complete(begun, ours.as_ref(), length).await?;
    verify::finish(&run.job, uploaded, ours.as_ref(), Sent::default()).await
}

async fn copy_part(job: &Job, upload_id: &str, part: Part, copy: &CopyPart) -> Result<StoredPart, Error> {
    let copied = job.patiently(|| async {
        let copied = copy(job.sender.clone(), upload_id, part).into_future().await?;
        // The lane is not told: these bytes say nothing of how fast the way to the server is.
        job.watch.moved(part.length);
        Ok(copied)
    });
    let output = copied.await.map_err(|error| error.at_part(part.number))?.part;
    job.watch.part_done();
    Ok(StoredPart {
        number: part.number,
        length: part.length,
        etag: output.etag,
        checksum: output.checksum,
        confirmed: output.checksum.is_some(),
    })
}

/// The condition by which [`through_here`] writes an object of so many bytes only where there is none.
pub(in crate::transfer) fn absence(client: &Client, part_size: Option<u64>, length: u64) -> Condition {
    let settings = Settings::of(client.clone());
    Settings { part_size: part_size.unwrap_or(settings.part_size), ..settings }.absence(length)
}

/// Writes an object of bytes that pass through this machine.
pub(in crate::transfer) async fn through_here(
    moving: &Moving,
    object: PutInParts,
    body: Body,
) -> Result<Uploaded, Error> {
    source::upload(object, body, moving.settings(), moving.watch.clone()).await
}
