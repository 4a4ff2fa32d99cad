//! `wharf serve`: the embedded store behind a TCP port.

mod faults;
mod tls;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use wharf::proto::endpoint::check_region;
use wharf_embedded::{Server, Store};

use crate::error::{Exit, Failure};
use crate::globals::Connection;
use crate::printer::Printer;
use crate::signals::Signals;
use crate::units;

const EXAMPLE: &str = "\
Example: a server on a free port; paste what it prints into another terminal, then `wharf ls`

  wharf serve --listen 127.0.0.1:0";

/// Serve an S3 of your own
///
/// Without --data it keeps everything in memory, and all is gone when it stops (Ctrl-C or
/// SIGTERM). What it prints can be pasted into another shell, or sourced.
///
/// Keys are those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; where neither is set it makes
/// a pair and prints it. The region is that of --region, AWS_REGION or AWS_DEFAULT_REGION, else
/// us-east-1.
///
/// GET /_health answers 200 to anybody while it runs. When it is told to stop, requests under way
/// are finished first; a second signal does not wait.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Where to listen; with port 0 the system chooses one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000", value_parser = address)]
    listen: String,
    /// The host name under which buckets are hosts of their own; may be given several times
    #[arg(long = "domain", value_name = "NAME", default_value = "s3.localhost")]
    domains: Vec<String>,
    /// Keep everything in this directory, made where there is none, instead of in memory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How long requests under way may take to end after the signal to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = units::whole::<u64>, allow_hyphen_values = true)]
    grace: u64,
    #[command(flatten)]
    tls: tls::Args,
    #[command(flatten)]
    faults: faults::Args,
}

/// An address or a host name, and a port. Host names are looked up when it listens.
fn address(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("an address reads like 127.0.0.1:9000 or [::1]:9000".to_owned()),
    }
}

pub(crate) async fn run(args: Args, connection: &Connection, printer: &mut Printer) -> Result<Exit, Failure> {
    let faults = args.faults.read()?;
    let mut builder = Store::builder();
    let keys = keys(|name| env::var(name).ok())?;
    let made_keys = keys.is_none();
    if let Some((id, secret)) = keys {
        builder = builder.credentials(id, secret);
    }
    if let Some(region) = region(connection, |name| env::var(name).ok())? {
        builder = builder.region(region);
    }
    if let Some(personality) = args.faults.personality {
        builder = builder.personality(personality);
    }
    let builder = args.domains.iter().fold(builder, |builder, domain| builder.domain(domain));
    let store = match &args.data {
        Some(path) => builder.open(path).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?,
        None => builder.build(),
    };
    let misbehaviour = args.faults.inject(faults, &store)?;
    // Before anybody can know that it runs, so that a signal never finds it unprepared.
    let mut signals = Signals::listen().map_err(|error| Failure::new(Exit::Other, format!("no signals: {error}")))?;
    let tls = tls::Tls::of(&args.tls, &args.listen, &args.domains)?;
    let serving = match &tls {
        Some(tls) => store.serve_tls(&args.listen, &tls.certificate).await,
        None => store.serve(&args.listen).await,
    };
    let server = serving.map_err(|error| {
        Failure::new(Exit::Other, format!("cannot listen on {}: {error}", args.listen))
            .hint("name another address with --listen; with port 0 the system chooses one")
    })?;
    if !server.local_addr().ip().is_loopback() {
        printer.note(format_args!(
            "wharf: warning: {} can be reached from other machines{}",
            server.local_addr(),
            if tls.is_none() { ", over plain HTTP" } else { "" }
        ));
    }
    announce(&args, &store, &server, tls.as_ref(), made_keys, printer)?;
    for line in misbehaviour {
        printer.line(line)?;
    }
    printer.flush()?;
    signals.next().await;
    let all_ended = tokio::select! {
        ended = tokio::time::timeout(Duration::from_secs(args.grace), server.stop()) => ended.is_ok(),
        _ = signals.next() => false,
    };
    if !all_ended {
        printer.note("wharf: warning: requests under way were cut off");
    }
    Ok(Exit::Done)
}

/// Prints what another shell needs. All of it can be pasted: what is not a command is a comment.
fn announce(
    args: &Args,
    store: &Store,
    server: &Server,
    tls: Option<&tls::Tls>,
    made_keys: bool,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let port = server.local_addr().port();
    let kept = args.data.as_ref().map_or("in memory".to_owned(), |path| format!("from {}", path.display()));
    printer.line(format_args!("# wharf serves S3 at {}, {kept}; Ctrl-C stops it", server.endpoint()))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    for domain in &args.domains {
        printer.line(format_args!("# buckets are also at {scheme}://BUCKET.{domain}:{port}"))?;
    }
    printer.line(format_args!("# {} answers 200 while it runs", server.health_url()))?;
    printer.line(format_args!("export AWS_ENDPOINT_URL={}", server.endpoint()))?;
    // Older tools read only the second name.
    printer.line(format_args!("export AWS_REGION={0} AWS_DEFAULT_REGION={0}", store.region()))?;
    if made_keys {
        // One that is left over from other keys would be refused.
        printer.line("unset AWS_SESSION_TOKEN")?;
        printer.line(format_args!("export AWS_ACCESS_KEY_ID={}", store.access_key_id()))?;
        printer.line(format_args!("export AWS_SECRET_ACCESS_KEY={}", store.secret_access_key()))?;
        if args.data.is_some() {
            printer.line("# the keys are new at each start; set both variables before it to keep the same ones")?;
        }
    } else {
        printer.line("# keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as they are set here")?;
    }
    if let Some(tls) = tls {
        printer.line(tls.told())?;
    }
    printer.flush()
}

/// The keys of the environment. One without the other is a mistake: neither is made up.
fn keys(environment: impl Fn(&str) -> Option<String>) -> Result<Option<(String, String)>, Failure> {
    let get = |name| environment(name).filter(|value| !value.is_empty());
    let missing = |set: &str, unset: &str| {
        Err(Failure::new(Exit::Configuration, format!("{set} is set and {unset} is not"))
            .hint("set both, or neither: then a pair is made and printed"))
    };
    match (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => missing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        (None, Some(_)) => missing("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    }
}

fn region(connection: &Connection, environment: impl Fn(&str) -> Option<String>) -> Result<Option<String>, Failure> {
    let get = |name| environment(name).filter(|value| !value.is_empty());
    let region = connection.region.clone().or_else(|| get("AWS_REGION")).or_else(|| get("AWS_DEFAULT_REGION"));
    if let Some(region) = &region {
        check_region(region).map_err(|error| Failure::from(error).exits(Exit::Configuration))?;
    }
    Ok(region)
}
