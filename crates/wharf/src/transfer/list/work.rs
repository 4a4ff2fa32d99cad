//! The requests of a listing.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;
use wharf_proto::key_space::{Ask, KeySpace, Order};
use wharf_proto::op::{ListObjects, ListObjectsOutput};
use wharf_proto::operation::Paged;
use wharf_proto::{Error, ErrorKind};

use super::{List, ListedPage};
use crate::Client;
use crate::transfer::feed::next_of;
use crate::transfer::handle::Watch;
use crate::transfer::lane::Lane;
use crate::transfer::patience::patiently;

/// How many pages may wait for one that is due, for each request at a time.
const AHEAD: usize = 4;

pub(super) struct Work {
    call: ListObjects<Client>,
    space: KeySpace<ListedPage>,
    parallel: usize,
    requests: Requests,
}

/// How requests are made.
#[derive(Clone)]
struct Requests {
    client: Client,
    lane: Lane,
    watch: Arc<Watch>,
    patience: Duration,
}

/// A page that came, and the token of the next.
struct Answer {
    ask: Ask,
    page: ListedPage,
    next: Option<String>,
}

impl Work {
    pub(super) fn new(list: List, watch: Arc<Watch>) -> Self {
        let parallel = if list.is_sorted() { list.parallel.max(1) } else { 1 };
        let order = if list.unordered { Order::Any } else { Order::ByKey { ahead: AHEAD.saturating_mul(parallel) } };
        let space = KeySpace::new(&list.prefix, list.start_after.as_deref(), order);
        let lane = Lane::of(&list.client, Some(parallel));
        let requests = Requests { client: list.client, lane, watch, patience: list.patience };
        Self { call: list.call, space, parallel, requests }
    }

    /// Lists until all is handed out, or nobody wants it any more.
    pub(super) async fn run(mut self, out: mpsc::Sender<ListedPage>) -> Result<(), Error> {
        let mut tasks = JoinSet::new();
        loop {
            while self.space.asked() < self.parallel.min(self.space.sensible())
                && let Some(ask) = self.ask()
            {
                tasks.spawn(self.requests.clone().page(self.call.clone(), ask).in_current_span());
            }
            while let Some(page) = self.space.page() {
                if out.send(page).await.is_err() {
                    return Ok(());
                }
            }
            match next_of(&mut tasks).await {
                Some(answer) => self.take(answer?)?,
                None if self.space.is_done() => return Ok(()),
                // Pages that were just handed out held others up.
                None => {}
            }
        }
    }

    fn ask(&mut self) -> Option<Ask> {
        let ask = self.space.ask();
        if ask.is_none() && self.parallel > 1 { self.space.ask_more() } else { ask }
    }

    fn take(&mut self, answer: Answer) -> Result<(), Error> {
        let Answer { ask, mut page, next } = answer;
        let keys = page.keys();
        if self.requests.client.inner().may_be_unsorted() {
            self.space.leave_whole();
        }
        let kept = self.space.answered(ask.range, &keys, next.as_deref())?;
        if kept.is_empty() {
            return Ok(());
        }
        if kept.len() < keys.len() {
            let (first, last) = (keys[kept.start].to_owned(), keys[kept.end - 1].to_owned());
            page.keep(&first, &last);
        }
        self.space.put(ask.range, page);
        Ok(())
    }
}

impl Requests {
    async fn page(self, call: ListObjects<Client>, ask: Ask) -> Result<Answer, Error> {
        let mut asked = call;
        if let Some(key) = &ask.after {
            asked = asked.start_after(key);
        }
        if let Some(token) = &ask.token {
            asked = asked.continuation_token(token);
        }
        let jitter = || self.client.inner().clock.jitter();
        let page = patiently(&self.lane, &self.watch, self.patience, jitter, || asked.clone().into_future()).await?;
        self.watch.part_done();
        let next = asked.after(&page)?.and(page.next_continuation_token);
        if next.is_some() && next == ask.token {
            let message = "the server names the same page as the next one again; the listing would never end";
            return Err(Error::new(ErrorKind::MalformedResponse, message));
        }
        let ListObjectsOutput { objects, common_prefixes, .. } = page;
        Ok(Answer { ask, page: ListedPage { objects, common_prefixes }, next })
    }
}

impl ListedPage {
    /// All that is named, in one order. Of a page without order, as it came.
    fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<_> = self.objects.iter().map(|object| object.key.as_str()).collect();
        if !self.common_prefixes.is_empty() {
            let in_order = keys.is_sorted() && self.common_prefixes.is_sorted();
            keys.extend(self.common_prefixes.iter().map(String::as_str));
            if in_order {
                keys.sort_unstable();
            }
        }
        keys
    }

    /// Keeps what is named from `first` to `last`.
    fn keep(&mut self, first: &str, last: &str) {
        let is_kept = |name: &str| (first..=last).contains(&name);
        self.objects.retain(|object| is_kept(&object.key));
        self.common_prefixes.retain(|prefix| is_kept(prefix));
    }
}
