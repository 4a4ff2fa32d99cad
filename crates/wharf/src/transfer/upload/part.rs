//! One part.

use std::future::IntoFuture;

use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;
use wharf_proto::Error;
use wharf_proto::checksum::ChecksumType;
use wharf_proto::op::PartsChecksum;
use wharf_proto::transfer::journal::StoredPart;

use super::job::Job;
use super::source::Piece;

/// Sends it until it is stored. `turn` is held until it is on its way.
pub(super) async fn send(
    job: &Job,
    upload_id: &str,
    piece: Piece,
    sum: Option<PartsChecksum>,
    turn: OwnedSemaphorePermit,
) -> Result<StoredPart, Error> {
    let Piece { part, content, checksum } = piece;
    let mut turn = Some(turn);
    // A composite checksum is one of parts that had theirs, and some servers insist on one in any case.
    let conditions = job.settings.client.inner().payload_conditions();
    let insists =
        |sum: PartsChecksum| sum.checksum_type == ChecksumType::Composite || conditions.habits.parts_need_checksum;
    let needs_header = sum.is_some_and(insists) && !(conditions.signed && conditions.habits.trailers);
    let stored = job.patiently(|| {
        drop(turn.take());
        let call = job.object.upload_part(job.sender.clone(), upload_id, part.number, content.body());
        let call = match (sum, checksum) {
            (None, _) => call.no_checksum(),
            (Some(_), Some(checksum)) => call.checksum_value(checksum),
            (Some(sum), None) if needs_header => call.checksum(sum.algorithm),
            (Some(sum), None) => call.checksum_while_sending(sum.algorithm),
        };
        async {
            let stored = call.into_future().await?;
            // Before the next request passes the lane, which learns from it.
            job.moved(part.length);
            Ok(stored)
        }
    });
    let span = tracing::debug_span!("part", number = part.number);
    let output = stored.instrument(span).await.map_err(|error| error.at_part(part.number))?;
    let named = output.checksum.filter(|named| sum.is_some_and(|sum| sum.algorithm == named.algorithm()));
    job.watch.part_done();
    Ok(StoredPart {
        number: part.number,
        length: part.length,
        etag: output.etag,
        checksum: checksum.or(output.sent_checksum).or(named),
        confirmed: named.is_some(),
    })
}
