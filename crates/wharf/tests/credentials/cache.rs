//! What [`CachedCredentials`] keeps, how long, and how often it asks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use wharf::{CachedCredentials, Clock, Credentials, CredentialsFuture, Error, ErrorKind, ProvideCredentials};

use crate::support::{FakeClock, soon};

const MINUTE: Duration = Duration::from_secs(60);

/// Gives keys for an hour, numbered, when it is let.
#[derive(Clone)]
struct Vault {
    clock: FakeClock,
    asked: Arc<AtomicUsize>,
    failing: Arc<Mutex<bool>>,
    gate: Arc<Semaphore>,
}

impl Vault {
    fn new(clock: &FakeClock) -> Self {
        Self {
            clock: clock.clone(),
            asked: Arc::default(),
            failing: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn fails(&self, fails: bool) {
        *self.failing.lock().unwrap() = fails;
    }
}

impl ProvideCredentials for Vault {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async move {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.gate.acquire().await.unwrap().forget();
            if *self.failing.lock().unwrap() {
                return Err(Error::new(ErrorKind::NoCredentials, format!("failure {number}")));
            }
            let keys = Credentials::new(format!("AKID{number}"), "s3cr3t").with_session_token(format!("t{number}"));
            Ok(keys.with_expiry(self.clock.now() + 60 * MINUTE))
        })
    }
}

fn cached() -> (FakeClock, Vault, Arc<CachedCredentials>) {
    let clock = FakeClock::default();
    let vault = Vault::new(&clock);
    let cache = CachedCredentials::with_clock(vault.clone(), Arc::new(clock.clone()));
    (clock, vault, Arc::new(cache))
}

async fn id(cache: &CachedCredentials) -> String {
    match soon(cache.credentials()).await {
        Ok(keys) => keys.access_key_id().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Lets every task that can go on do so.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn kept_until_five_minutes_before_the_end() {
    let (clock, vault, cache) = cached();
    assert!(cache.current().is_none());
    for _ in 0..3 {
        assert_eq!(id(&cache).await, "AKID1");
        clock.advance(18 * MINUTE);
    }
    assert_eq!((id(&cache).await, vault.asked()), ("AKID1".to_owned(), 1));
    clock.advance(MINUTE);
    assert_eq!((id(&cache).await, vault.asked()), ("AKID2".to_owned(), 2));
    assert_eq!(cache.current().unwrap().access_key_id(), "AKID2");
}

#[tokio::test]
async fn a_refresh_that_fails_harms_nobody_while_the_old_ones_work() {
    let (clock, vault, cache) = cached();
    id(&cache).await;
    vault.fails(true);
    clock.advance(56 * MINUTE);
    assert_eq!((id(&cache).await, vault.asked()), ("AKID1".to_owned(), 2));
    // Not asked again at once.
    assert_eq!((id(&cache).await, vault.asked()), ("AKID1".to_owned(), 2));
    clock.advance(MINUTE);
    assert_eq!((id(&cache).await, vault.asked()), ("AKID1".to_owned(), 3));
    // The last minute, in which everybody waits, is no other.
    clock.advance(Duration::from_secs(150));
    assert_eq!((id(&cache).await, vault.asked()), ("AKID1".to_owned(), 4));
    clock.advance(MINUTE);
    assert_eq!((id(&cache).await, vault.asked()), ("failure 5".to_owned(), 5));
    vault.fails(false);
    assert_eq!(id(&cache).await, "AKID6");
}

/// By a clock that is far ahead all keys have ended when they come: no reason for each caller to fetch its own.
#[tokio::test]
async fn many_callers_by_a_wrong_clock_cause_one_fetch() {
    let (clock, vault, _) = cached();
    let ahead = FakeClock::default();
    ahead.advance(120 * MINUTE);
    let cache = Arc::new(CachedCredentials::with_clock(vault.clone(), Arc::new(ahead)));
    vault.gate.forget_permits(usize::MAX >> 3);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { id(&cache).await })
        })
        .collect();
    settle().await;
    vault.gate.add_permits(1);
    for caller in callers {
        assert_eq!(soon(caller).await.unwrap(), "AKID1");
    }
    assert_eq!((vault.asked(), clock.waits().len()), (1, 0));
    // Who comes later does not take what has ended.
    vault.gate.add_permits(1);
    assert_eq!(id(&cache).await, "AKID2");
}

#[tokio::test]
async fn many_callers_cause_one_fetch() {
    let (clock, vault, cache) = cached();
    let gate = vault.gate.clone();
    gate.forget_permits(usize::MAX >> 3);
    let callers = || -> Vec<_> {
        (0..20)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { id(&cache).await })
            })
            .collect()
    };
    // The first fetch, which all wait for.
    let waiting = callers();
    settle().await;
    gate.add_permits(1);
    for caller in waiting {
        assert_eq!(soon(caller).await.unwrap(), "AKID1");
    }
    assert_eq!(vault.asked(), 1);
    // A refresh ahead of time, which only one waits for.
    clock.advance(56 * MINUTE);
    let waiting = callers();
    settle().await;
    assert_eq!(vault.asked(), 2);
    assert_eq!(waiting.iter().filter(|caller| caller.is_finished()).count(), 19);
    gate.add_permits(1);
    let mut ids = Vec::new();
    for caller in waiting {
        ids.push(soon(caller).await.unwrap());
    }
    ids.sort();
    assert_eq!((ids.iter().filter(|id| *id == "AKID1").count(), &*ids[19]), (19, "AKID2"));
    // One that fails, which all hear of.
    vault.fails(true);
    clock.advance(61 * MINUTE);
    let waiting = callers();
    settle().await;
    gate.add_permits(1);
    for caller in waiting {
        assert_eq!(soon(caller).await.unwrap(), "failure 3");
    }
    assert_eq!(vault.asked(), 3);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_fetch_to_the_next() {
    let (_, vault, cache) = cached();
    vault.gate.forget_permits(usize::MAX >> 3);
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { id(&cache).await }
    });
    settle().await;
    first.abort();
    let second = tokio::spawn(async move { id(&cache).await });
    settle().await;
    vault.gate.add_permits(1);
    assert_eq!((soon(second).await.unwrap(), vault.asked()), ("AKID2".to_owned(), 2));
}

/// As when the first stands in a `buffered` stream whose consumer awaits the second.
#[tokio::test]
async fn a_caller_that_is_not_polled_holds_nobody_up() {
    let (clock, vault, cache) = cached();
    for (passed, keys) in [(Duration::ZERO, "AKID1"), (61 * MINUTE, "AKID2"), (56 * MINUTE, "AKID3")] {
        clock.advance(passed);
        vault.gate.forget_permits(usize::MAX >> 3);
        let mut first = cache.credentials();
        assert!((&mut first).now_or_never().is_none());
        settle().await;
        vault.gate.add_permits(1);
        settle().await;
        assert_eq!(id(&cache).await, keys);
        assert_eq!(soon(first).await.unwrap().access_key_id(), keys);
        vault.gate.add_permits(usize::MAX >> 4);
    }
    assert_eq!(vault.asked(), 3);
}

#[tokio::test]
async fn refused_credentials_are_forgotten_once() {
    let (_, vault, cache) = cached();
    let first = cache.credentials().await.unwrap();
    assert!(cache.refused(&first));
    assert_eq!(id(&cache).await, "AKID2");
    // Another request that was signed with the first ones does not harm the second.
    assert!(cache.refused(&first));
    assert_eq!((id(&cache).await, vault.asked()), ("AKID2".to_owned(), 2));
    assert!(!Credentials::new("a", "b").refused(&first), "keys that never change have no others");
}

/// A server that takes no keys at all is no reason to ask for new ones with every request.
#[tokio::test]
async fn refusals_one_after_the_other_do_not_ask_for_ever() {
    let (clock, vault, cache) = cached();
    for _ in 0..20 {
        let keys = cache.credentials().await.unwrap();
        cache.refused(&keys);
    }
    assert_eq!(vault.asked(), 2);
    let second = cache.credentials().await.unwrap();
    assert!(!cache.refused(&second));
    clock.advance(MINUTE);
    assert!(cache.refused(&second));
    assert_eq!((id(&cache).await, vault.asked()), ("AKID3".to_owned(), 3));
}

#[test]
fn debug_shows_no_secret() {
    let (_, _, cache) = cached();
    let shown = format!("{cache:?} {:?}", CachedCredentials::new(Credentials::new("a", "s3cr3t")));
    assert!(!shown.contains("s3cr3t"), "{shown}");
}
