//! A download that is cancelled while its file gets its name.

use std::fs;
use std::future::IntoFuture;
use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use wharf_embedded::{Fault, Operation};

use crate::common::{MIB, Place, bytes, names, soon};

/// Keeps the one thread that blocks busy, until this is dropped.
struct Held(#[expect(dead_code, reason = "dropped, it ends the waiting")] mpsc::Sender<()>);

/// Waits in line for the thread, and says when it has it.
fn hold() -> (Held, oneshot::Receiver<()>) {
    let (release, released) = mpsc::channel();
    let (began, begins) = oneshot::channel();
    spawn_blocking(move || {
        let _ = began.send(());
        let _ = released.recv();
    });
    (Held(release), begins)
}

/// What came of a download that was cancelled when so many of its blocking steps were done: whether its file had its name
/// before, and whether it has it now. `None` where it has fewer.
async fn cancelled_after(steps: usize) -> Option<(bool, bool)> {
    let (place, data) = (Place::new().await, bytes(3 * MIB));
    place.object(&data).await;
    let target = place.path("target");
    let (mut held, begins) = hold();
    begins.await.unwrap();
    let mut transfer = place.download().start().unwrap();
    for step in 0.. {
        // All that needs no thread is done, and what needs one waits for it.
        for _ in 0..1000 {
            yield_now().await;
        }
        if (&mut transfer).now_or_never().is_some() {
            return None;
        }
        if step == steps {
            break;
        }
        let (next, begins) = hold();
        drop(std::mem::replace(&mut held, next));
        begins.await.unwrap();
    }
    let before = target.exists();
    let cancelling = tokio::spawn(transfer.cancel());
    yield_now().await;
    drop(held);
    cancelling.await.unwrap().unwrap();
    let after = target.exists();
    if after {
        assert!(fs::read(&target).unwrap() == data, "after {steps} steps");
        assert_eq!(names(place.folder.path()), ["target"], "after {steps} steps");
    }
    // What was kept is of use, and what is whole can be fetched anew.
    place.download().await.unwrap();
    assert!(fs::read(&target).unwrap() == data);
    assert_eq!(names(place.folder.path()), ["target"], "after {steps} steps");
    Some((before, after))
}

#[test]
fn a_file_that_gets_its_name_amid_a_cancel_leaves_no_journal() {
    let mut amid = 0;
    for steps in 0.. {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
        match runtime.block_on(cancelled_after(steps)) {
            Some((before, after)) => amid += usize::from(!before && after),
            None => break,
        }
    }
    assert_eq!(amid, 1, "it gets its name once");
}

#[test]
fn dropped_outside_a_runtime_it_lets_go_of_its_file() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (place, data) = (runtime.block_on(Place::new()), bytes(8 * MIB));
    runtime.block_on(place.object(&data));
    let stalls = Fault::delay_body(MIB as u64 / 2, Duration::from_secs(600)).on(Operation::GetObject);
    place.store.inject(stalls).unwrap();
    let several = || place.download().part_size(MIB as u64).concurrency(4);
    let before = runtime.metrics().num_alive_tasks();
    // Made outside of it too, so that it knows of none.
    let mut call = several().into_future();
    runtime.block_on(soon(async {
        while place.count(Operation::GetObject) < 4 {
            assert!((&mut call).now_or_never().is_none());
            yield_now().await;
        }
    }));
    drop(call);
    // Its tasks are ended when it is their turn. Those that go on ask again in the end.
    runtime.block_on(soon(async {
        while runtime.metrics().num_alive_tasks() > before {
            assert_eq!(place.count(Operation::GetObject), 4);
            yield_now().await;
        }
        place.store.clear_faults();
        several().await.unwrap();
    }));
    assert!(fs::read(place.path("target")).unwrap() == data);
    assert_eq!(names(place.folder.path()), ["target"]);
}
