//! An upload in parts is given up.

use std::future::IntoFuture;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use wharf_proto::op::PutInParts;
use wharf_proto::{Error, ErrorKind};

use super::patience::may_pass;
use crate::Client;

/// How often an upload is aborted in which parts keep turning up.
const ABORTS: u32 = 5;

/// How long each is asked for at least, and after which waits at most.
const TO_ABORT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Aborts it, and again while parts that were on their way turn up: AbortMultipartUpload and ListParts.
pub(super) async fn abort(client: &Client, object: &PutInParts, upload_id: &str) -> Result<(), Error> {
    // A server that may be silent for longer is known to be slow.
    let limit = TO_ABORT.max(client.inner().stall_limit);
    for round in 0..ABORTS {
        match abort_once(client, object, upload_id, limit).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NoSuchUpload => return Ok(()),
            Err(error) => return Err(error),
        }
        let look = object.list_parts(client.clone(), upload_id).max_parts(1).into_future();
        match timeout(limit, look).await {
            Ok(Ok(page)) if !page.parts.is_empty() => sleep(Duration::from_millis(100 << round)).await,
            // Gone, or not to be seen: whoever may abort need not be allowed to list.
            _ => return Ok(()),
        }
    }
    Err(Error::new(ErrorKind::Other, "parts of it are still being stored"))
}

/// Asks again for a while. It waits for no leave to send: what holds others up, such as parts on a slow line, must not hold this up.
async fn abort_once(client: &Client, object: &PutInParts, upload_id: &str, limit: Duration) -> Result<(), Error> {
    let mut last = None;
    let asking = async {
        let mut wait = Duration::from_millis(100);
        loop {
            match object.abort_multipart_upload(client.clone(), upload_id).await {
                Err(error) if may_pass(&error) => {
                    last = Some(error);
                    sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                aborted => return aborted.map(drop),
            }
        }
    };
    let aborted = timeout(limit, asking).await;
    aborted.unwrap_or_else(|_| {
        let silent = || Error::new(ErrorKind::Timeout, format!("no answer within {} s", limit.as_secs()));
        Err(last.unwrap_or_else(silent))
    })
}
