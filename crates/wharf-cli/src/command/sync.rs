//! `wharf sync`: a folder and a prefix, or two prefixes, become the same.

mod events;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use wharf::proto::sync_plan::Compare;
use wharf::provider::Condition;
use wharf::transfer::{Sync, SyncPlace};
use wharf::{ErrorKind, S3Uri};

use super::cp::no_url;
use crate::context::Context;
use crate::error::{CHOOSE, Exit, Failure};
use crate::filter::Filters;
use crate::message::Warning;
use crate::printer::Printer;
use crate::transfer::case::Verdict;
use crate::transfer::mover::Mover;
use crate::transfer::options::TransferArgs;
use crate::transfer::place::Place;
use crate::transfer::route::as_prefix;
use crate::transfer::told::Deed;
use crate::transfer::unfinished::Unfinished;
use events::Events;

const EXAMPLE: &str = "\
Example: a backup that is like the folder, and what it would have done

  wharf sync photos s3://my-bucket/photos --delete --dryrun
  wharf sync photos s3://my-bucket/photos --delete";

/// Make a folder or prefix like another
///
/// What is missing or differs is copied: another size, or a source that was written later. Two
/// listings tell; an object is asked for itself where its file was written in the very second in
/// which it was stored. With --delete, what the source does not have is deleted last, and only if
/// both sides could be read to their end and all was transferred. A key that no file can have does
/// not prevent that. Empty objects whose keys end with a slash are not made into folders.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// What the other shall be like: a folder or an S3 URL
    #[arg(value_name = "SOURCE")]
    source: OsString,
    /// What is changed: a folder or an S3 URL
    #[arg(value_name = "TARGET")]
    target: OsString,
    /// Delete what the source does not have
    #[arg(long)]
    delete: bool,
    /// Only another size is a difference
    #[arg(long)]
    size_only: bool,
    /// For downloads, every other time is a difference, not only a later one
    #[arg(long)]
    exact_timestamps: bool,
    /// Only other bytes are a difference: costs a HEAD request for each object of the same size, and
    /// the files are read. What nothing shows to be the same is copied
    #[arg(long, conflicts_with_all = ["size_only", "exact_timestamps"])]
    checksum: bool,
    /// Delete everything where the source is empty or not there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    options: TransferArgs,
}

impl Args {
    pub(super) fn filters(&self) -> &Filters {
        &self.options.filters
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let (source, target) = (Place::parse(&args.source)?, Place::parse(&args.target)?);
    args.options.set(printer);
    for place in [&source, &target] {
        context.must_be_literal(place.url(), args.options.raw, "a prefix", CHOOSE)?;
    }
    if let (Place::Local(_), Place::Local(_)) = (&source, &target) {
        return Err(no_url(&[source, target]));
    }
    if source.is_remote() {
        target.must_be_meant()?;
    }
    context.tuning().check_parts(&target)?;
    let is_download = matches!((&source, &target), (Place::Remote(_), Place::Local(_)));
    if let Place::Local(path) = &source
        && !path.exists()
        && (context.is_aws() || !args.force)
    {
        return Err(Failure::missing(path));
    }
    let compare = match &args {
        Args { checksum: true, .. } => Compare::Checksum,
        Args { exact_timestamps: true, .. } if is_download => Compare::ExactTime,
        Args { size_only: true, exact_timestamps: false, .. } => Compare::SizeOnly,
        // Whoever knows aws-cli gets what it does.
        _ if is_download && context.is_aws() => Compare::SizeAndLaterTarget,
        _ => Compare::SizeAndTime,
    };
    let filters = args.options.filters.clone();
    let mover = Arc::new(Mover::new(args.options, Deed::Copy, context)?);
    if let (Place::Local(path), true) = (&target, is_download) {
        mover.make_target(path)?;
    }
    let is_aws = context.is_aws();
    let ends = [(&source, &mover.ends.source), (&target, &mover.ends.target)];
    let [from, to] = ends.map(|(place, client)| sync_place(place, client, mover.ends.through_here));
    let filters = [&source, &target].into_iter().fold(filters, |filters, place| match place {
        Place::Local(path) => filters.below(&mover.locally.absolute(path).display().to_string()),
        _ => filters,
    });
    let (warnings, warned) = mpsc::unbounded_channel();
    let unfinished = match (&source, &target) {
        _ if is_aws => None,
        (Place::Local(root), Place::Remote(url)) | (Place::Remote(url), Place::Local(root)) => {
            Some(Unfinished::new(root, url, is_download, args.delete, warnings.clone()))
        }
        // As with `cp`, objects of any name are copied.
        _ => None,
    };
    let sync = mover
        .ends
        .target
        .sync(from?, to?)
        .delete(args.delete)
        .overwrite(!mover.options.no_overwrite)
        .compare(compare)
        .filter(move |name| {
            filters.take(name) && !unfinished.as_ref().is_some_and(|unfinished| unfinished.leaves(name))
        })
        .dry_run(mover.options.dryrun)
        .follow_symlinks(mover.options.follow_symlinks())
        .page_size(mover.options.page_size)
        .resumable(if is_download { !context.tuning().no_resume } else { mover.keeps_uploads })
        .allow_empty_source(args.force || context.is_aws())
        .delete_after_failures(context.is_aws())
        .leave_markers(context.is_aws());
    let sync = if mover.options.requester_pays() { sync.request_payer() } else { sync };
    let sync = match context.tuning().concurrency {
        Some(requests) => sync.concurrency(requests as usize),
        None => sync.concurrency(AT_ONCE),
    };
    let sync = if let Some(patience) = context.tuning().patience { sync.patience(patience) } else { sync };
    if !mover.options.dryrun
        && is_unprotected(&source, &target, &mover)
        && let Some(warning) = mover.unprotected()
    {
        printer.warn(&warning);
    }
    let sync = match (&source, &target) {
        (Place::Remote(url), Place::Local(root)) if mover.cases.look() => {
            cased(sync, url.clone(), root.clone(), &mover, warnings)
        }
        _ => sync,
    };
    let is_copy = source.is_remote() && target.is_remote();
    Events::new(source, target, mover.clone(), warned)
        .tell(dressed(sync, &mover, is_copy), printer)
        .await
        .map_err(Failure::of_many)
}

/// Tells a download what to do with names that differ only in case.
fn cased(
    sync: Sync,
    url: S3Uri,
    root: PathBuf,
    mover: &Arc<Mover>,
    warnings: mpsc::UnboundedSender<(Warning, bool)>,
) -> Sync {
    let (mover, prefix) = (mover.clone(), as_prefix(url.key()));
    sync.take_new(move |name| {
        let verdict = mover.case(url.bucket(), &format!("{prefix}{name}"), name, &root.join(name), false);
        let (takes, warning) = match verdict {
            Verdict::Take => return Ok(true),
            Verdict::Stop(why) => return Err(wharf::Error::new(ErrorKind::Other, why)),
            Verdict::TakeAndSay(warning) => (true, warning),
            Verdict::Leave(warning) | Verdict::Keep(warning) => (false, warning),
        };
        // Whoever would hear of it is there for as long as the sync is.
        let _ = warnings.send((warning, !takes));
        Ok(takes)
    })
}

/// How many entries are under way at a time.
const AT_ONCE: usize = 64;

/// Tells the calls of a sync what the options say.
fn dressed(sync: Sync, mover: &Arc<Mover>, is_copy: bool) -> Sync {
    let [uploads, downloads, copies] = [mover.clone(), mover.clone(), mover.clone()];
    // What is copied has two keys; else the one is of the objects, at whichever end they are.
    let attributes = &mover.options.attributes;
    let sync = match attributes.source_key(is_copy) {
        Some(key) => sync.source_customer_key(key),
        None => sync,
    };
    let sync = match attributes.source_key(false) {
        Some(key) => sync.target_customer_key(key),
        None => sync,
    };
    sync.uploads(move |upload| uploads.dress_upload(upload))
        .downloads(move |download| downloads.dress_download(download))
        .copies(move |copy| copies.dress_copy(copy))
}

/// Whether what appears after the listing may be overwritten, be it only by what is large enough for parts. No file is.
fn is_unprotected(source: &Place, target: &Place, mover: &Mover) -> bool {
    let condition = match (source, target) {
        (_, Place::Local(_)) => return false,
        (Place::Remote(_), _) if !mover.ends.through_here => Condition::CopyIfAbsent,
        _ => Condition::PutIfAbsent,
    };
    mover.options.no_overwrite && mover.may_ignore(condition)
}

fn sync_place(place: &Place, client: &wharf::Client, is_foreign: bool) -> Result<SyncPlace, Failure> {
    match place {
        Place::Standard => Err(Failure::usage("a sync is of folders and prefixes, and - is neither")),
        Place::Local(path) => Ok(SyncPlace::local(path)),
        Place::Remote(url) => {
            let place = SyncPlace::from(url.clone());
            Ok(if is_foreign { place.of(client) } else { place })
        }
    }
}
