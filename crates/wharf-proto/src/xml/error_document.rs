//! The document that an S3 error comes with.

use bytes::Bytes;

use super::Scanner;
use crate::Error;

/// What an error's body says; empty where it is not S3's XML. A document that breaks off gives what came before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorDocument {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) host_id: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    /// The parameter or header that the error is about.
    pub(crate) argument: Option<String>,
}

impl ErrorDocument {
    pub(crate) fn parse(body: &Bytes) -> Self {
        let mut document = Self::default();
        if let Ok(text) = std::str::from_utf8(body) {
            // What stood before the document broke off is kept; the status alone decides the rest.
            let _ = document.read(text);
        }
        document
    }

    fn read(&mut self, text: &str) -> Result<(), Error> {
        let mut scanner = Scanner::any_root(text)?;
        match scanner.root() {
            "Error" => self.fields(&mut scanner),
            "ErrorResponse" => {
                while let Some(name) = scanner.child()? {
                    match name {
                        "Error" => self.fields(&mut scanner)?,
                        "RequestId" => self.request_id = Some(scanner.text()?.into_owned()),
                        _ => scanner.skip()?,
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fields(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Error> {
        while let Some(name) = scanner.child()? {
            let field = match name {
                "Code" => &mut self.code,
                "Message" => &mut self.message,
                "RequestId" => &mut self.request_id,
                "HostId" => &mut self.host_id,
                "Region" => &mut self.region,
                "Endpoint" => &mut self.endpoint,
                "ArgumentName" => &mut self.argument,
                _ => {
                    scanner.skip()?;
                    continue;
                }
            };
            *field = Some(scanner.text()?.into_owned()).filter(|text| !text.is_empty());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_unwrapped_and_broken_off() {
        let parse = |text: &'static str| ErrorDocument::parse(&Bytes::from_static(text.as_bytes()));
        let plain =
            parse("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>No.</Message><Key>a</Key></Error>");
        assert_eq!((plain.code.as_deref(), plain.message.as_deref()), (Some("NoSuchKey"), Some("No.")));
        let wrapped = parse("<ErrorResponse><Error><Code>A</Code></Error><RequestId>1</RequestId></ErrorResponse>");
        assert_eq!((wrapped.code.as_deref(), wrapped.request_id.as_deref()), (Some("A"), Some("1")));
        assert_eq!(parse("<Error><Code>SlowDown</Code><Mess").code.as_deref(), Some("SlowDown"));
        assert_eq!(parse("<html><Code>x</Code></html>"), ErrorDocument::default());
    }
}
