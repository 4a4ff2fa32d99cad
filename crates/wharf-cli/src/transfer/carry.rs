//! Takes everything that comes out of a source to its target: `cp` and `mv`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf::op::ListedObject;
use wharf::proto::escape;
use wharf::transfer::{Hides, LocalTree, Trouble};
use wharf::{ErrorKind, StorageClass};

use super::case::Verdict;
use super::crew::{Crew, Outcome};
use super::fingerprint::Fingerprints;
use super::local;
use super::mover::upload::is_directory;
use super::mover::{Mover, SourceObject};
use super::route::{Source, Target};
use super::told::{Action, Deed, Done, Left, archived};
use super::unfinished::LEFT;
use crate::error::{Exit, Failure};
use crate::filter::Filters;
use crate::message::Warning;
use crate::url::{Shown, Wild};

/// After how many files of a tree signals are heard.
const FILES_AT_ONCE: usize = 256;

/// The names that several sources have given away: what arrives by one of them must not be lost to another source.
#[derive(Default)]
pub(crate) struct Given {
    names: HashSet<(u64, u64)>,
    fingerprints: Fingerprints,
}

impl Given {
    /// Whether nothing has this name yet. From now on something has.
    fn take(&mut self, name: &str) -> bool {
        self.names.insert(self.fingerprints.of(name))
    }
}

/// Takes everything that comes out of `source`, one of `sources`, to `target`. `given` is there where others go there too.
pub(crate) async fn carry(
    source: &Source,
    sources: &[Source],
    target: &Target,
    mover: &Arc<Mover>,
    crew: &mut Crew<'_>,
    given: Option<&mut Given>,
) -> Result<(), Failure> {
    // One object that goes elsewhere replaces no other source.
    let may_meet = |source: &&Source| sources.len() > 1 || matches!(source, Source::Objects { .. });
    let meet = match target {
        Target::Prefix { bucket, prefix } => {
            match sources.iter().filter(may_meet).find_map(|source| lies_about(source, bucket, prefix)) {
                Some(of_source) => crew.until(mover.share(bucket, of_source)).await??,
                None => false,
            }
        }
        _ => false,
    };
    let mut carrier = Carrier { sources, target, mover, crew, given, meet };
    match source {
        Source::File(path) => carrier.file(path).await,
        Source::Tree(root) => carrier.tree(root).await,
        Source::Object { bucket, key } => {
            let object = SourceObject { bucket: bucket.clone(), key: key.clone(), size: None, etag: None };
            carrier.named_object(object, &source.name()).await
        }
        Source::Objects { bucket, prefix, root, wild } => carrier.objects(bucket, prefix, *root, wild.as_ref()).await,
    }
}

struct Carrier<'a, 'p> {
    sources: &'a [Source],
    target: &'a Target,
    mover: &'a Arc<Mover>,
    crew: &'a mut Crew<'p>,
    given: Option<&'a mut Given>,
    /// Whether the target lies in the bucket of a source.
    meet: bool,
}

/// The prefix of a source that lies below this one of the target, or the other way round, if it is one bucket; not of what goes
/// onto itself.
fn lies_about<'a>(source: &'a Source, to: &str, into: &str) -> Option<&'a str> {
    match source {
        Source::Object { bucket, key } => {
            let is_in = bucket == to && key.starts_with(into) && *key != format!("{into}{}", source.name());
            is_in.then_some(key)
        }
        Source::Objects { bucket, prefix, root, .. } if bucket == to && &prefix[..*root] != into => {
            (prefix.starts_with(into) || into.starts_with(prefix.as_str())).then_some(prefix)
        }
        _ => None,
    }
}

/// Whether what stands there takes what is written and keeps none of it under its name, such as `/dev/null` or a pipe.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

impl Carrier<'_, '_> {
    async fn file(&mut self, path: &Path) -> Result<(), Failure> {
        if !path.exists() {
            return self.give_up(Failure::missing(path));
        }
        if !self.mover.options.follow_symlinks() && path.is_symlink() {
            return Ok(());
        }
        // `.` and the like have none: they are directories, which the upload refuses.
        let Some(name) = path.file_name().map_or(Some(""), |name| name.to_str()) else {
            let why = format!("{} is no UTF-8, which every key must be", path.display());
            return self.give_up(Failure::new(Exit::Other, why));
        };
        let whole = self.mover.locally.absolute(path);
        let folder = whole.parent().unwrap_or(&whole).display().to_string();
        if !self.mover.options.filters.below(&folder).take(name) {
            return Ok(());
        }
        match local::check(path) {
            Err(why) => {
                let path = self.mover.locally.absolute(path);
                self.crew.tell(Outcome::Skipped(Warning::skipping(path.display(), why)))
            }
            Ok(metadata) => self.upload(path.to_owned(), name, metadata.len()).await,
        }
    }

    async fn tree(&mut self, root: &Path) -> Result<(), Failure> {
        if !root.exists() {
            return self.give_up(Failure::missing(root));
        }
        let whole = self.mover.locally.absolute(root);
        if !root.is_dir() {
            let warning = Warning::skipping(format_args!("{}/", whole.display()), "It is no folder.");
            let warning = if self.mover.is_aws { warning } else { warning.hint("one file goes without --recursive") };
            return self.crew.tell(Outcome::Skipped(warning));
        }
        let filters = self.mover.options.filters.below(&whole.display().to_string());
        for (at, file) in LocalTree::new(root).files(self.mover.options.follow_symlinks()).enumerate() {
            // Nothing else waits where nothing of many files is sent.
            if at % FILES_AT_ONCE == 0 {
                self.crew.until(tokio::task::yield_now()).await?;
            }
            match file {
                Ok(file) if !filters.take(&file.key) => {}
                // Taken along, it could not come back; moved, nobody could go on with it.
                Ok(file) if !self.mover.is_aws && LocalTree::is_unfinished(&file.key) => {
                    let path = whole.join(&file.key);
                    let warning = Warning::skipping(path.display(), LEFT);
                    self.crew.tell(Outcome::Skipped(warning))?;
                }
                Ok(file) => self.upload(root.join(&file.key), &file.key, file.size).await?,
                Err(Trouble { error, hides: Hides::TheRest, .. }) => {
                    let failure = Failure::from(error).of("not all that is in it was looked at:").exits(Exit::Failed);
                    let action = Action { deed: Deed::Upload, source: whole.display().to_string(), target: None };
                    self.crew.tell(Outcome::NotDone(action, failure))?;
                }
                // After `s3` it is said, as by aws-cli.
                Err(trouble) if !self.mover.is_aws && leave_out(&filters, &trouble) => {}
                Err(Trouble { key, error, .. }) => {
                    let path = self.mover.locally.absolute(&root.join(key));
                    let why = local::why(&path, &error);
                    self.crew.tell(Outcome::Skipped(Warning::skipping(path.display(), why)))?;
                }
            }
        }
        Ok(())
    }

    async fn upload(&mut self, path: PathBuf, name: &str, size: u64) -> Result<(), Failure> {
        let Some((bucket, key)) = self.target.key(name) else {
            return Err(Failure::usage("one of the two must be an S3 URL"));
        };
        if self.would_replace_source(bucket, &key) {
            return self.is_source(self.mover.upload_action(&path, bucket, &key));
        }
        if !self.is_free(name) {
            return self.is_taken(self.mover.upload_action(&path, bucket, &key));
        }
        if self.mover.options.dryrun {
            let action = self.mover.upload_action(&path, bucket, &key);
            return self.crew.tell(match path.is_dir() && !self.mover.is_aws {
                true => Outcome::NotDone(action, is_directory()),
                false => Outcome::Done(Done::dryrun(action, Some(size))),
            });
        }
        let (mover, follower) = (self.mover.clone(), self.crew.follower());
        self.crew.begin(size, mover.upload(path, bucket.to_owned(), key, follower)).await
    }

    /// An object that was named: nobody has looked at it yet.
    async fn named_object(&mut self, mut object: SourceObject, name: &str) -> Result<(), Failure> {
        if !self.mover.options.filters.take(name) {
            return Ok(());
        }
        if name.is_empty() && matches!(self.target, Target::Directory(_)) {
            let shown = Shown(&object.bucket, &object.key).in_error();
            let failure = Failure::new(Exit::Failed, format!("{shown} is a prefix"));
            return self.give_up(failure.hint("--recursive takes all that is under it"));
        }
        if let Target::Directory(root) = self.target
            && !self.mover.options.dryrun
            && LocalTree::new(root).prepare(name).is_err()
        {
            // What cannot be written will not be read, and may not be there at all.
            let head = self.mover.head_of_source(&object.bucket, &object.key, false);
            if let Err(error) = self.crew.until(head.into_future()).await? {
                let action = self.mover.download_action(&object, &root.join(name));
                return self.crew.tell(self.mover.outcome(Deed::Download, action, Err(error.into())));
            }
        }
        if self.mover.options.dryrun {
            let is_copy = matches!(self.target, Target::Key { .. } | Target::Prefix { .. });
            let head = self.mover.head_of_source(&object.bucket, &object.key, is_copy);
            let head = self.crew.until(head.into_future()).await?;
            let failed = |error| match self.mover.is_aws {
                true => Failure::from(error),
                false => Failure::of_object(error, &object.bucket, &object.key),
            };
            match head {
                Ok(head) => object.size = Some(head.content_length),
                Err(error) => return self.give_up(failed(error)),
            }
        }
        self.object(object, name).await
    }

    async fn objects(&mut self, bucket: &str, prefix: &str, root: usize, wild: Option<&Wild>) -> Result<(), Failure> {
        let options = &self.mover.options;
        let filters = &options.filters;
        let mut listing = self.mover.list(bucket).prefix(prefix).max_keys(options.page_size);
        if options.requester_pays() {
            listing = listing.request_payer();
        }
        let inside = self.target_inside(bucket, &prefix[..root]);
        let mut pages = listing.pages();
        let mut found = false;
        while let Some(page) = self.crew.until(pages.next()).await? {
            let page = match page {
                Ok(page) => page,
                Err(error) => return self.give_up(error.into()),
            };
            for listed in page.objects {
                let fits = wild.is_none_or(|wild| wild.pattern.matches(&listed.key));
                found |= fits;
                let fits = fits && inside.as_ref().is_none_or(|inside| !listed.key.starts_with(inside));
                let Some(name) = listed.key.get(root..).filter(|name| fits && filters.take(name)) else { continue };
                let name = name.to_owned();
                self.listed(bucket, listed, &name).await?;
            }
        }
        match wild {
            Some(wild) if !found => self.give_up(Failure::nothing_fits(bucket, &wild.text)),
            None if !found && !prefix.is_empty() && !self.mover.is_aws => {
                self.give_up(Failure::nothing_under(bucket, prefix))
            }
            _ => Ok(()),
        }
    }

    /// Gives up this source: of several the others go on.
    fn give_up(&mut self, failure: Failure) -> Result<(), Failure> {
        match self.given {
            Some(_) => {
                self.crew.tell_failure(failure);
                Ok(())
            }
            None => Err(failure),
        }
    }

    /// The prefix of a target that lies in the source: what is there has arrived, and is not taken along again.
    fn target_inside(&self, bucket: &str, root: &str) -> Option<String> {
        match self.target {
            Target::Prefix { bucket: to, prefix } if self.meet && to == bucket => {
                (prefix.starts_with(root) && prefix != root).then(|| prefix.clone())
            }
            _ => None,
        }
    }

    /// Whether what arrives there would take the place of what is to be carried itself: a source lies in the target.
    fn would_replace_source(&self, to: &str, key: &str) -> bool {
        self.meet && self.sources.iter().any(|source| self.would_replace(source, to, key))
    }

    fn would_replace(&self, source: &Source, to: &str, key: &str) -> bool {
        let Target::Prefix { prefix: into, .. } = self.target else { return false };
        match source {
            // Onto itself it is refused, or meant.
            Source::Object { bucket, key: own } => {
                bucket == to && own == key && *own != format!("{into}{}", source.name())
            }
            Source::Objects { bucket, prefix, root, wild } => {
                let root = &prefix[..*root];
                let lies_inside = bucket == to && root != into && root.starts_with(into);
                let Some(name) = key.strip_prefix(root).filter(|_| lies_inside && key.starts_with(prefix)) else {
                    return false;
                };
                wild.as_ref().is_none_or(|wild| wild.pattern.matches(key)) && self.mover.options.filters.take(name)
            }
            Source::File(_) | Source::Tree(_) => false,
        }
    }

    async fn listed(&mut self, bucket: &str, listed: ListedObject, name: &str) -> Result<(), Failure> {
        let options = &self.mover.options;
        if listed.size == 0 && listed.key.ends_with('/') {
            return self.marker(bucket, listed, name).await;
        }
        if is_archived(&listed) && !options.force_glacier_transfer {
            if options.ignore_glacier_warnings {
                return Ok(());
            }
            let deed = if self.target.is_local() { Deed::Download } else { Deed::Copy };
            return self.crew.tell(Outcome::Skipped(archived(deed, Shown(bucket, &listed.key))));
        }
        let object = SourceObject {
            bucket: bucket.to_owned(),
            key: listed.key,
            size: Some(listed.size),
            etag: Some(listed.etag),
        };
        self.object(object, name).await
    }

    /// An empty object that stands for a directory: it is one here, and an object there.
    async fn marker(&mut self, bucket: &str, listed: ListedObject, name: &str) -> Result<(), Failure> {
        if self.mover.is_aws {
            return Ok(());
        }
        let Target::Directory(root) = self.target else {
            let (key, etag) = (listed.key, Some(listed.etag));
            return self.object(SourceObject { bucket: bucket.to_owned(), key, size: Some(0), etag }, name).await;
        };
        let (tree, dryrun) = (LocalTree::new(root), self.mover.options.dryrun);
        // The way to what would be in it, and it.
        let inside = format!("{name}_");
        let made = if dryrun { tree.path_of(&inside) } else { tree.prepare(&inside) };
        let mut folder = match made {
            Ok(path) => path,
            Err(error) => return self.refuse(bucket, &listed.key, name, error),
        };
        folder.pop();
        if !self.mover.is_move {
            return Ok(());
        }
        let ListedObject { key, etag, .. } = listed;
        let object = SourceObject { bucket: bucket.to_owned(), key, size: Some(0), etag: Some(etag.clone()) };
        if dryrun {
            let action = self.mover.marker_action(&object, &folder);
            return self.crew.tell(Outcome::Done(Done::dryrun(action, object.size)));
        }
        self.crew.begin(0, self.mover.clone().move_marker(object, etag, folder)).await
    }

    async fn object(&mut self, object: SourceObject, name: &str) -> Result<(), Failure> {
        let size = object.size.unwrap_or_default();
        let (mover, dryrun) = (self.mover.clone(), self.mover.options.dryrun);
        let path = match self.target {
            Target::File(path) => path.clone(),
            Target::Directory(root) => {
                let tree = LocalTree::new(root);
                match if dryrun { tree.path_of(name) } else { tree.prepare(name) } {
                    Ok(path) => path,
                    Err(error) => return self.refuse(&object.bucket, &object.key, name, error),
                }
            }
            Target::Key { .. } | Target::Prefix { .. } => {
                let Some((bucket, key)) = self.target.key(name) else { return Ok(()) };
                if self.would_replace_source(bucket, &key) {
                    return self.is_source(mover.copy_action(&object, bucket, &key));
                }
                if !self.is_free(name) {
                    return self.is_taken(mover.copy_action(&object, bucket, &key));
                }
                if dryrun {
                    let action = mover.copy_action(&object, bucket, &key);
                    return self.crew.tell(Outcome::Done(Done::dryrun(action, object.size)));
                }
                let follower = self.crew.follower();
                return self.crew.begin(size, mover.copy(object, bucket.to_owned(), key, follower)).await;
            }
        };
        if !self.is_free(name) {
            return self.is_taken(mover.download_action(&object, &path));
        }
        // What was named itself may replace what it names.
        let is_careful = mover.is_move && !matches!(self.target, Target::File(_));
        let is_there = is_careful && path.symlink_metadata().is_ok();
        if !self.may_have_this_case(&object, &path, name, is_there).await? {
            return Ok(());
        }
        if dryrun {
            let action = mover.download_action(&object, &path);
            let is_there = path.symlink_metadata().is_ok_and(|there| !there.is_dir());
            let is_left = mover.options.no_overwrite && is_there;
            return self.crew.tell(match is_left {
                true => Outcome::Left(Left::of(action)),
                false => Outcome::Done(Done::dryrun(action, object.size)),
            });
        }
        let follower = self.crew.follower();
        let follower = if object.size.is_none() { follower.of_unknown_size() } else { follower };
        // Only what was named itself: anybody could have put a pipe into a folder.
        if matches!(self.target, Target::File(_)) && !mover.is_move && is_device(&path) {
            return self.crew.begin(size, mover.download_to_device(object, path, follower)).await;
        }
        let replaces = !mover.options.no_overwrite && (is_there || !is_careful);
        self.crew.begin(size, mover.download(object, path, replaces, follower)).await
    }

    /// Whether no other source has given away this name.
    fn is_free(&mut self, name: &str) -> bool {
        self.given.as_mut().is_none_or(|given| given.take(name))
    }

    fn is_taken(&mut self, action: Action) -> Result<(), Failure> {
        let failure = Failure::new(Exit::Failed, "it was left: what another source has by this name goes there");
        self.crew.tell(Outcome::NotDone(action, failure))
    }

    fn is_source(&mut self, action: Action) -> Result<(), Failure> {
        let target = action.target.as_deref().unwrap_or_default();
        let why = format!("it was left, for {} lies in the source itself", escape::name(target));
        let failure = Failure::new(Exit::Failed, why).hint("go by way of another prefix");
        self.crew.tell(Outcome::NotDone(action, failure))
    }

    /// Whether a name may be used that another has but for its case.
    async fn may_have_this_case(
        &mut self,
        object: &SourceObject,
        path: &Path,
        name: &str,
        is_there: bool,
    ) -> Result<bool, Failure> {
        if !self.mover.cases.look() {
            return Ok(true);
        }
        let (mover, object, path, name) = (self.mover.clone(), object.clone(), path.to_owned(), name.to_owned());
        // Directories are read for it.
        let looking =
            tokio::task::spawn_blocking(move || mover.case(&object.bucket, &object.key, &name, &path, is_there));
        match self.crew.until(looking).await?.map_err(|error| Failure::new(Exit::Other, error.to_string()))? {
            Verdict::Take => Ok(true),
            Verdict::TakeAndSay(warning) => {
                self.crew.warn(&warning);
                Ok(true)
            }
            // As with aws-cli.
            Verdict::Leave(warning) if self.mover.is_aws => {
                self.crew.warn(&warning);
                Ok(false)
            }
            Verdict::Leave(warning) | Verdict::Keep(warning) => {
                self.crew.tell(Outcome::Skipped(warning)).map(|()| false)
            }
            Verdict::Stop(why) => Err(Failure::new(Exit::Failed, why)),
        }
    }

    /// An object that has no place below the target's directory: it is said, and the rest goes on.
    fn refuse(&mut self, bucket: &str, key: &str, name: &str, error: wharf::Error) -> Result<(), Failure> {
        let source = Shown(bucket, key).to_string();
        if error.kind() == ErrorKind::InvalidInput {
            return self.crew.tell(Outcome::Skipped(Warning::skipping(source, error.message())));
        }
        let path = match self.target {
            Target::Directory(root) => LocalTree::new(root).path_of(name).ok(),
            _ => None,
        };
        let target = path.map(|path| self.mover.locally.shown(&path));
        let action = Action { deed: Deed::Download, source, target };
        self.crew.tell(Outcome::NotDone(action, error.into()))
    }
}

/// Whether filters leave out what could not be read, and all that may be in it.
fn leave_out(filters: &Filters, trouble: &Trouble) -> bool {
    let hides_nothing = trouble.hides == Hides::Nothing || !filters.may_take_below(&trouble.key);
    !filters.take(&trouble.key) && hides_nothing
}

/// Whether an object has to be restored before it can be read.
fn is_archived(listed: &ListedObject) -> bool {
    let is_restored = listed.restore_status.as_ref().is_some_and(|status| status.expires_at.is_some());
    matches!(listed.storage_class, StorageClass::Glacier | StorageClass::DeepArchive) && !is_restored
}
