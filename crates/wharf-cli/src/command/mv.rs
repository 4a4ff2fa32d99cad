//! `wharf mv`: files and objects that go elsewhere.

use std::env;
use std::ffi::OsString;

use super::cp::run_places;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::filter::Filters;
use crate::printer::Printer;
use crate::transfer::options::TransferArgs;
use crate::transfer::place::Place;
use crate::transfer::told::Deed;

/// Where aws-cli looks for it as well.
const VALIDATE: &str = "AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS";

const EXAMPLE: &str = "\
Example: a folder goes up, and what has arrived goes from here

  wharf mv logs s3://my-bucket/logs --recursive";

/// Move files and objects
///
/// A source is removed when its copy is known to have the same bytes, and only if it has not
/// changed meanwhile.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// What to move, and at the end where to
    #[arg(num_args = 1.., value_names = ["SOURCE", "TARGET"])]
    pub(super) paths: Vec<OsString>,
    /// Move everything under a directory or prefix
    #[arg(long)]
    pub(super) recursive: bool,
    /// Find out first whether another name of a bucket, such as an access point, is the same bucket
    #[arg(long)]
    validate_same_s3_paths: bool,
    #[command(flatten)]
    options: TransferArgs,
}

impl Args {
    pub(super) fn filters(&self) -> &Filters {
        &self.options.filters
    }
}

pub(crate) async fn run(mut args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let places = args.paths.iter().map(|path| Place::parse(path)).collect::<Result<Vec<_>, _>>()?;
    args.options.set(printer);
    let is_true = |value: String| value.eq_ignore_ascii_case("true");
    args.options.validates_paths = args.validate_same_s3_paths || env::var(VALIDATE).is_ok_and(is_true);
    run_places(&places, args.recursive, args.options, Deed::Move, context, printer).await
}
