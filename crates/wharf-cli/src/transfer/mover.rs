//! One thing that is moved: a file up, an object down, an object to another place.

mod absence;
mod copy;
mod download;
pub(crate) mod upload;

use std::path::Path;

use wharf::op::HeadObject;
use wharf::transfer::{List, Verification};
use wharf::{Client, ETag, ErrorKind};

use super::attributes::Attribute;
use super::case::{Cases, Verdict};
use super::crew::Outcome;
use super::options::{Ends, TransferArgs};
use super::place::Locally;
use super::resume;
use super::route::{Source, Target};
use super::told::{Action, Deed, Done, Left, archived};
use crate::context::Context;
use crate::error::{BEGINS_ANEW, Exit, Failure, GOES_ON, GOES_ON_IF_LARGE, LEFT_UPLOADS, by_option, is_absent};
use crate::globals::Tuning;
use crate::url::Shown;

/// Moves things as the options have it.
pub(crate) struct Mover {
    pub(crate) ends: Ends,
    pub(crate) options: TransferArgs,
    attributes: Vec<Attribute>,
    pub(super) tuning: Tuning,
    /// Whether sources go when they have arrived.
    pub(super) is_move: bool,
    /// Whether uploads are gone on with by another run.
    pub(crate) keeps_uploads: bool,
    /// Whether to do as aws-cli does where that is not what we would do.
    pub(crate) is_aws: bool,
    pub(crate) locally: Locally,
    pub(crate) cases: Cases,
    /// Whether it was said whose S3 the target's server is.
    names_provider: bool,
    /// Whether warnings are heard by nobody: another line of the same list may tell them.
    is_quiet: bool,
}

/// An object that is a source.
#[derive(Debug, Clone)]
pub(crate) struct SourceObject {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// What a listing says of it; nobody has looked at an object that was named.
    pub(crate) size: Option<u64>,
    pub(crate) etag: Option<ETag>,
}

impl SourceObject {
    pub(super) fn shown(&self) -> String {
        Shown(&self.bucket, &self.key).to_string()
    }
}

impl Mover {
    pub(crate) fn new(options: TransferArgs, deed: Deed, context: &Context) -> Result<Self, Failure> {
        let is_move = deed == Deed::Move;
        let ends = options.ends(context)?;
        Ok(Self {
            ends,
            attributes: options.attributes.attributes()?,
            keeps_uploads: !context.tuning().no_resume && resume::can_keep_uploads(),
            tuning: context.tuning().clone(),
            cases: Cases::new(options.case_conflict, context.is_aws(), is_move),
            is_quiet: context.globals.output.quiet,
            options,
            is_move,
            is_aws: context.is_aws(),
            locally: Locally::new(),
            names_provider: context.globals.connection.provider.is_some(),
        })
    }

    /// What the same command does, once interrupted: what was moved is gone, and large files are taken up again.
    pub(crate) fn again(&self, sources: &[Source], target: &Target) -> &'static str {
        let is_upload = sources.iter().any(|source| !source.is_remote());
        let goes_on = target.is_local() && !self.tuning.no_resume || is_upload && self.keeps_uploads;
        let many = sources.len() > 1 || sources.iter().any(Source::is_many);
        match (goes_on, many) {
            (_, true) if self.is_move => GOES_ON,
            (true, true) => {
                "the same command goes on with large files, and moves the others again; `wharf sync` leaves out what is there"
            }
            (true, false) => GOES_ON_IF_LARGE,
            (false, true) => "the same command begins anew; `wharf sync` leaves out what is there",
            (false, false) => BEGINS_ANEW,
        }
    }

    /// What finds that which is left over of a thing that was stopped, unless the same command goes on with it.
    pub(crate) fn leaves(&self, are_files: bool, is_download: bool) -> Option<&'static str> {
        // What becomes of a copy is kept nowhere.
        match (is_download, are_files) {
            (true, _) if !self.tuning.no_resume => None,
            (true, _) => Some("a file that ends with .wharf-part is one that is not whole"),
            (false, true) if self.keeps_uploads => None,
            (false, _) => Some(LEFT_UPLOADS),
        }
    }

    /// Refuses to write objects over themselves: nothing would be copied, and moving them would delete them.
    pub(crate) fn refuse_itself(&self, source: &Source, target: &Target) -> Result<(), Failure> {
        let (bucket, key, to_bucket, to_key) = match (source, target) {
            (Source::Object { bucket, key }, _) => match target.key(&source.name()) {
                Some((to_bucket, to_key)) => (bucket, key.as_str(), to_bucket, to_key),
                None => return Ok(()),
            },
            (Source::Objects { bucket, prefix, root, .. }, Target::Prefix { bucket: to_bucket, prefix: to }) => {
                (bucket, &prefix[..*root], to_bucket.as_str(), to.clone())
            }
            _ => return Ok(()),
        };
        let changes = !self.is_move && (self.options.replaces_metadata() || !self.attributes.is_empty());
        if self.ends.through_here || changes || (bucket.as_str(), key) != (to_bucket, &to_key) {
            return Ok(());
        }
        let verb = if self.is_move { "mv" } else { "cp" };
        let failure =
            Failure::usage(format!("Cannot {verb} a file onto itself: {0} - {0}", Shown(bucket, key).in_error()));
        // With aws-cli the server refuses a copy.
        Err(if self.is_aws && !self.is_move { failure.exits(Exit::Failed) } else { failure })
    }

    /// A listing of the source, which tries for as long as the options say.
    pub(crate) fn list(&self, bucket: &str) -> List {
        self.tuning.list(&self.ends.source, bucket)
    }

    /// Whether the target's bucket of this name is also the source's, as what the source has below the prefix shows.
    pub(crate) async fn share(&self, bucket: &str, prefix: &str) -> Result<bool, Failure> {
        let list = |client: &Client| {
            let list = self.tuning.list(client, bucket).prefix(prefix);
            if self.options.requester_pays() { list.request_payer() } else { list }
        };
        Ok(list(&self.ends.target).shows_same_bucket(list(&self.ends.source)).await?)
    }

    /// A request for what is known of a source.
    pub(crate) fn head_of_source(&self, bucket: &str, key: &str, is_copy: bool) -> HeadObject<Client> {
        let head = self.ends.source.head_object(bucket, key);
        let head = if self.options.requester_pays() { head.request_payer() } else { head };
        match self.options.attributes.source_key(is_copy) {
            Some(own) => head.customer_key(own),
            None => head,
        }
    }

    /// The same for what stands at the target.
    fn head_of_target(&self, bucket: &str, key: &str) -> HeadObject<Client> {
        let head = self.ends.target.head_object(bucket, key);
        let head = if self.options.requester_pays() { head.request_payer() } else { head };
        match self.options.attributes.source_key(false) {
            Some(own) => head.customer_key(own),
            None => head,
        }
    }

    /// Whether an object may become a file whose name another could have but for its case.
    pub(crate) fn case(&self, bucket: &str, key: &str, name: &str, path: &Path, is_there: bool) -> Verdict {
        let source = match self.is_aws {
            true => format!("{bucket}/{key}"),
            false => Shown(bucket, key).to_string(),
        };
        self.cases.verdict(&source, name, &self.locally.absolute(path), is_there)
    }

    /// The folder for what comes down, which aws-cli makes even where nothing comes.
    pub(crate) fn make_target(&self, path: &Path) -> Result<(), Failure> {
        if !self.is_aws && path.exists() && !path.is_dir() {
            let message = format!("{} is a file, and what is copied needs a folder there", path.display());
            return Err(Failure::usage(message).hint("name a folder"));
        }
        if !self.is_aws || self.options.dryrun || path.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(path).map_err(|error| {
            Failure::new(Exit::Failed, format!("the folder {} could not be made: {error}", path.display()))
        })
    }

    /// What is done, in the words of its messages.
    pub(crate) fn action(&self, deed: Deed, source: String, target: String) -> Action {
        Action { deed: if self.is_move { Deed::Move } else { deed }, source, target: Some(target) }
    }

    /// What came of it; of `None`, that it was left alone because something is there already.
    pub(super) fn outcome(&self, deed: Deed, action: Action, done: Result<Option<Done>, Failure>) -> Outcome {
        match done {
            Ok(Some(done)) => Outcome::Done(done),
            Ok(None) => Outcome::Left(Left::of(action)),
            Err(failure) if failure.is_interrupted() => Outcome::Quiet,
            Err(failure) if failure.is(ErrorKind::InvalidObjectState) && !self.options.force_glacier_transfer => {
                match self.options.ignore_glacier_warnings {
                    true => Outcome::Quiet,
                    false => Outcome::Skipped(archived(deed, action.source)),
                }
            }
            Err(failure) => {
                let failure = failure.of_source(&action.source, self.is_aws);
                Outcome::NotDone(action, failure)
            }
        }
    }

    /// Removes an object that has arrived elsewhere, unless it is another by now.
    async fn remove_object(&self, object: &SourceObject, is_copy: bool, etag: &ETag) -> Result<(), Failure> {
        let s3 = &self.ends.source;
        let call = || {
            let call = s3.delete_object(&object.bucket, &object.key);
            if self.options.requester_pays() { call.request_payer() } else { call }
        };
        let removed = match call().if_match(etag.clone()).await {
            // This server would ignore the condition: look first.
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::NotImplemented) => {
                let now = self.head_of_source(&object.bucket, &object.key, is_copy).await;
                match now {
                    Ok(head) if head.etag == *etag => call().await,
                    Err(error) if is_absent(&error) => return Ok(()),
                    Ok(_) => Err(wharf::Error::new(ErrorKind::PreconditionFailed, "it is another object by now")),
                    Err(error) => Err(error),
                }
            }
            removed => removed,
        };
        match removed {
            // By a request whose answer was lost, or by somebody else: it has arrived, and is to be here no longer.
            Err(error) if is_absent(&error) => return Ok(()),
            removed => removed.map(drop),
        }
        .map_err(|error| Failure::from(error).of("it was copied, but the source could not be removed:"))
    }
}

/// Keeps a source whose copy may have other bytes.
fn must_be_verified(verification: Verification) -> Result<(), Failure> {
    if verification.is_verified() {
        return Ok(());
    }
    let why = by_option(&verification.to_string());
    Err(Failure::new(Exit::Failed, format!("it was copied, and the source is kept: the copy is {why}"))
        .hint("cp and rm do the same where that is good enough"))
}

/// Removes a file that has arrived elsewhere, unless it is another by now.
fn remove_file(path: &Path, before: &std::fs::Metadata) -> Result<(), Failure> {
    let unchanged = std::fs::metadata(path).is_ok_and(|now| {
        is_untouched(&now, before) && now.len() == before.len() && now.modified().ok() == before.modified().ok()
    });
    if !unchanged {
        return Err(Failure::new(Exit::Failed, "it was uploaded, and has changed since: the file is kept"));
    }
    std::fs::remove_file(path).map_err(|error| {
        Failure::new(Exit::Failed, format!("it was uploaded, but the file could not be removed: {error}"))
    })
}

/// Whether both tell of one file to which nothing was done: one of the same length and time may have come in its place, and who writes
/// to it may put its time back.
#[cfg(unix)]
fn is_untouched(now: &std::fs::Metadata, before: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |file: &std::fs::Metadata| (file.dev(), file.ino(), file.ctime(), file.ctime_nsec());
    of(now) == of(before)
}

#[cfg(not(unix))]
fn is_untouched(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_file_that_came_in_the_place_of_another_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&path, "here").unwrap();
        let before = fs::metadata(&path).unwrap();
        fs::write(&other, "else").unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(before.modified().unwrap()).unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(remove_file(&path, &before).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "else");
        assert!(remove_file(&path, &fs::metadata(&path).unwrap()).is_ok() && !path.exists());
    }

    #[test]
    fn a_file_that_was_written_to_and_had_its_time_put_back_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "here").unwrap();
        let before = fs::metadata(&path).unwrap();
        // The clock of the file system may tick slowly.
        while fs::metadata(&path).unwrap().ctime_nsec() == before.ctime_nsec() {
            fs::write(&path, "else").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(before.modified().unwrap()).unwrap();
        }
        assert!(remove_file(&path, &before).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "else");
    }
}
