//! Sessions with directory buckets: keys for one bucket, good for five minutes (CreateSession).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::Mutex;
use wharf_proto::op::CreateSession;
use wharf_proto::operation::Operation;
use wharf_proto::{Credentials, Error};

use crate::client::Inner;
use crate::dispatch::{self, Read};

/// A session that ends sooner is renewed first: a request must arrive in its time.
const EARLY: Duration = Duration::from_secs(60);

/// The session of one bucket, begun when it is first needed and again before it ends. Those who need it at once wait
/// for one CreateSession.
#[derive(Debug, Default)]
pub(crate) struct Session(Mutex<Option<Held>>);

#[derive(Debug)]
struct Held {
    keys: Credentials,
    /// The access key id of the credentials that it was begun with.
    begun_by: String,
}

impl Session {
    /// The session's keys; `own` are the caller's.
    pub(crate) async fn keys(&self, client: &Inner, bucket: &str, own: &Credentials) -> Result<Credentials, Error> {
        let mut held = self.0.lock().await;
        // S3 set the end, so S3's clock tells when it comes.
        let left = |keys: &Credentials| keys.expires_at().and_then(|end| end.duration_since(client.now()).ok());
        let known = held.as_ref().filter(|held| held.begun_by == own.access_key_id()).map(|held| held.keys.clone());
        if let Some(keys) = known.as_ref().filter(|keys| left(keys).is_some_and(|left| left > EARLY)) {
            return Ok(keys.clone());
        }
        match (create(client, bucket).await, known) {
            (Ok(keys), _) => {
                *held = Some(Held { keys: keys.clone(), begun_by: own.access_key_id().to_owned() });
                Ok(keys)
            }
            // It lasts for a moment yet.
            (Err(_), Some(keys)) if left(&keys).is_some_and(|left| !left.is_zero()) => Ok(keys),
            (Err(error), _) => Err(error),
        }
    }

    /// S3 takes `keys` no more: the next request begins a new session, unless another has done so.
    pub(crate) async fn has_ended(&self, keys: &Credentials) {
        let mut held = self.0.lock().await;
        if held.as_ref().is_some_and(|held| held.keys.access_key_id() == keys.access_key_id()) {
            *held = None;
        }
    }
}

/// Boxed, because sending a request may begin a session, which sends a request.
fn create<'a>(
    client: &'a Inner,
    bucket: &'a str,
) -> Pin<Box<dyn Future<Output = Result<Credentials, Error>> + Send + 'a>> {
    Box::pin(async move {
        const NAME: &str = <CreateSession as Operation>::NAME;
        let mut operation = CreateSession::new((), bucket);
        let request = operation.request()?;
        let answer = dispatch::send(client, NAME, request, Read::Whole).await?;
        let output = operation.response(answer.response).map_err(|error| error.at(NAME, Some(bucket), None))?;
        Ok(output.credentials)
    })
}
