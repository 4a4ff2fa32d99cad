//! CreateMultipartUpload.

use super::put_object::CUSTOMER;
use crate::backend::Upload;
use crate::call::{Call, Reply, document, set};
use crate::checksum::{Algorithm, Kind};
use crate::error::{Code, Error, Result};
use crate::kept;
use crate::tags;
use crate::xml::Writer;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let rules = call.rules()?;
    let algorithm = call.header("x-amz-checksum-algorithm").map(Algorithm::parse).transpose()?;
    let kind = call.header("x-amz-checksum-type");
    let checksum = match (algorithm, kind) {
        (Some(algorithm), kind) => Some(Kind::of_upload(algorithm, kind)?),
        (None, None) => None,
        (None, Some(_)) => {
            let message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
            return Err(Error::new(Code::InvalidRequest, message));
        }
    };
    let upload = Upload {
        id: call.shared.ids.next(),
        key: call.key().to_owned(),
        started: call.now,
        headers: kept::of_request(&call.headers, &rules.bucket)?,
        tags: call.header("x-amz-tagging").map(tags::of_header).transpose()?.unwrap_or_default(),
        customer_key: kept::customer_key(&call.headers, CUSTOMER)?,
        lock: kept::lock(&call.headers, &rules.bucket, call.now)?,
        acl: rules.object_acl(&call)?,
        checksum,
        replaces: false,
    };
    let mut xml = Writer::new("InitiateMultipartUploadResult");
    xml.text("Bucket", call.bucket());
    xml.text("Key", call.key());
    xml.text("UploadId", &upload.id);
    let mut reply = document(xml);
    kept::encryption_of(&upload.headers, reply.headers_mut());
    if let Some(kind) = checksum {
        set(reply.headers_mut(), "x-amz-checksum-algorithm", kind.algorithm.name());
        set(reply.headers_mut(), "x-amz-checksum-type", kind.type_name());
    }
    call.backend().create_upload(call.bucket(), upload).await?;
    Ok(reply)
}
