//! The code of an authentication device, which S3 wants where a bucket has MFA delete.

use std::fmt;

use crate::Error;
use crate::operation::Request;

/// A device's serial number and its present code. `Debug` does not show the code.
#[derive(Clone)]
pub(super) struct Mfa {
    serial: String,
    code: String,
}

impl Mfa {
    pub(super) fn new(serial: impl Into<String>, code: impl Into<String>) -> Self {
        Self { serial: serial.into(), code: code.into() }
    }

    pub(super) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        request.header("x-amz-mfa", &format!("{} {}", self.serial, self.code))?;
        if let Some(value) = request.headers.get_mut("x-amz-mfa") {
            value.set_sensitive(true);
        }
        Ok(())
    }
}

impl fmt::Debug for Mfa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mfa({}, ..)", self.serial)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn the_code_is_sent_and_never_shown() {
        let mfa = Mfa::new("arn:aws:iam::1:mfa/a", "123456");
        let mut request = Request::service(Method::GET);
        mfa.apply(&mut request).unwrap();
        assert_eq!(request.headers["x-amz-mfa"], "arn:aws:iam::1:mfa/a 123456");
        let shown = format!("{mfa:?} {request:?}");
        assert!(!shown.contains("123456"), "{shown}");
    }
}
