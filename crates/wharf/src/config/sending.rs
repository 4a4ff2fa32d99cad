//! How requests are put together: the provider's habits, less what was said otherwise.

use wharf_proto::Provider;
use wharf_proto::provider::{Conditions, Habits};

use super::ClientBuilder;
use crate::explain::Setting;
use crate::settings::{Origin, Resolved, When};

impl ClientBuilder {
    /// The habits that requests are sent by.
    pub(super) fn sent_habits(&self, provider: Provider, settings: &Resolved, is_https: bool) -> Habits {
        let mut habits = self.habits.unwrap_or_else(|| provider.habits());
        habits.checksum = match settings.request_checksum.value {
            _ if self.checksum.is_some() => self.checksum.flatten(),
            _ if self.habits.is_some() => habits.checksum,
            When::Supported => habits.checksum,
            When::Required => None,
        };
        habits.trailers = self.trailers.unwrap_or(habits.trailers && is_https);
        habits.chunks |= habits.trailers;
        if self.assume_conditions {
            habits.ignores = Conditions::NONE;
        }
        habits.etag_is_md5 = self.trust_etags.unwrap_or(habits.etag_is_md5);
        habits.multipart_etag = self.trust_etags.unwrap_or(habits.multipart_etag);
        habits
    }

    /// What they are, for people.
    pub(super) fn tell_sending(&self, provider: Provider, habits: &Habits, settings: &Resolved) -> Vec<Setting> {
        let has_habits = self.habits.is_some();
        let said = |is_said: bool| if is_said { Origin::Code } else { Origin::Default };
        let on = |is_on: bool| if is_on { "on" } else { "off" }.to_owned();
        let checksum = habits.checksum.map_or("none".to_owned(), |algorithm| algorithm.to_string());
        let checksum_is_from = match &settings.request_checksum.value {
            _ if self.checksum.is_some() || has_habits => Origin::Code,
            When::Required => settings.request_checksum.origin.clone(),
            When::Supported => Origin::Default,
        };
        let conditions = match (habits.ignores.is_empty(), self.assume_conditions) {
            (_, true) => "sent",
            (true, false) => "none",
            (false, false) => "refused",
        };
        let etags = match (habits.etag_is_md5, habits.multipart_etag) {
            (true, true) => "MD5, of parts too",
            (true, false) => "MD5, not of parts",
            (false, true) => "MD5 of parts",
            (false, false) => "not trusted",
        };
        let refused_by = said(self.assume_conditions || has_habits);
        vec![
            Setting::new("provider", format!("{provider:?}"), said(self.provider.is_some())),
            Setting::new("habits", if has_habits { "own" } else { "the provider's" }.to_owned(), said(has_habits)),
            Setting::new("checksum", checksum, checksum_is_from),
            Setting::new("checksum trailers", on(habits.trailers), said(self.trailers.is_some() || has_habits)),
            Setting::new("payload signing over http", on(!self.unsigned_payload), said(self.unsigned_payload)),
            Setting::new("conditions known to be ignored", conditions.to_owned(), refused_by),
            Setting::new("ETags", etags.to_owned(), said(self.trust_etags.is_some() || has_habits)),
        ]
    }
}
