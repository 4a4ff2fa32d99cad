//! GetBucketLocation.

use crate::call::{Call, Reply, document};
use crate::error::Result;
use crate::xml::Writer;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let bucket = &call.rules()?.bucket;
    // The first region of all has no name here.
    let location = if bucket.region == "us-east-1" { "" } else { &bucket.region };
    Ok(document(Writer::whole("LocationConstraint", location)))
}
