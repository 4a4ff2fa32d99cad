//! Standard input into an object, and an object to standard output.

use std::sync::Arc;

use futures_util::TryStreamExt;

use super::crew::Crew;
use super::mover::Mover;
use super::options::TransferArgs;
use super::place::Place;
use super::route::{Source, Target};
use super::told::{Action, Deed, Done};
use crate::context::Context;
use crate::error::{BEGINS_ANEW, Exit, Failure, LEFT_UPLOADS, RAW};
use crate::printer::Printer;
use crate::progress::Bar;
use crate::url::{Keys, Shown};

/// `cp - URL` and `cp URL -`.
pub(crate) async fn run(
    places: &[Place],
    expected_size: Option<u64>,
    options: TransferArgs,
    context: &Context,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    match places {
        [Place::Standard, target @ Place::Remote(_)] => up(target, expected_size, options, context, printer).await,
        [source @ Place::Remote(_), Place::Standard] => down(source, &options, context, printer).await,
        _ => Err(Failure::usage("the other end of - must be an S3 URL")),
    }
}

/// Uploads standard input.
pub(crate) async fn up(
    target: &Place,
    expected_size: Option<u64>,
    options: TransferArgs,
    context: &Context,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    context.must_be_literal(target.url(), options.raw, "one target", RAW)?;
    refuse_filters(&options, context)?;
    context.tuning().check_parts(target)?;
    let Target::Key { bucket, key } = Target::of(target, false)? else {
        return Err(Failure::usage(format!("{target} names no object")).hint("say its whole key"));
    };
    if options.dryrun {
        let action =
            Action { deed: Deed::Upload, source: "-".to_owned(), target: Some(Shown(&bucket, &key).to_string()) };
        printer.say(&Done::dryrun(action, None))?;
        return Ok(Exit::Done);
    }
    let mover = Arc::new(Mover::new(options, Deed::Upload, context)?);
    let mut crew = Crew::new(printer, Bar::stream, &mover, BEGINS_ANEW, Some(LEFT_UPLOADS));
    // Nobody waits for a line of it, as with aws-cli.
    if !crew.printer().is_json() {
        crew.printer().without_results();
    }
    let follower = crew.follower();
    crew.begin(0, mover.upload_stdin(bucket, key, expected_size, follower)).await?;
    crew.finish().await
}

/// A stream has no name that could fit. After `s3` filters mean nothing here, as with aws-cli.
fn refuse_filters(options: &TransferArgs, context: &Context) -> Result<(), Failure> {
    if context.is_aws() || options.filters.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(
        "--exclude and --include choose files and objects, and standard input and output are one stream",
    ))
}

async fn down(
    source: &Place,
    options: &TransferArgs,
    context: &Context,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    context.must_be_literal(source.url(), options.raw, "one object", RAW)?;
    refuse_filters(options, context)?;
    let Source::Object { bucket, key } = Source::of(source, false, Keys::Literal)? else {
        return Err(Failure::usage(format!("{source} names no object")));
    };
    let s3 = options.ends(context)?.source;
    let shown = Shown(&bucket, &key);
    let action = Action { deed: Deed::Download, source: shown.to_string(), target: Some("-".to_owned()) };
    let failed = |error| match context.is_aws() {
        true => Failure::from(error).of(format_args!("download failed: {} to -", shown.in_error())).exits(Exit::Failed),
        false => Failure::of_object(error, &bucket, &key).exits(Exit::Failed),
    };
    // Nobody is asked, as with aws-cli.
    if options.dryrun {
        printer.say(&Done::dryrun(action, None))?;
        return Ok(Exit::Done);
    }
    let mut call = s3.get_object(&bucket, &key).checksum_mode(true);
    if let Some(key) = options.attributes.source_key(false) {
        call = call.customer_key(key);
    }
    if options.requester_pays() {
        call = call.request_payer();
    }
    let mut body = call.stream().await.map_err(failed)?;
    while let Some(bytes) = body.try_next().await.map_err(failed)? {
        printer.data(&bytes)?;
    }
    printer.flush()?;
    Ok(Exit::Done)
}
