//! `wharf cp`: files and objects to other places.

use std::ffi::OsString;
use std::sync::Arc;

use crate::context::Context;
use crate::error::{Exit, Failure, RAW};
use crate::filter::Filters;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::transfer::carry::{Given, carry};
use crate::transfer::crew::Crew;
use crate::transfer::mover::Mover;
use crate::transfer::options::TransferArgs;
use crate::transfer::pipe;
use crate::transfer::place::{INPUT, OUTPUT, Place};
use crate::transfer::route::{Source, Target};
use crate::transfer::told::Deed;
use crate::units;
use crate::url;

const EXAMPLE: &str = "\
Example: a folder up, its texts alone; some objects down; one from bucket to bucket

  wharf cp reports s3://my-bucket/reports --recursive --exclude '*' --include '*.txt'
  wharf cp 's3://my-bucket/reports/2026-*.csv' copies/
  wharf cp s3://my-bucket/film.mp4 s3://another-bucket/film.mp4";

/// Copy files and objects
///
/// From or to an S3 URL, or both. - is standard input or output. Of several sources all go into
/// the last place. Interrupted, the same command goes on where it stopped.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// What to copy, and at the end where to
    #[arg(num_args = 1.., value_names = ["SOURCE", "TARGET"])]
    pub(super) paths: Vec<OsString>,
    /// Copy everything under a directory or prefix
    #[arg(long)]
    pub(super) recursive: bool,
    /// How many bytes will come from standard input, so that parts are large enough
    #[arg(long, value_name = "BYTES", value_parser = units::whole::<u64>, allow_hyphen_values = true)]
    expected_size: Option<u64>,
    #[command(flatten)]
    options: TransferArgs,
}

impl Args {
    pub(super) fn filters(&self) -> &Filters {
        &self.options.filters
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let count = args.paths.len();
    let place = |(at, path): (usize, &OsString)| {
        let is_target = at + 1 == count;
        Ok(Place::parse(path)?.or_standard(if is_target { &OUTPUT } else { &INPUT }))
    };
    let places = args.paths.iter().enumerate().map(place).collect::<Result<Vec<_>, Failure>>()?;
    args.options.set(printer);
    if places.contains(&Place::Standard) {
        if args.recursive {
            return Err(Failure::usage("standard input and output work without --recursive"));
        }
        return pipe::run(&places, args.expected_size, args.options, context, printer).await;
    }
    run_places(&places, args.recursive, args.options, Deed::Copy, context, printer).await
}

/// Where neither end is an S3 URL.
pub(super) fn no_url(places: &[Place]) -> Failure {
    Failure::usage("nothing here is an S3 URL: either the source or the target must be one").hint(meant(places))
}

/// What to say then: a place that is no file may be a URL that lacks its scheme.
fn meant(places: &[Place]) -> String {
    let texts = places.iter().rev().filter_map(|place| match place {
        Place::Local(path) if !path.exists() => path.to_str(),
        _ => None,
    });
    let bare = |text: &str| {
        let is_meant = text.contains('/') && url::bucket(text).is_ok();
        is_meant.then(|| format!("say s3://{}", url::without_secrets(text)))
    };
    let meant = texts.filter_map(|text| url::meant(text).or_else(|| bare(text))).next();
    meant.unwrap_or_else(|| "an S3 URL reads like s3://BUCKET/KEY".to_owned())
}

/// Copies or moves: all places but the last into the last.
pub(super) async fn run_places(
    places: &[Place],
    recursive: bool,
    options: TransferArgs,
    deed: Deed,
    context: &Context,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let Some((last, sources)) = places.split_last() else { return Ok(Exit::Done) };
    if context.is_aws() && sources.len() > 1 {
        return Err(
            Failure::usage("`wharf s3` takes one source and one target").hint("`wharf cp` takes several sources")
        );
    }
    let keys = context.keys(options.raw);
    let sources = sources.iter().map(|place| Source::of(place, recursive, keys)).collect::<Result<Vec<_>, _>>()?;
    let many = sources.len() > 1 || sources.iter().any(Source::is_many);
    let target = Target::of(last, many)?;
    if sources.iter().any(Source::is_remote) {
        last.must_be_meant()?;
    }
    if !last.is_remote() && sources.iter().any(|source| !source.is_remote()) {
        return Err(no_url(places));
    }
    context.must_be_literal(last.url(), options.raw, "one target", RAW)?;
    context.tuning().check_parts(last)?;
    // aws-cli puts a file in the link's place.
    let target = if context.is_aws() || options.no_overwrite { target } else { target.behind_link()? };
    let mover = Arc::new(Mover::new(options, deed, context)?);
    if let (Target::Directory(path), true) = (&target, recursive) {
        mover.make_target(path)?;
    }
    for source in &sources {
        mover.refuse_itself(source, &target)?;
    }
    let are_files = !sources.iter().any(Source::is_remote);
    let (again, leaves) = (mover.again(&sources, &target), mover.leaves(are_files, target.is_local()));
    let mut crew = Crew::new(printer, Bar::bytes, &mover, again, leaves);
    let mut given = (sources.len() > 1).then(Given::default);
    for source in &sources {
        if let Err(failure) = carry(source, &sources, &target, &mover, &mut crew, given.as_mut()).await {
            let failure = failure.of_many();
            // What was begun of several is done, whatever ends all of them. Of one it is given up, as with aws-cli.
            return Err(if sources.len() > 1 { crew.fail(failure).await } else { crew.give_up(failure).await });
        }
    }
    crew.finish().await
}
