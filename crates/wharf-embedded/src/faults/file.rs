//! Faults in a file: TOML, with the words of the methods of [`Fault`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{Fault, FaultError};
use crate::operations::Operation;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<Spanned<Row>>,
}

/// One table. The first words say what happens, of which there is one in each.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Row {
    respond: Option<u16>,
    ok_with_error: Option<String>,
    delay: Option<String>,
    delay_body: Option<String>,
    close_request_after: Option<u64>,
    close_response_after: Option<u64>,
    corrupt_request: Option<u64>,
    corrupt_response: Option<u64>,
    drop_answer: bool,
    replace_object: Option<String>,
    shuffle_listing: Option<u64>,
    forget_checksums: bool,
    ignore_conditions: bool,
    ignore_source_conditions: bool,
    refuse_framing: bool,
    path_style_only: bool,

    code: Option<String>,
    header: BTreeMap<String, String>,
    after: Option<u64>,

    on: Names,
    bucket: Option<String>,
    key: Option<String>,
    if_header: BTreeMap<String, String>,
    nth: Option<u64>,
    skip: Option<u64>,
    share: Option<f64>,
    seed: Option<u64>,
    times: Option<u64>,
}

/// One name, or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "on takes the name of an operation, or a list of them")]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<Fault>, FaultError> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let file: File = toml::from_str(text).map_err(|error| {
        let problem = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        FaultError::new(problem).at(line(error.span().map_or(0, |span| span.start)))
    })?;
    file.fault
        .into_iter()
        .map(|row| {
            let at = line(row.span().start);
            let fault = row.into_inner().fault().map_err(|error| error.at(at))?;
            fault.check().map_err(|error| error.at(at))?;
            Ok(fault)
        })
        .collect()
}

impl Row {
    fn fault(self) -> Result<Fault, FaultError> {
        let mut fault = self.action()?;
        for (name, value) in self.header {
            fault = fault.header(name, value);
        }
        let names = match self.on {
            Names::One(name) => vec![name],
            Names::Several(names) => names,
        };
        for name in names {
            fault = fault.on(name.parse::<Operation>()?);
        }
        for (name, pattern) in self.if_header {
            fault = fault.if_header(name, pattern);
        }
        fault = match (self.share, self.seed) {
            (Some(share), Some(seed)) => fault.share(share, seed),
            (None, None) => fault,
            (Some(_), None) => return Err(FaultError::new("share goes with a seed, such as seed = 7")),
            (None, Some(_)) => return Err(FaultError::new("seed goes with a share, such as share = 0.1")),
        };
        fault = self.bucket.into_iter().fold(fault, Fault::bucket);
        fault = self.key.into_iter().fold(fault, Fault::key);
        fault = self.nth.into_iter().fold(fault, Fault::nth);
        fault = self.skip.into_iter().fold(fault, Fault::skip);
        Ok(self.times.into_iter().fold(fault, Fault::times))
    }

    /// What happens, without when.
    fn action(&self) -> Result<Fault, FaultError> {
        let after = self.after.unwrap_or_default();
        let code = self.code.clone().unwrap_or_default();
        let flag = |set: bool, fault: fn() -> Fault| set.then(fault);
        let given: Vec<Fault> = [
            self.respond.map(|status| Fault::respond(status, code)),
            self.ok_with_error.clone().map(Fault::ok_with_error),
            self.delay.as_deref().map(duration).transpose()?.map(Fault::delay),
            self.delay_body.as_deref().map(duration).transpose()?.map(|by| Fault::delay_body(after, by)),
            self.close_request_after.map(Fault::close_request_after),
            self.close_response_after.map(Fault::close_response_after),
            self.corrupt_request.map(Fault::corrupt_request),
            self.corrupt_response.map(Fault::corrupt_response),
            flag(self.drop_answer, Fault::drop_answer),
            self.replace_object.clone().map(Fault::replace_object),
            self.shuffle_listing.map(Fault::shuffle_listing),
            flag(self.forget_checksums, Fault::forget_checksums),
            flag(self.ignore_conditions, Fault::ignore_conditions),
            flag(self.ignore_source_conditions, Fault::ignore_source_conditions),
            flag(self.refuse_framing, Fault::refuse_framing),
            flag(self.path_style_only, Fault::path_style_only),
        ]
        .into_iter()
        .flatten()
        .collect();
        let words: Vec<&str> = given.iter().map(|fault| fault.action.word()).collect();
        if self.code.is_some() && self.respond.is_none() {
            return Err(FaultError::new("code goes with respond, such as respond = 503"));
        }
        if self.after.is_some() && self.delay_body.is_none() {
            return Err(FaultError::new("after goes with delay_body, such as delay_body = \"2s\""));
        }
        match <[Fault; 1]>::try_from(given) {
            Ok([fault]) => Ok(fault),
            Err(none) if none.is_empty() => {
                Err(FaultError::new("this fault does nothing; say what happens, such as respond = 503"))
            }
            Err(_) => {
                let words = words.join(" and ");
                Err(FaultError::new(format!("one fault does one thing; give {words} a table [[fault]] each")))
            }
        }
    }
}

/// Reads `250ms`, `2s` or `1m`.
fn duration(text: &str) -> Result<Duration, FaultError> {
    let unit = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let number = number.parse::<u32>().ok();
    let duration = match unit {
        "ms" => number.map(|number| Duration::from_millis(number.into())),
        "s" => number.map(|number| Duration::from_secs(number.into())),
        "m" => number.map(|number| Duration::from_secs(60 * u64::from(number))),
        _ => None,
    };
    duration.ok_or_else(|| FaultError::new(format!("{text:?} is no duration; they read like 250ms, 2s or 1m")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word() {
        for (text, word) in [
            ("respond = 503", "respond"),
            ("respond = 503\ncode = \"SlowDown\"\nheader = { retry-after = \"1\" }", "respond"),
            ("ok_with_error = \"InternalError\"", "respond"),
            ("refuse_framing = true", "respond"),
            ("delay = \"2s\"", "delay"),
            ("delay_body = \"250ms\"\nafter = 9", "delay_body"),
            ("close_request_after = 0", "close_request_after"),
            ("close_response_after = 1000", "close_response_after"),
            ("corrupt_request = 1", "corrupt_request"),
            ("corrupt_response = 1", "corrupt_response"),
            ("drop_answer = true", "drop_answer"),
            ("replace_object = \"other\"\nif_header = { range = \"*\" }\nnth = 2", "replace_object"),
            ("drop_answer = true\nskip = 3\ntimes = 2", "drop_answer"),
            ("shuffle_listing = 7", "shuffle_listing"),
            ("forget_checksums = true", "forget_checksums"),
            ("ignore_conditions = true\non = [\"PutObject\", \"CopyObject\"]", "ignore_conditions"),
            ("ignore_source_conditions = true", "ignore_source_conditions"),
            ("path_style_only = true\nbucket = \"b\"\nkey = \"k/*\"\ntimes = 2", "path_style_only"),
        ] {
            let faults = parse(&format!("# one\n[[fault]]\n{text}\n")).unwrap();
            assert_eq!(faults.iter().map(|fault| fault.action.word()).collect::<Vec<_>>(), [word], "{text}");
        }
        assert!(parse("").unwrap().is_empty());
        let Fault { share, on, times, .. } =
            parse("[[fault]]\ndrop_answer = true\nshare = 0.5\nseed = 3\non = \"GetObject\"\ntimes = 4")
                .unwrap()
                .remove(0);
        assert_eq!((share, on, times), (Some((0.5, 3)), vec![Operation::GetObject], Some(4)));
    }

    #[test]
    fn durations() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        for text in ["", "2", "s", "2 s", "2h", "-1s", "1.5s", "99999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
