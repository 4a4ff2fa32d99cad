//! The website of a bucket. It is kept and told; the store serves none.

use s3s::dto::WebsiteConfiguration;

use super::Kept;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::xml;

const MOST_RULES: usize = 50;

pub(super) fn check(bytes: &[u8]) -> Result<Kept> {
    let asked: WebsiteConfiguration = xml::parse(bytes)?;
    let rules = asked.routing_rules.as_deref().unwrap_or_default();
    if asked.redirect_all_requests_to.is_some() {
        if asked.index_document.is_some() || asked.error_document.is_some() || !rules.is_empty() {
            let message = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
            return Err(invalid_argument(message, "RedirectAllRequestsTo", "not null"));
        }
        return Ok(Kept::AsPut);
    }
    let Some(index) = &asked.index_document else {
        let message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
        return Err(invalid_argument(message, "IndexDocument", "null"));
    };
    if index.suffix.is_empty() || index.suffix.contains('/') {
        return Err(invalid_argument("The IndexDocument Suffix is not well formed", "IndexDocument", &index.suffix));
    }
    if rules.len() > MOST_RULES {
        let message = format!(
            "{} routing rules provided, the number of routing rules in a website is limited to 50.",
            rules.len()
        );
        return Err(Error::new(Code::InvalidRequest, message));
    }
    for rule in rules {
        if let Some(code) = &rule.redirect.http_redirect_code
            && !code.parse().is_ok_and(|code: u16| (301..400).contains(&code))
        {
            let message =
                format!("The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.");
            return Err(Error::new(Code::InvalidRequest, message));
        }
    }
    Ok(Kept::AsPut)
}
