//! The options that every verb takes.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use wharf::transfer::List;
use wharf::{Client, Provider};
use wharf_embedded::Store;

use crate::error::{Exit, Failure};
use crate::transfer::place::Place;
use crate::units;

/// All of them.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Globals {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) tuning: Tuning,
    #[command(flatten)]
    _without_effect: WithoutEffect,
}

/// How long a server may be silent where nobody says otherwise, amid what it does and with what takes it long: the library's.
const PROGRESS: Duration = Duration::from_secs(30);
const LONG_OPERATION: Duration = Duration::from_secs(600);

/// Which server to talk to, and as whom. What is not said here comes from the environment and the AWS files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Which server, and as whom")]
pub(crate) struct Connection {
    /// A server other than AWS, such as http://127.0.0.1:9000
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// The region, such as eu-west-1
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// The profile of the AWS files to take keys, region and endpoint from
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Sign nothing, for what everybody may read
    #[arg(long, global = true)]
    pub(crate) no_sign_request: bool,
    /// Believe any certificate: whoever is in between can read and change everything
    #[arg(long, global = true)]
    pub(crate) no_verify_ssl: bool,
    /// A file of certificates (PEM) to trust beside the system's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// For how long a connection may take to be made; 0 for as long as the system allows
    #[arg(long, global = true, value_name = "SECONDS", value_parser = units::whole::<u64>, allow_hyphen_values = true)]
    pub(crate) cli_connect_timeout: Option<u64>,
    /// For how long a server may be silent; 0 for ever
    #[arg(long, global = true, value_name = "SECONDS", value_parser = units::whole::<u64>, allow_hyphen_values = true)]
    pub(crate) cli_read_timeout: Option<u64>,
    /// Whose S3 it is, where the host name does not tell, such as ceph or garage
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) provider: Option<Provider>,
    /// Over plain http, sign requests without what they send (UNSIGNED-PAYLOAD): whoever is in between
    /// can change it
    ///
    /// It saves a SHA-256 of every byte. The CRC that goes with them guards against accidents alone. Over https TLS protects
    /// them, and they are never signed.
    #[arg(long, global = true)]
    pub(crate) unsigned_payload: bool,
    /// Whether ETags are the MD5s they look like, also on a server that is not known for it; false
    /// never believes them
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) trust_etags: Option<bool>,
    /// Use no server at all but the store that is kept in this directory
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["endpoint_url", "profile", "no_sign_request", "no_verify_ssl", "ca_bundle", "provider", "unsigned_payload", "trust_etags"])]
    pub(crate) embedded: Option<PathBuf>,
    /// Whether that directory is made where there is none.
    #[arg(skip)]
    pub(crate) makes_store: bool,
    /// How long transfers go on trying.
    #[arg(skip)]
    pub(crate) patience: Option<Duration>,
}

/// What is printed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What is printed")]
pub(crate) struct Output {
    /// One JSON object a line, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print nothing: the exit code tells
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// How transfers use the machine and the network. All of it is chosen where it is not said.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How transfers are made")]
pub(crate) struct Tuning {
    /// How many requests are under way at a time
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), allow_negative_numbers = true)]
    pub(crate) concurrency: Option<u32>,
    /// The size of the parts of a large object, such as 16MiB; of one that is written 5MiB at least
    #[arg(long, global = true, value_name = "SIZE", value_parser = units::size, allow_hyphen_values = true)]
    pub(crate) part_size: Option<u64>,
    /// At most so many bytes a second, both ways together, such as 10MiB
    #[arg(long, global = true, value_name = "SIZE", value_parser = units::rate, allow_hyphen_values = true)]
    pub(crate) bandwidth: Option<u64>,
    /// How long transfers and listings go on trying while nothing moves, such as 30s or 1h; 5m unless it
    /// is said. No request waits longer for a silent server. One that was never reached is given up after
    /// 6 attempts
    #[arg(long, global = true, value_name = "TIME", value_parser = units::duration, allow_hyphen_values = true)]
    pub(crate) patience: Option<Duration>,
    /// Wait until what was downloaded is on the disk
    #[arg(long, global = true)]
    pub(crate) fsync: bool,
    /// Keep nothing of what is interrupted: the next run begins anew
    #[arg(long, global = true)]
    pub(crate) no_resume: bool,
}

/// What `aws s3` takes for other commands' sake, and ignores as well.
#[derive(Debug, Clone, Default, Args)]
struct WithoutEffect {
    #[arg(long, global = true, hide = true)]
    debug: bool,
    #[arg(long, global = true, hide = true)]
    no_paginate: bool,
    #[arg(long, global = true, hide = true)]
    output: Option<String>,
    #[arg(long, global = true, hide = true)]
    query: Option<String>,
    #[arg(long, global = true, hide = true)]
    color: Option<String>,
    #[arg(long, global = true, hide = true)]
    cli_binary_format: Option<String>,
    #[arg(long, global = true, hide = true)]
    cli_error_format: Option<String>,
    #[arg(long, global = true, hide = true)]
    no_cli_pager: bool,
    #[arg(long, global = true, hide = true)]
    cli_auto_prompt: bool,
    #[arg(long, global = true, hide = true)]
    no_cli_auto_prompt: bool,
}

impl Tuning {
    /// A listing that tries for as long as the options say.
    pub(crate) fn list(&self, s3: &Client, bucket: &str) -> List {
        let list = s3.list(bucket);
        if let Some(patience) = self.patience { list.patience(patience) } else { list }
    }

    /// Refuses parts for `target` that S3 takes none of.
    pub(crate) fn check_parts(&self, target: &Place) -> Result<(), Failure> {
        match self.part_size {
            Some(bytes) if target.is_remote() && bytes < 5 << 20 => {
                Err(Failure::usage("S3 takes no smaller parts than 5MiB").hint("leave --part-size out, or say more"))
            }
            Some(bytes) if target.is_remote() && bytes > 5 << 30 => {
                Err(Failure::usage("S3 takes no larger parts than 5GiB").hint("leave --part-size out, or say less"))
            }
            _ => Ok(()),
        }
    }
}

impl Globals {
    /// Takes over what was said for all commands, where this one says nothing else.
    ///
    /// # Errors
    /// This says of a server what goes with none: all use a store.
    pub(crate) fn inherit(&mut self, all: &Self) -> Result<(), Failure> {
        self.connection.inherit(&all.connection)?;
        self.output.json |= all.output.json;
        self.output.quiet |= all.output.quiet;
        let (tuning, of_all) = (&mut self.tuning, &all.tuning);
        tuning.concurrency = tuning.concurrency.or(of_all.concurrency);
        tuning.part_size = tuning.part_size.or(of_all.part_size);
        tuning.bandwidth = tuning.bandwidth.or(of_all.bandwidth);
        tuning.patience = tuning.patience.or(of_all.patience);
        tuning.fsync |= of_all.fsync;
        tuning.no_resume |= of_all.no_resume;
        Ok(())
    }
}

/// For ever, as far as timeouts go.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where the user's state is kept. Of the environment a store has nothing else: the rest is meant for another server.
const STATE_FOLDERS: [&str; 3] = ["XDG_STATE_HOME", "HOME", "LOCALAPPDATA"];

impl Connection {
    fn inherit(&mut self, all: &Self) -> Result<(), Failure> {
        self.region = self.region.take().or_else(|| all.region.clone());
        let names_server = self.endpoint_url.is_some() || self.profile.is_some();
        if self.embedded.is_none() && !names_server {
            if let (Some(_), Some(option)) = (&all.embedded, self.of_server()) {
                return Err(beside_store(option));
            }
            self.embedded.clone_from(&all.embedded);
        }
        if self.embedded.is_some() {
            // A store knows none: with them, two lines would open it twice, and it is one client's alone.
            (self.cli_connect_timeout, self.cli_read_timeout) = (None, None);
            return Ok(());
        }
        self.cli_connect_timeout = self.cli_connect_timeout.or(all.cli_connect_timeout);
        self.cli_read_timeout = self.cli_read_timeout.or(all.cli_read_timeout);
        if self.endpoint_url.is_none() {
            // These are said of that server.
            self.provider = self.provider.or(all.provider);
            self.trust_etags = self.trust_etags.or(all.trust_etags);
            self.no_verify_ssl |= all.no_verify_ssl;
            self.endpoint_url.clone_from(&all.endpoint_url);
        }
        self.profile = self.profile.take().or_else(|| all.profile.clone());
        self.ca_bundle = self.ca_bundle.take().or_else(|| all.ca_bundle.clone());
        self.no_sign_request |= all.no_sign_request;
        self.unsigned_payload |= all.unsigned_payload;
        Ok(())
    }

    /// An option that says something of a server, if one was typed.
    pub(crate) fn of_server(&self) -> Option<&'static str> {
        let given = [
            ("--endpoint-url", self.endpoint_url.is_some()),
            ("--profile", self.profile.is_some()),
            ("--no-sign-request", self.no_sign_request),
            ("--no-verify-ssl", self.no_verify_ssl),
            ("--ca-bundle", self.ca_bundle.is_some()),
            ("--provider", self.provider.is_some()),
            ("--unsigned-payload", self.unsigned_payload),
            ("--trust-etags", self.trust_etags.is_some()),
        ];
        given.iter().find(|(_, given)| *given).map(|(option, _)| *option)
    }

    /// The client that these options ask for.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder();
        if let Some(directory) = &self.embedded {
            if let Some(option) = self.of_server() {
                return Err(beside_store(option));
            }
            if !self.makes_store && !directory.exists() {
                let failure = Failure::new(Exit::Configuration, format!("no store is in {}", directory.display()));
                return Err(failure.hint("`wharf mb s3://BUCKET --embedded DIR` makes one, with a bucket"));
            }
            let mut store = Store::builder();
            if let Some(region) = &self.region {
                store = store.region(region);
            }
            let store = store.open(directory).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
            let state = |name: &str| STATE_FOLDERS.contains(&name).then(|| env::var(name).ok()).flatten();
            let builder = builder.environment(state).provider(Provider::Embedded).transport(store);
            return builder.build().map_err(configuration);
        }
        if let Some(url) = &self.endpoint_url {
            builder = builder.endpoint(url);
        }
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        if self.no_sign_request {
            builder = builder.anonymous();
        }
        if self.no_verify_ssl {
            builder = builder.danger_accept_invalid_certificates();
        }
        if let Some(path) = &self.ca_bundle {
            let pem = fs::read(path).map_err(|error| {
                Failure::new(Exit::Configuration, format!("cannot read the CA bundle {}: {error}", path.display()))
            })?;
            builder = builder.root_certificates_pem(pem);
        }
        if let Some(provider) = self.provider {
            builder = builder.provider(provider);
        }
        if self.unsigned_payload {
            builder = builder.unsigned_payload();
        }
        if let Some(trust) = self.trust_etags {
            builder = builder.trust_etags(trust);
        }
        if let Some(limit) = self.cli_connect_timeout {
            builder = builder.connect_timeout(timeout(limit));
        }
        match (self.cli_read_timeout, self.patience) {
            (Some(limit), _) => {
                builder = builder.progress_timeout(timeout(limit)).long_operation_timeout(timeout(limit));
            }
            // One that is silent for as long as nothing may move is not waited for any longer.
            (None, Some(patience)) if patience < LONG_OPERATION => {
                let patience = patience.max(Duration::from_secs(1));
                builder = builder.progress_timeout(patience.min(PROGRESS)).long_operation_timeout(patience);
            }
            (None, _) => {}
        }
        builder.build().map_err(configuration)
    }
}

/// Also where one of the two stands before the verb and the other behind it.
fn beside_store(option: &str) -> Failure {
    Failure::usage(format!("{option} does not go with --embedded, which uses no server"))
}

fn timeout(seconds: u64) -> Duration {
    if seconds == 0 { NO_LIMIT } else { Duration::from_secs(seconds).min(NO_LIMIT) }
}

fn configuration(error: wharf::Error) -> Failure {
    Failure::from(error).exits(Exit::Configuration)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        connection: Connection,
    }

    fn said(words: &str) -> Connection {
        Words::parse_from(["wharf"].into_iter().chain(words.split_whitespace())).connection
    }

    #[test]
    fn of_a_connection_each_part_is_inherited_by_itself() {
        for (all, line, both) in [
            ("", "", ""),
            ("--endpoint-url u --provider ceph", "--region r", "--endpoint-url u --provider ceph --region r"),
            ("--region r --profile p", "--region s --no-verify-ssl", "--region s --profile p --no-verify-ssl"),
            ("--endpoint-url u --provider ceph --profile p", "--endpoint-url v", "--endpoint-url v --profile p"),
            ("--endpoint-url u --trust-etags --no-verify-ssl", "--endpoint-url v", "--endpoint-url v"),
            (
                "--endpoint-url u --no-sign-request",
                "--cli-read-timeout 1",
                "--endpoint-url u --no-sign-request --cli-read-timeout 1",
            ),
            ("--ca-bundle c --cli-connect-timeout 2", "--ca-bundle d", "--ca-bundle d --cli-connect-timeout 2"),
            (
                "--trust-etags --unsigned-payload --cli-read-timeout 3",
                "--trust-etags=false",
                "--trust-etags=false --unsigned-payload --cli-read-timeout 3",
            ),
            ("--no-verify-ssl", "--profile p", "--no-verify-ssl --profile p"),
            ("--embedded d --region r", "", "--embedded d --region r"),
            ("--embedded d --region r", "--embedded e", "--embedded e --region r"),
            ("--embedded d", "--region r --cli-read-timeout 1", "--embedded d --region r"),
            ("--embedded d", "--endpoint-url u --provider ceph", "--endpoint-url u --provider ceph"),
            ("--embedded d", "--profile p", "--profile p"),
            ("--endpoint-url u --profile p --region r --no-sign-request", "--embedded d", "--embedded d --region r"),
        ] {
            let mut connection = said(line);
            connection.inherit(&said(all)).unwrap();
            assert_eq!(connection, said(both), "{all} / {line}");
        }
        assert!(said("--no-sign-request").inherit(&said("--embedded d")).is_err());
    }
}
