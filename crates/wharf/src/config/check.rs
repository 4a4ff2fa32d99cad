//! What the program said to the builder and cannot have meant.

use wharf_proto::Error;

use super::{ClientBuilder, Keys};
use crate::credentials;

impl ClientBuilder {
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Keys::Fixed(keys) = &self.keys {
            credentials::check(keys)?;
        }
        if self.said.max_attempts == Some(0) {
            return Err(Error::invalid_input("max_attempts(0) sends nothing; 1 means no retries"));
        }
        for (name, limit) in [
            ("connect_timeout", self.sockets.connect_timeout),
            ("progress_timeout", self.sockets.progress_timeout),
            ("long_operation_timeout", self.long_operation_timeout),
            ("deadline", self.deadline),
        ] {
            if limit.is_some_and(|limit| limit.is_zero()) {
                let problem = format!("{name} is zero, in which nothing can be done; Duration::MAX means no limit");
                return Err(Error::invalid_input(problem));
            }
        }
        Ok(())
    }
}
