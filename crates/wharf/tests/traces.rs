//! What is traced: a span for each operation, and in it one for each attempt.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fmt;
use std::sync::{Arc, Mutex};

use support::{Conn, FakeClock, Server, client_of};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span's name, with those of the spans around it, and its fields.
type Span = (String, String);

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    made: Vec<Span>,
    /// The spans that are entered, by their place in `made`.
    entered: Vec<usize>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("wharf")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut state = self.0.lock().unwrap();
        let place = |id: &Id| id.into_u64() as usize - 1;
        let around =
            span.parent().map(place).or_else(|| state.entered.last().copied().filter(|_| span.is_contextual()));
        let around = around.map(|at| format!("{} > ", state.made[at].0)).unwrap_or_default();
        let mut fields = String::new();
        span.record(&mut Fields(&mut fields));
        let name = format!("{around}{}", span.metadata().name());
        state.made.push((name, fields.trim_end().to_owned()));
        Id::from_u64(state.made.len() as u64)
    }

    fn enter(&self, id: &Id) {
        self.0.lock().unwrap().entered.push(id.into_u64() as usize - 1);
    }

    fn exit(&self, id: &Id) {
        assert_eq!(self.0.lock().unwrap().entered.pop(), Some(id.into_u64() as usize - 1));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}
}

#[tokio::test]
async fn a_span_for_each_operation_and_each_attempt() {
    let spans = Spans::default();
    let _tracing = tracing::subscriber::set_default(spans.clone());
    let server = Server::start(|mut conn: Conn| async move {
        for status in [503, 500, 200, 200] {
            conn.request().await;
            conn.answer(status, "<ListBucketResult/>").await;
        }
    })
    .await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
    s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
    s3.list_objects("my-bucket").await.unwrap();
    let made = spans.0.lock().unwrap().made.clone();
    let made: Vec<_> = made.iter().map(|(name, fields)| (name.as_str(), fields.as_str())).collect();
    assert_eq!(
        made,
        [
            ("s3", r#"operation="PutObject" bucket="my-bucket" key="a""#),
            ("s3 > attempt", "number=1"),
            ("s3 > attempt", "number=2"),
            ("s3 > attempt", "number=3"),
            ("s3", r#"operation="ListObjectsV2" bucket="my-bucket""#),
            ("s3 > attempt", "number=1"),
        ]
    );
}
