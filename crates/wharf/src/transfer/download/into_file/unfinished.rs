//! A download that has begun and not ended.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::file::TIDY_UP;
use super::Run;
use crate::payload::blocking;

/// A file that is not whole. Dropped before it is, it is removed, or what has arrived recorded.
pub(super) struct Unfinished {
    pub(super) run: Arc<Run>,
}

impl Deref for Unfinished {
    type Target = Arc<Run>;

    fn deref(&self) -> &Arc<Run> {
        &self.run
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let run = self.run.clone();
        if run.is_over.load(Ordering::Relaxed) {
            return;
        }
        if run.resume.is_none() {
            run.file.discard();
        }
        // Now, for there may be no runtime to tidy up on, and its tasks have the run, which has its crew.
        run.crew.abort();
        let tidy_up = async move {
            run.crew.stop().await;
            // It may be getting its name.
            run.file.unused().await;
            let recorded = match &run.resume {
                // It has got it.
                Some((resume, _)) if run.is_over.load(Ordering::Relaxed) => {
                    resume.over();
                    resume.close().await;
                    Ok(())
                }
                _ => {
                    let recorded = run.record().await;
                    if run.file.is_lost() {
                        run.discard();
                    }
                    recorded
                }
            };
            // A file without a name goes when it is closed, which takes the longer the larger it is.
            let closed = blocking(move || {
                drop(run);
                Ok(())
            });
            recorded.and(closed.await)
        };
        self.job.watch().tidy_up(self.file.shown(), tidy_up, TIDY_UP);
    }
}
