//! Settings of a store.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::account::{Account, Session, random_pair};
use crate::backend::Backend;
use crate::disk::{Disk, OpenError};
use crate::faults::{Faults, Personality};
use crate::front::Verifier;
use crate::id::Ids;
use crate::log::Log;
use crate::memory::Memory;
use crate::store::{Shared, Store};

pub(crate) const DOMAIN: &str = "s3.localhost";

/// Settings of a [`Store`], made by [`Store::builder`].
#[must_use]
pub struct Builder {
    keys: Option<(String, String)>,
    others: Vec<Account>,
    sessions: Vec<(String, String, Session)>,
    region: String,
    domains: Vec<String>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    personality: Option<Personality>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            keys: None,
            others: Vec::new(),
            sessions: Vec::new(),
            region: "us-east-1".to_owned(),
            domains: Vec::new(),
            clock: Arc::new(SystemTime::now),
            personality: None,
        }
    }
}

impl Builder {
    /// The keys of the store's own account. Default: a random pair, in the shape of AWS's.
    pub fn credentials(mut self, access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        self.keys = Some((access_key_id.into(), secret_access_key.into()));
        self
    }

    /// Another account with keys of its own. Bucket names are shared by all accounts (`BucketAlreadyExists`); what is
    /// in a bucket of another account is out of reach, unless an ACL or a bucket policy opens it.
    pub fn account(
        mut self,
        name: impl Into<String>,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
    ) -> Self {
        self.others.push(Account::other(name.into(), access_key_id.into(), secret_access_key.into()));
        self
    }

    /// Temporary keys of the store's own account, which are good together with `token` alone, and until `expires`
    /// where that is given: `ExpiredToken` afterwards. May be given several times.
    pub fn session(
        mut self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        token: impl Into<String>,
        expires: Option<SystemTime>,
    ) -> Self {
        let session = Session { token: token.into(), expires };
        self.sessions.push((access_key_id.into(), secret_access_key.into(), session));
        self
    }

    /// The region that requests must be signed for. Default: `us-east-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// A host name under which buckets are hosts of their own, such as `bucket.s3.localhost`; may be given several
    /// times. Default: `s3.localhost`. Buckets in the path work under every name.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domains.push(domain.into());
        self
    }

    /// The clock that signatures are judged by and objects dated with. Default: the system's.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The habits of another server, which the store takes over for good. Default: its own, which are those of S3.
    pub fn personality(mut self, personality: Personality) -> Self {
        self.personality = Some(personality);
        self
    }

    /// Makes the store, empty and in memory.
    pub fn build(self) -> Store {
        let ids = Arc::new(Ids::new());
        let backend = Box::new(Memory::new(ids.clone()));
        self.over(backend, ids)
    }

    /// Opens the store in a data directory, which is made where there is none; see [`Store::open`].
    ///
    /// # Errors
    ///
    /// The directory is in use, was written by a later version, is something else, or cannot be read or written.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Store, OpenError> {
        let (backend, ids) = Disk::open(path.as_ref())?;
        Ok(self.over(Box::new(backend), ids))
    }

    fn over(self, backend: Box<dyn Backend>, ids: Arc<Ids>) -> Store {
        let (access_key_id, secret_access_key) = self.keys.unwrap_or_else(random_pair);
        let mut accounts = vec![Account::own(access_key_id, secret_access_key)];
        accounts.extend(self.others);
        for (access_key_id, secret_access_key, session) in self.sessions {
            accounts.push(Account { session: Some(session), ..Account::own(access_key_id, secret_access_key) });
        }
        let accounts: Arc<[Account]> = accounts.into();
        let domains = if self.domains.is_empty() { vec![DOMAIN.to_owned()] } else { self.domains };
        let domains: Arc<[String]> = domains.into();
        let shared = Shared {
            backend,
            region: self.region,
            verifier: Verifier::new(accounts.clone(), domains.clone()),
            ids,
            accounts,
            domains,
            clock: self.clock,
            log: Log::default(),
            faults: Arc::new(Faults::lasting(self.personality.map(Personality::faults).unwrap_or_default())),
        };
        Store { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("region", &self.region).field("domains", &self.domains).finish_non_exhaustive()
    }
}
