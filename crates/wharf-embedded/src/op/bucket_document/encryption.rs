//! The encryption of new objects, where their writers choose none.

use s3s::dto::ServerSideEncryptionConfiguration;

use super::Kept;
use crate::error::{Code, Result, invalid_argument};
use crate::xml;

pub(super) fn check(bytes: &[u8]) -> Result<Kept> {
    let asked: ServerSideEncryptionConfiguration = xml::parse(bytes)?;
    let [rule] = &asked.rules[..] else { return Err(Code::MalformedXml.into()) };
    let Some(chosen) = &rule.apply_server_side_encryption_by_default else { return Ok(Kept::AsPut) };
    match (chosen.sse_algorithm.as_str(), &chosen.kms_master_key_id) {
        ("AES256", None) | ("aws:kms" | "aws:kms:dsse", _) => Ok(Kept::AsPut),
        ("AES256", Some(key)) => {
            let message =
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            Err(invalid_argument(message, "ApplyServerSideEncryptionByDefault", key))
        }
        _ => Err(Code::MalformedXml.into()),
    }
}
