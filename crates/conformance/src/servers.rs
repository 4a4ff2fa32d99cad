//! The servers that the checks were run on, and what each is known to do differently.

mod ceph;
mod garage;
mod moto;
mod rclone;
mod seaweedfs;

/// A server and its differences.
#[derive(Debug)]
pub struct Server {
    /// The name that `WHARF_TEST_PROVIDER` calls it by.
    pub provider: &'static str,
    /// Name and version that the checks were run on.
    pub version: &'static str,
    /// What it does otherwise than S3.
    pub differences: &'static [Difference],
}

/// Checks that fail on a server, all for one reason.
#[derive(Debug)]
pub struct Difference {
    /// The checks' names.
    pub checks: &'static [&'static str],
    /// What their failures say, in part.
    pub failure: &'static str,
    /// What the server does instead: one sentence.
    pub instead: &'static str,
}

impl Server {
    /// The server that `WHARF_TEST_PROVIDER` names.
    pub fn named(provider: &str) -> Option<&'static Self> {
        SERVERS.iter().copied().find(|server| server.provider == provider)
    }

    /// What is known of this check.
    pub fn difference(&self, check: &str) -> Option<&'static Difference> {
        self.differences.iter().find(|difference| difference.checks.contains(&check))
    }
}

/// Every server that the checks were run on.
pub const SERVERS: &[&Server] =
    &[&EMBEDDED, &seaweedfs::SERVER, &garage::SERVER, &ceph::SERVER, &moto::SERVER, &rclone::SERVER];

/// The embedded store, which is to do what S3 does.
pub const EMBEDDED: Server = Server { provider: "embedded", version: "wharf-embedded", differences: &[] };

const fn differs(checks: &'static [&'static str], failure: &'static str, instead: &'static str) -> Difference {
    Difference { checks, failure, instead }
}
