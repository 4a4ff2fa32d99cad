//! Sessions with directory buckets: keys for one bucket, good for five minutes (CreateSession).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use wharf_proto::op::CreateSession;
use wharf_proto::operation::Operation;
use wharf_proto::{Credentials, Error, ErrorKind};

use crate::buckets::Bucket;
use crate::client::Inner;
use crate::dispatch::{self, Read};
use crate::runtime::driven;

/// A session that ends sooner is renewed first: a request must arrive in its time.
const EARLY: Duration = Duration::from_secs(60);

/// The session of one bucket, begun when it is first needed and again before it ends. Those who need it at once wait
/// for one CreateSession, and share its end.
#[derive(Debug, Default)]
pub(crate) struct Session {
    state: Mutex<State>,
    /// How many CreateSessions have ended, so that whoever waited for one knows that it was made.
    ended: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// What the last CreateSession came to, where it failed.
    failure: Option<(ErrorKind, String)>,
}

#[derive(Debug)]
struct Held {
    keys: Credentials,
    /// The access key id of the credentials that it was begun with.
    begun_by: String,
}

impl Session {
    /// The keys of the session with `bucket`, whose name is `name`; `own` are the caller's.
    pub(crate) async fn keys(
        client: &Arc<Inner>,
        bucket: &Arc<Bucket>,
        name: &str,
        own: Credentials,
    ) -> Result<Credentials, Error> {
        let known = bucket.session.state.try_lock().ok().and_then(|state| state.fresh(client, &own));
        if let Some(keys) = known {
            return Ok(keys);
        }
        let (client, bucket, name) = (client.clone(), bucket.clone(), name.to_owned());
        driven(async move { bucket.session.renewed(&client, &name, &own).await }).await
    }

    async fn renewed(&self, client: &Arc<Inner>, bucket: &str, own: &Credentials) -> Result<Credentials, Error> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(keys) = state.fresh(client, own) {
            return Ok(keys);
        }
        let known = state.known(own).cloned();
        let begun = match &state.failure {
            Some((kind, message)) if self.ended.load(Ordering::Acquire) != ended => {
                Err(Error::new(*kind, message.clone()))
            }
            _ => {
                let begun = create(client, bucket).await;
                self.ended.fetch_add(1, Ordering::Release);
                state.failure = begun.as_ref().err().map(|error| (error.kind(), error.to_string()));
                begun
            }
        };
        match (begun, known) {
            (Ok(keys), _) => {
                state.held = Some(Held { keys: keys.clone(), begun_by: own.access_key_id().to_owned() });
                Ok(keys)
            }
            // It lasts for a moment yet.
            (Err(_), Some(keys)) if !left(client, &keys).is_zero() => Ok(keys),
            (Err(error), _) => Err(error),
        }
    }

    /// S3 takes `keys` no more: the next request begins a new session, unless another has done so.
    pub(crate) async fn has_ended(bucket: &Arc<Bucket>, keys: &Credentials) {
        let (bucket, keys) = (bucket.clone(), keys.clone());
        // Whoever waits for a lock and is not polled may be given it.
        let ended = async move {
            bucket.session.forget(&keys).await;
            Ok(())
        };
        let _ = driven(ended).await;
    }

    async fn forget(&self, keys: &Credentials) {
        let held = &mut self.state.lock().await.held;
        if held.as_ref().is_some_and(|held| held.keys.access_key_id() == keys.access_key_id()) {
            *held = None;
        }
    }
}

impl State {
    /// The session's keys, where these credentials began it.
    fn known(&self, own: &Credentials) -> Option<&Credentials> {
        self.held.as_ref().filter(|held| held.begun_by == own.access_key_id()).map(|held| &held.keys)
    }

    /// The same, unless it ends soon.
    fn fresh(&self, client: &Inner, own: &Credentials) -> Option<Credentials> {
        self.known(own).filter(|keys| left(client, keys) > EARLY).cloned()
    }
}

/// How long a session lasts yet. S3 set its end, so S3's clock tells when it comes.
fn left(client: &Inner, keys: &Credentials) -> Duration {
    keys.expires_at().and_then(|end| end.duration_since(client.now()).ok()).unwrap_or_default()
}

/// Boxed, because sending a request may begin a session, which sends a request.
fn create<'a>(
    client: &'a Arc<Inner>,
    bucket: &'a str,
) -> Pin<Box<dyn Future<Output = Result<Credentials, Error>> + Send + 'a>> {
    Box::pin(async move {
        const NAME: &str = <CreateSession as Operation>::NAME;
        let mut operation = CreateSession::new((), bucket);
        let mut request = operation.request()?;
        let answer = dispatch::send(client, NAME, &mut request, Read::Whole).await?;
        let output = operation.response(answer.response).map_err(|error| error.at(NAME, Some(bucket), None))?;
        Ok(output.credentials)
    })
}
