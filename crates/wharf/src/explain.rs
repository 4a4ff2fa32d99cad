//! What a client's settings are, and where each came from.

use std::fmt;

use wharf_proto::endpoint::Plane;
use wharf_proto::{AddressingStyle, Endpoint};

use crate::profiles::Files;
use crate::settings::{Found, Origin, Resolved, When};

/// The settings of a [`Client`](crate::Client) and where each came from: see [`Client::explain`](crate::Client::explain).
///
/// `Display` is a table. No secret is in it.
#[derive(Debug, Clone)]
pub struct Explanation {
    settings: Vec<Setting>,
    notes: Vec<String>,
}

/// One setting of an [`Explanation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    name: &'static str,
    value: String,
    origin: Origin,
}

impl Explanation {
    pub(crate) fn new(told: &Told, more: Vec<Setting>, hint: Option<String>) -> Self {
        let mut settings = told.settings.clone();
        settings.extend(more);
        Self { settings, notes: told.notes.iter().cloned().chain(hint).collect() }
    }

    /// All settings.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting of that name, such as `region`.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// What was skipped in the AWS files, each with file and line, or why they could not be read; and where the server calls itself by the name of a
    /// provider that the client does not take it for, what to say.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Setting {
    pub(crate) fn new(name: &'static str, value: String, origin: Origin) -> Self {
        Self { name, value, origin }
    }

    /// Its name, such as `region`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its value, or `(hidden)`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Setting) -> &str| self.settings.iter().map(|row| text(row).chars().count()).max();
        let name = width(|row| row.name).unwrap_or_default();
        // One long value does not push all others apart.
        let value = width(|row| &row.value).unwrap_or_default().min(48);
        let rows = self.settings.iter().map(|row| format!("{:name$}  {:value$}  {}", row.name, row.value, row.origin));
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        let lines: Vec<_> = rows.chain(notes).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// What is known when a client is built, all but its credentials.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    settings: Vec<Setting>,
    notes: Vec<String>,
}

impl Told {
    /// `more` are settings that most often only the program has.
    pub(crate) fn new(
        settings: &Resolved,
        region: &Found<String>,
        endpoint: &Endpoint,
        files: Option<&Files>,
        more: impl IntoIterator<Item = Setting>,
    ) -> Self {
        let mut rows = Vec::new();
        let mut row = |name, value: String, origin: &Origin| rows.push(Setting::new(name, value, origin.clone()));
        if let Some(files) = files {
            row("profile", files.name().to_owned(), files.named_by());
            for (name, path, origin) in files.tell() {
                row(name, path.display().to_string(), &origin);
            }
        }
        row("region", region.value.clone(), &region.origin);
        let url = match &settings.endpoint {
            Some(named) => (named.value.clone(), &named.origin),
            None => (
                endpoint
                    .target(None, Plane::Data)
                    .map_or_else(|_| endpoint.host().to_owned(), |target| target.base().to_owned()),
                &Origin::Default,
            ),
        };
        row("endpoint", url.0, url.1);
        let ignored = &settings.ignores_endpoints;
        row("configured endpoints", if ignored.value { "ignored" } else { "used" }.to_owned(), &ignored.origin);
        let style = match settings.addressing.value {
            AddressingStyle::Path => "path",
            AddressingStyle::VirtualHost => "virtual",
            _ => "auto",
        };
        row("addressing style", style.to_owned(), &settings.addressing.origin);
        for (name, flag) in [
            ("FIPS endpoints", &settings.use_fips),
            ("dualstack endpoints", &settings.use_dualstack),
            ("accelerate", &settings.accelerate),
            ("us-east-1 is regional", &settings.us_east_1_regional),
            ("region of ARNs", &settings.use_arn_region),
            ("no S3 Express sessions", &settings.disable_express_session_auth),
            ("payload signing over https", &settings.sign_payload),
        ] {
            row(name, if flag.value { "on" } else { "off" }.to_owned(), &flag.origin);
        }
        for (name, found) in
            [("request checksums", &settings.request_checksum), ("response checksums", &settings.response_checksum)]
        {
            let when = match found.value {
                When::Supported => "when supported",
                When::Required => "when required",
            };
            row(name, when.to_owned(), &found.origin);
        }
        row("attempts", settings.max_attempts.value.to_string(), &settings.max_attempts.origin);
        let mode = match &*settings.retry_mode.value {
            "standard" => "standard".to_owned(),
            other => format!("{other}, done as standard"),
        };
        row("retry mode", mode, &settings.retry_mode.origin);
        rows.extend(more);
        Self { settings: rows, notes: files.map(Files::warnings).unwrap_or_default() }
    }

    /// The same with another note.
    pub(crate) fn and(mut self, note: Option<String>) -> Self {
        self.notes.extend(note);
        self
    }
}
