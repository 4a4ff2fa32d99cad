//! Ctrl-C, and SIGTERM, by which `docker stop` and `timeout` end a program: both end a verb in order.
//!
//! A thread waits for them. What is stuck in the system, say on a pipe that nobody reads, hears of nothing: the thread ends
//! the process then.

use std::io;
use std::process;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::Exit;

/// How long the verb may take to end by itself. A second signal does not wait.
const GRACE: Duration = Duration::from_secs(2);

/// Who asked the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Somebody pressed Ctrl-C.
    Interrupt,
    /// Another program.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is none"))]
    Terminate,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "ctrl-c",
            Self::Terminate => "SIGTERM",
        }
    }

    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }
}

/// The first that came.
static RECEIVED: LazyLock<watch::Sender<Option<Signal>>> = LazyLock::new(watch::Sender::default);

/// How many hear of it by themselves and put away what they began.
static ORDERLY: LazyLock<watch::Sender<usize>> = LazyLock::new(watch::Sender::default);

/// Listens from now on.
pub(crate) fn listen() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen()?
    };
    let work = move || {
        runtime.block_on(async {
            let signal = signals.next().await;
            RECEIVED.send_replace(Some(signal));
            let _ = timeout(GRACE, signals.next()).await;
            process::exit(signal.exit() as i32)
        })
    };
    thread::Builder::new().name("signals".to_owned()).spawn(work).map(drop)
}

/// Waits for one.
pub(crate) async fn received() -> Signal {
    match RECEIVED.subscribe().wait_for(Option::is_some).await.map(|signal| *signal) {
        Ok(Some(signal)) => signal,
        _ => std::future::pending().await,
    }
}

/// Waits for one that nobody else answers.
pub(crate) async fn unanswered() -> Signal {
    let signal = received().await;
    let _ = ORDERLY.subscribe().wait_for(|count| *count == 0).await;
    signal
}

/// Held by what answers a signal in its own way.
pub(crate) struct Orderly;

impl Orderly {
    pub(crate) fn begin() -> Self {
        ORDERLY.send_modify(|count| *count += 1);
        Self
    }
}

impl Drop for Orderly {
    fn drop(&mut self) {
        ORDERLY.send_modify(|count| *count -= 1);
    }
}

/// SIGINT and SIGTERM, or Ctrl-C where there are none.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(not(unix))]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Signal {
        self.interrupt.recv().await;
        Signal::Interrupt
    }
}
