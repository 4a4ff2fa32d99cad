//! Notifications. They are kept and told; no event is ever sent.

use s3s::dto::{Event, NotificationConfiguration};

use super::{Kept, rewritten};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::id::Ids;
use crate::xml;

pub(super) fn check(bytes: &[u8], ids: &Ids) -> Result<Kept> {
    let mut asked: NotificationConfiguration = xml::parse(bytes)?;
    if asked == NotificationConfiguration::default() {
        return Ok(Kept::Nothing);
    }
    for queue in asked.queue_configurations.iter_mut().flatten() {
        check_one(&queue.queue_arn, "sqs", &queue.events)?;
        queue.id.get_or_insert_with(|| ids.next());
    }
    for topic in asked.topic_configurations.iter_mut().flatten() {
        check_one(&topic.topic_arn, "sns", &topic.events)?;
        topic.id.get_or_insert_with(|| ids.next());
    }
    for function in asked.lambda_function_configurations.iter_mut().flatten() {
        check_one(&function.lambda_function_arn, "lambda", &function.events)?;
        function.id.get_or_insert_with(|| ids.next());
    }
    rewritten(&asked)
}

/// Checks a destination's ARN and the events it wants.
fn check_one(arn: &str, service: &str, events: &[Event]) -> Result<()> {
    let mut parts = arn.split(':');
    if (parts.next(), parts.nth(1)) != (Some("arn"), Some(service)) {
        return Err(invalid_argument("The ARN is not well formed", "ARN", arn));
    }
    if events.is_empty() {
        return Err(Code::MalformedXml.into());
    }
    match events.iter().find(|event| !event.as_ref().starts_with("s3:")) {
        Some(event) => {
            let message = format!("The event '{}' is not supported for notifications", event.as_ref());
            Err(Error::new(Code::InvalidArgument, message))
        }
        None => Ok(()),
    }
}
