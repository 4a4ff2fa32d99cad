//! Credentials that are kept until they are about to expire, and fetched by one caller for all.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::OwnedMutexGuard;
use wharf_proto::{Credentials, Error, ErrorKind};

use super::{CredentialsFuture, ProvideCredentials};
use crate::clock::{Clock, SystemClock};
use crate::runtime::driven;

/// This long before they expire, one caller fetches new ones; the others go on with what is there.
const REFRESH_EARLY: Duration = Duration::from_secs(5 * 60);

/// This long before they expire, everybody waits for new ones.
const REFRESH_NOW: Duration = Duration::from_secs(60);

/// How long a failed refresh is not tried again while the old ones still work, and new ones that are refused like the
/// old are not replaced.
const PAUSE: Duration = Duration::from_secs(30);

/// Keeps what a provider gives until five minutes before it expires.
///
/// Callers at the same time cause one fetch. A refresh that fails harms nobody while the old credentials work. Nothing
/// runs in the background: the first call that finds them old fetches new ones.
///
/// ```
/// use wharf::{CachedCredentials, Client, ProvideCredentials};
///
/// fn client(vault: impl ProvideCredentials) -> wharf::Result<Client> {
///     Client::builder().region("eu-west-1").credentials_provider(CachedCredentials::new(vault)).build()
/// }
/// ```
pub struct CachedCredentials(Arc<Shared>);

struct Shared {
    provider: Arc<dyn ProvideCredentials>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held by whoever fetches.
    flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    current: Option<Credentials>,
    /// A refresh that failed is not tried before this.
    not_before: Option<SystemTime>,
    /// How many fetches have ended, so that whoever waited for one knows that it was made.
    flights: u64,
    failure: Option<Failure>,
    /// When credentials were last forgotten because they were refused.
    forgotten: Option<SystemTime>,
}

/// An error that several callers get.
struct Failure {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

enum Age {
    Fresh,
    /// Still of use, but new ones are due.
    Due,
    /// So near to their end that a request might outlive them.
    Ending,
    Gone,
}

impl CachedCredentials {
    /// Keeps what `provider` gives.
    pub fn new(provider: impl ProvideCredentials) -> Self {
        Self::with_clock(provider, Arc::new(SystemClock))
    }

    /// The same by another clock, for tests.
    pub fn with_clock(provider: impl ProvideCredentials, clock: Arc<dyn Clock>) -> Self {
        let provider = Arc::new(provider);
        Self(Arc::new(Shared { provider, clock, state: Mutex::default(), flight: Arc::default() }))
    }

    /// What is kept now, without asking anybody.
    pub fn current(&self) -> Option<Credentials> {
        self.0.state().current.clone()
    }

    async fn get(&self) -> Result<Credentials, Error> {
        let shared = &self.0;
        let (kept, flights) = {
            let state = shared.state();
            (state.usable(shared.clock.now()), state.flights)
        };
        let flight = match kept {
            Some((credentials, Age::Fresh)) => return Ok(credentials),
            Some((credentials, Age::Due)) => match shared.flight.clone().try_lock_owned() {
                Ok(flight) => Some(flight),
                Err(_) => return Ok(credentials),
            },
            _ => None,
        };
        driven(shared.clone().fetch(flights, flight)).await
    }
}

impl Shared {
    /// Fetches, unless somebody else's fetch ends first: that of one who saw `flights` of them. Others wait for whoever
    /// has the `flight`, or waits for it.
    async fn fetch(self: Arc<Self>, flights: u64, flight: Option<OwnedMutexGuard<()>>) -> Result<Credentials, Error> {
        let flight = match flight {
            Some(flight) => flight,
            None => self.flight.clone().lock_owned().await,
        };
        {
            let state = self.state();
            match state.usable(self.clock.now()) {
                Some((credentials, Age::Fresh)) => return Ok(credentials),
                // Somebody else's fetch ended while this one waited: its end is this one's too.
                kept if state.flights != flights => match (kept, &state.failure, &state.current) {
                    (Some((credentials, _)), ..) => return Ok(credentials),
                    (None, Some(failure), _) => return Err(failure.error()),
                    // By a clock that is wrong they had ended when they came.
                    (None, None, Some(landed)) => return Ok(landed.clone()),
                    (None, None, None) => {}
                },
                _ => {}
            }
        }
        let fetched = self.provider.credentials().await;
        let result = self.state().landed(fetched, self.clock.now());
        drop(flight);
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is kept, unless it has expired.
    fn usable(&self, now: SystemTime) -> Option<(Credentials, Age)> {
        let credentials = self.current.as_ref()?;
        let age = match age(credentials, now) {
            Age::Gone => return None,
            Age::Due | Age::Ending if self.pauses(now) => Age::Fresh,
            age => age,
        };
        Some((credentials.clone(), age))
    }

    /// Whether it is too early for another refresh. A time that is further off than a pause was set before the clock was put
    /// right.
    fn pauses(&self, now: SystemTime) -> bool {
        let left = self.not_before.and_then(|time| time.duration_since(now).ok());
        left.is_some_and(|left| !left.is_zero() && left <= PAUSE)
    }

    fn landed(&mut self, fetched: Result<Credentials, Error>, now: SystemTime) -> Result<Credentials, Error> {
        self.flights += 1;
        match fetched {
            Ok(credentials) => {
                // A source that hands out what is about to end has nothing better yet.
                self.not_before = Some(now + PAUSE).filter(|_| !matches!(age(&credentials, now), Age::Fresh));
                self.failure = None;
                self.current = Some(credentials.clone());
                Ok(credentials)
            }
            Err(error) => {
                tracing::debug!(%error, "no new credentials");
                self.failure = Some(Failure::of(&error));
                self.not_before = Some(now + PAUSE);
                self.usable(now).map(|(credentials, _)| credentials).ok_or(error)
            }
        }
    }
}

fn age(credentials: &Credentials, now: SystemTime) -> Age {
    let Some(left) = credentials.expires_at().map(|end| end.duration_since(now).unwrap_or_default()) else {
        return Age::Fresh;
    };
    match left {
        Duration::ZERO => Age::Gone,
        left if left <= REFRESH_NOW => Age::Ending,
        left if left <= REFRESH_EARLY => Age::Due,
        _ => Age::Fresh,
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self { kind: error.kind(), message: error.message().to_owned(), hint: error.hint().map(str::to_owned) }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.kind, &*self.message);
        match &self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl ProvideCredentials for CachedCredentials {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(self.get())
    }

    fn refused(&self, credentials: &Credentials) -> bool {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let same = |kept: &Credentials| {
            kept.access_key_id() == credentials.access_key_id() && kept.session_token() == credentials.session_token()
        };
        // Where others are kept by now, somebody has fetched them meanwhile.
        if !state.current.as_ref().is_some_and(same) {
            return true;
        }
        if state.forgotten.is_some_and(|time| now.duration_since(time).is_ok_and(|passed| passed < PAUSE)) {
            // Those that came in their place are no better.
            return false;
        }
        (state.current, state.not_before, state.forgotten) = (None, None, Some(now));
        drop(state);
        self.0.provider.refused(credentials);
        true
    }
}

impl fmt::Debug for CachedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedCredentials").field("current", &self.current()).finish_non_exhaustive()
    }
}
