//! The tables of what wharf takes each provider for.

use wharf::AddressingStyle;
use wharf::provider::{Condition, ContentMd5, Habits, Provider, Source};

use super::line;

const HEAD: &str = "\
## What wharf takes a provider for

The host name of the endpoint chooses the provider, or `.provider(...)`; neither makes it `any other`. A row in bold was
verified by running that server: its checks are below. The rest is unverified, from the documentation that is named.
The store in this process takes after Ceph, Garage and rclone on request; `cargo test -p wharf --test probe` holds it to
their rows. `client.probe(bucket)` finds out what a server really does, and `.habits(report.habits())` goes by it.

";

const CONDITIONS: &str = "\
**Conditions.** \u{2713}: it is kept. **ignored**: the request would be carried out as if the condition were not there, so
it fails with `Unsupported` before it is sent, unless the client was built with `.assume_conditions()`. Empty: not known, or
refused by the server; it is sent. `DeleteObject if size or date` and `PutObject at an offset` are of S3's directory buckets;
no other server was found to keep them, so they count as ignored, which was not measured.

";

/// All providers with their habits.
pub(super) fn tables(page: &mut String) {
    line(page, HEAD.trim_end());
    line(page, "");
    line(page, "| provider | known by | how that is known |\n|---|---|---|");
    for provider in Provider::all() {
        let hosts: Vec<_> = provider.hosts().map(|host| format!("`{host}`")).collect();
        let source = match provider.habits().source {
            Source::Verified(version) => format!("verified: {version}"),
            Source::Documentation(documents) => format!("unverified, from documentation: {documents}"),
            other => format!("{other:?}"),
        };
        line(page, &format!("| {} | {} | {source} |", name(provider), hosts.join(", ")));
    }
    line(page, "");
    line(
        page,
        "| | bucket in | listings | order | checksum | framing | delete digest | parts | ETag is MD5 | of parts |\n\
         |---|---|---|---|---|---|---|---|---|---|",
    );
    for provider in Provider::all() {
        let habits = provider.habits();
        let cells = [
            addressing(&habits),
            listings(&habits),
            if habits.sorted { "bytes" } else { "not known" }.to_owned(),
            habits.checksum.map_or_else(|| "none".to_owned(), |algorithm| algorithm.to_string()),
            framing(&habits).to_owned(),
            delete_digest(&habits).to_owned(),
            parts(&habits),
            tick(habits.etag_is_md5).to_owned(),
            tick(habits.multipart_etag).to_owned(),
        ];
        line(page, &format!("| {} | {} |", name(provider), cells.join(" | ")));
    }
    line(page, "");
    line(page, CONDITIONS.trim_end());
    line(page, "");
    let names: Vec<_> = Condition::ALL.iter().map(ToString::to_string).collect();
    line(page, &format!("| | {} |\n|---|{}", names.join(" | "), ":---:|".repeat(names.len())));
    for provider in Provider::all() {
        let habits = provider.habits();
        let cells: Vec<_> = Condition::ALL.into_iter().map(|condition| kept(&habits, condition)).collect();
        line(page, &format!("| {} | {} |", name(provider), cells.join(" | ")));
    }
    line(page, "");
}

fn name(provider: Provider) -> String {
    match provider.habits().source {
        Source::Verified(_) => format!("**{provider}**"),
        _ => provider.to_string(),
    }
}

fn addressing(habits: &Habits) -> String {
    match habits.addressing {
        AddressingStyle::Path => "path",
        _ => "host name",
    }
    .to_owned()
}

fn listings(habits: &Habits) -> String {
    let version = if habits.list_v2 { "version 2" } else { "version 1" };
    let encoding = if habits.list_encoding { "url-encoded" } else { "not encoded" };
    format!("{version}, {encoding}")
}

fn delete_digest(habits: &Habits) -> &'static str {
    match habits.content_md5 {
        ContentMd5::Always => "Content-MD5",
        ContentMd5::Never => "checksum",
        _ => "checksum; Content-MD5 when asked",
    }
}

fn framing(habits: &Habits) -> &'static str {
    match (habits.chunks, habits.trailers) {
        (false, _) => "none",
        (true, false) => "chunks",
        (true, true) => "chunks, trailers",
    }
}

fn parts(habits: &Habits) -> String {
    let parts = habits.parts;
    let mut text = format!("{} of {} MiB to {} GiB", parts.max_count, parts.min_size >> 20, parts.max_size >> 30);
    if parts.equal {
        text.push_str(", all equal");
    }
    if !parts.copies {
        text.push_str(", no copies");
    }
    text
}

fn tick(yes: bool) -> &'static str {
    if yes { "\u{2713}" } else { "" }
}

fn kept(habits: &Habits, condition: Condition) -> &'static str {
    match (habits.keeps.contains(condition), habits.ignores.contains(condition)) {
        (_, true) => "**ignored**",
        (kept, false) => tick(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::AREAS;
    use crate::servers::{SERVERS, Server};

    /// The provider that a server which was run is known as.
    fn provider_of(server: &Server) -> Provider {
        match server.provider {
            "embedded" => Provider::Embedded,
            "seaweedfs" => Provider::SeaweedFs,
            "garage" => Provider::Garage,
            "ceph" => Provider::Ceph,
            "moto" => Provider::Moto,
            "rclone" => Provider::Rclone,
            other => panic!("{other} has no row"),
        }
    }

    /// The checks that show whether a condition is kept.
    fn checks_of(condition: Condition) -> &'static [&'static str] {
        match condition {
            Condition::PutIfAbsent => &["put-if-absent", "put-if-absent-race"],
            Condition::PutIfMatch => &["put-if-match"],
            Condition::CompleteIfAbsent => &["complete-if-absent"],
            Condition::CompleteIfMatch => &["complete-if-match"],
            Condition::CopyIfAbsent => &["copy-if-absent"],
            Condition::CopyIfMatch => &["copy-if-match"],
            Condition::CopySource => &["copy-source-if-match", "copy-source-if-none-match", "copy-source-dates"],
            Condition::DeleteIfMatch => &["delete-if-match"],
            Condition::DeleteObjectsIfMatch => &["delete-many-if-match"],
            // Only directory buckets have these.
            Condition::DeleteIfSizeOrDate | Condition::Append => &[],
            Condition::ReadIfMatch => &["get-if-match", "head-if-match"],
            Condition::ReadIfNoneMatch => &["get-if-none-match", "head-if-none-match"],
            Condition::ReadDates => &["get-if-modified-since", "get-if-unmodified-since"],
            other => panic!("{other} has no check"),
        }
    }

    /// What the checks found on a server is what its row says.
    #[test]
    fn verified_rows_are_what_was_found() {
        for server in SERVERS {
            let provider = provider_of(server);
            let habits = provider.habits();
            assert_eq!(habits.source, Source::Verified(server.version), "{provider}");
            for condition in Condition::ALL {
                let checks = checks_of(condition);
                if checks.is_empty() {
                    assert!(!habits.keeps.contains(condition), "{provider}: {condition} was not verified");
                    continue;
                }
                for check in checks {
                    assert!(AREAS.iter().flat_map(|area| area.checks).any(|known| known.name == *check), "{check}");
                }
                let ignored = checks.iter().any(|check| {
                    server.difference(check).is_some_and(|difference| difference.instead.contains("ignored"))
                });
                assert_eq!(habits.ignores.contains(condition), ignored, "{provider}: {condition}");
                let passes = checks.iter().all(|check| server.difference(check).is_none());
                assert_eq!(habits.keeps.contains(condition), passes, "{provider}: {condition}");
            }
            let passes = |check: &str| server.difference(check).is_none();
            assert!(!habits.trailers || passes("body-trailer-unsigned"), "{provider}: trailers");
            assert!(!habits.chunks || passes("body-sized-stream"), "{provider}: chunks");
            // A part that comes without the announced checksum, as by a presigned URL, is another matter.
            assert!(!habits.announces_checksum || passes("multipart"), "{provider}: announced checksums");
            assert!(!habits.list_encoding || passes("list-url-encoding"), "{provider}: encoding");
            assert_eq!(habits.sorted, passes("list-order"), "{provider}: order");
            assert_eq!(habits.etag_is_md5, passes("etag-md5"), "{provider}: ETags");
            assert_eq!(habits.multipart_etag, passes("etag-parts"), "{provider}: ETags of parts");
            assert_eq!(habits.parts.copies, passes("multipart-copy-range"), "{provider}: copies of parts");
        }
        let verified = Provider::all().filter(|provider| matches!(provider.habits().source, Source::Verified(_)));
        assert_eq!(verified.count(), SERVERS.len());
    }
}
