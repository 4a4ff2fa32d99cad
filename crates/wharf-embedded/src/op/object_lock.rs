//! GetObjectLegalHold, PutObjectLegalHold, GetObjectRetention and PutObjectRetention.

use http::StatusCode;
use s3s::dto::{ObjectLockLegalHold, ObjectLockRetention, TimestampFormat};

use super::read_object::readable;
use crate::backend::{Amendment, Lock, Retention};
use crate::call::{Call, Reply, document, empty};
use crate::error::{Code, Error, Result};
use crate::kept;
use crate::time::{iso_date, parse_iso_date};
use crate::xml::{self, Writer};

pub(super) async fn get_legal_hold(call: Call) -> Result<Reply> {
    let hold = lock(&call)?.legal_hold.ok_or(Code::NoSuchObjectLockConfiguration)?;
    let mut xml = Writer::new("LegalHold");
    xml.text("Status", if hold { "ON" } else { "OFF" });
    Ok(document(xml))
}

pub(super) async fn put_legal_hold(call: Call) -> Result<Reply> {
    check_bucket(&call)?;
    let asked: ObjectLockLegalHold = xml::parse(&call.document)?;
    let on = match asked.status.as_ref().map(|status| status.as_str()) {
        Some("ON") => true,
        Some("OFF") => false,
        _ => return Err(Code::MalformedXml.into()),
    };
    amend(&call, Amendment::LegalHold(on)).await
}

pub(super) async fn get_retention(call: Call) -> Result<Reply> {
    let retention = lock(&call)?.retention.ok_or(Code::NoSuchObjectLockConfiguration)?;
    let mut xml = Writer::new("Retention");
    xml.text("Mode", &retention.mode);
    xml.text("RetainUntilDate", &iso_date(retention.until));
    Ok(document(xml))
}

pub(super) async fn put_retention(call: Call) -> Result<Reply> {
    check_bucket(&call)?;
    let asked: ObjectLockRetention = xml::parse(&call.document)?;
    let bypass = call.flag("x-amz-bypass-governance-retention");
    if asked.mode.is_none() && asked.retain_until_date.is_none() {
        return amend(&call, Amendment::Retention(None, bypass)).await;
    }
    let mode =
        asked.mode.as_ref().map(|mode| mode.as_str()).filter(|mode| matches!(*mode, "GOVERNANCE" | "COMPLIANCE"));
    let mut text = Vec::new();
    let formatted = asked.retain_until_date.and_then(|at| at.format(TimestampFormat::DateTime, &mut text).ok());
    let until = formatted.and_then(|()| parse_iso_date(&String::from_utf8_lossy(&text)));
    let (Some(mode), Some(until)) = (mode, until) else { return Err(Code::MalformedXml.into()) };
    kept::check_future(until, call.now)?;
    amend(&call, Amendment::Retention(Some(Retention { mode: mode.to_owned(), until }), bypass)).await
}

fn check_bucket(call: &Call) -> Result<()> {
    if call.rules()?.bucket.has_object_lock() {
        return Ok(());
    }
    Err(Error::new(Code::InvalidRequest, "Bucket is missing Object Lock Configuration"))
}

fn lock(call: &Call) -> Result<Lock> {
    check_bucket(call)?;
    Ok(readable(call, call.found()?)?.lock.clone())
}

async fn amend(call: &Call, change: Amendment) -> Result<Reply> {
    call.backend().amend(call.bucket(), call.key(), call.version()?, call.now, change).await?;
    Ok(empty(StatusCode::OK))
}
