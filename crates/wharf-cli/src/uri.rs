//! `s3://` URIs as they are typed.

use wharf::{Error, S3Uri};

/// Reads `s3://BUCKET` or `s3://BUCKET/KEY`. As with aws-cli the `s3://` may be left out: every verb that takes such a
/// URI takes nothing else.
pub(crate) fn bucket(text: &str) -> Result<S3Uri, Error> {
    if text.starts_with("s3://") { text.parse() } else { format!("s3://{text}").parse() }
}

/// Reads `s3://BUCKET/KEY`.
pub(crate) fn object(text: &str) -> Result<S3Uri, Error> {
    let uri = bucket(text)?;
    if uri.key().is_empty() {
        return Err(Error::invalid_input(format!("no key: an object is s3://{}/KEY", uri.bucket())));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_may_be_left_out_and_keys_stay_as_they_are() {
        for text in ["s3://my-bucket/a//b%20c", "my-bucket/a//b%20c"] {
            let uri = object(text).unwrap();
            assert_eq!((uri.bucket(), uri.key()), ("my-bucket", "a//b%20c"));
        }
        assert_eq!(bucket("my-bucket").unwrap().key(), "");
        assert_eq!(object("s3://my-bucket/").unwrap_err().to_string(), "no key: an object is s3://my-bucket/KEY");
        assert!(object("s3:///key").is_err() && bucket("http://host/key").is_err());
    }
}
