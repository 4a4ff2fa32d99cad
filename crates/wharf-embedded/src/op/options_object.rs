//! The preflight of browsers: whether a request across origins may be sent.

use http::StatusCode;

use crate::call::{Call, Reply, empty};
use crate::cors::{self, Question};
use crate::document::Document;
use crate::error::{Code, Error, Result};

pub(super) async fn run(call: Call) -> Result<Reply> {
    let Some(origin) = call.header("origin") else {
        return Err(Error::new(Code::BadRequest, "Insufficient information. Origin request header needed."));
    };
    let Some(method) = call.header("access-control-request-method") else {
        let message = "Insufficient information. Access-Control-Request-Method request header needed.";
        return Err(Error::new(Code::BadRequest, message));
    };
    let bucket = call.backend().bucket(call.bucket()).await?;
    let Some(document) = bucket.documents.get(Document::Cors.subresource()) else {
        return Err(refused("CORSResponse: CORS is not enabled for this bucket.", method));
    };
    let question = Question { origin, method, headers: call.header("access-control-request-headers") };
    let Some(headers) = cors::answer(&cors::parse(document)?, question) else {
        let message = "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, \
                       request method / Access-Control-Request-Method or Access-Control-Request-Headers are not \
                       whitelisted by the resource's CORS spec.";
        return Err(refused(message, method));
    };
    let mut reply = empty(StatusCode::OK);
    reply.headers_mut().extend(headers);
    Ok(reply)
}

fn refused(message: &str, method: &str) -> Error {
    Error::new(Code::AccessForbidden, message).detail("Method", method).detail("ResourceType", "OBJECT")
}
