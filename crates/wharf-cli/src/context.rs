//! What a verb runs with: the options of the whole command, and the client, made when it is first needed.

use std::sync::OnceLock;

use wharf::transfer::{Budgets, List};
use wharf::{Client, S3Uri};

use crate::error::Failure;
use crate::globals::{Globals, Tuning};
use crate::url::{Keys, Shown, Wild};

/// Whose words were typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `wharf VERB`.
    Wharf,
    /// `wharf s3 VERB`, which does what `aws s3 VERB` does.
    Aws,
}

impl Dialect {
    /// Whether keys are patterns, where `--raw` was said or not.
    pub(crate) fn keys(self, raw: bool) -> Keys {
        if raw || self == Self::Aws { Keys::Literal } else { Keys::Wild }
    }
}

pub(crate) struct Context {
    pub(crate) globals: Globals,
    dialect: Dialect,
    client: OnceLock<Client>,
}

impl Context {
    pub(crate) fn new(globals: Globals, dialect: Dialect, client: Option<Client>) -> Self {
        Self { globals, dialect, client: client.map(OnceLock::from).unwrap_or_default() }
    }

    /// The client that the options ask for. Nothing is read before it is asked for.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let made = self.globals.connection.client()?;
        Ok(self.client.get_or_init(|| made).clone())
    }

    /// Sets the limits of the process to what the options say.
    pub(crate) fn tune(&self) {
        let budgets = Budgets::process();
        let mut limits = budgets.limits();
        if let Some(requests) = self.globals.tuning.concurrency {
            limits.requests = requests as usize;
        }
        limits.bandwidth = self.globals.tuning.bandwidth.or(limits.bandwidth);
        budgets.set(limits);
    }

    pub(crate) fn tuning(&self) -> &Tuning {
        &self.globals.tuning
    }

    /// A listing that tries for as long as the options say.
    pub(crate) fn list(&self, s3: &Client, bucket: &str) -> List {
        self.tuning().list(s3, bucket)
    }

    pub(crate) fn is_aws(&self) -> bool {
        self.dialect == Dialect::Aws
    }

    /// Refuses a pattern where `what` is to be named; `instead` is how to choose several.
    pub(crate) fn must_be_literal<'u>(
        &self,
        url: impl Into<Option<&'u S3Uri>>,
        raw: bool,
        what: &str,
        instead: &str,
    ) -> Result<(), Failure> {
        match url.into().filter(|url| Wild::of(url.key(), self.keys(raw)).is_some()) {
            None => Ok(()),
            Some(url) => {
                let shown = Shown(url.bucket(), url.key()).in_error();
                Err(Failure::usage(format!("{shown} is a pattern, and {what} must be named")).hint(instead))
            }
        }
    }

    /// The same as [`Dialect::keys`].
    pub(crate) fn keys(&self, raw: bool) -> Keys {
        self.dialect.keys(raw)
    }
}
