//! What somebody is told while a server is away.

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::time::{Instant, timeout};
use wharf::proto::escape;
use wharf::transfer::PATIENCE;
use wharf::{Client, Counters};

use crate::local_time::LocalTime;
use crate::message::time;
use crate::printer::Printer;
use crate::progress::Bar;

/// From when on the bar gives its place to it, and has it back afterwards.
const A_WHILE: Duration = Duration::from_secs(1);

/// From when on it is worth a line, where there is no bar.
const LONG: Duration = Duration::from_secs(5);

/// How often it is looked.
const BEAT: Duration = Duration::from_millis(200);

/// `waiting for http://127.0.0.1:9000: ..., trying until 04:35:00`; until when, where something has failed.
#[derive(Serialize)]
#[serde(tag = "type", rename = "waiting")]
struct Waiting {
    server: String,
    message: String,
    #[serde(serialize_with = "time")]
    until: Option<SystemTime>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiting for {}: {}", self.server, escape::line(self.message.trim_end_matches('.')))?;
        match self.until {
            Some(_) => write!(f, ", trying until {}", LocalTime::new().time_of_day(self.until)),
            None => Ok(()),
        }
    }
}

/// Looks whether the servers of a command do what they are asked.
pub(crate) struct Vigil {
    clients: Vec<Watched>,
    /// Whether it was said that a server fails, and that one is silent.
    was_told: [bool; 2],
}

/// A client, what it had done when that changed last, and when that was.
struct Watched {
    client: Client,
    done: Counters,
    since: Instant,
}

impl Watched {
    /// For how long its server has neither taken anything nor answered, while something waits for it.
    fn silence(&mut self) -> Duration {
        let done = self.client.counters();
        if done != self.done || done.awaited == 0 {
            (self.done, self.since) = (done, Instant::now());
        }
        self.since.elapsed()
    }
}

impl Vigil {
    pub(crate) fn over(clients: impl IntoIterator<Item = Client>) -> Self {
        let watched = |client: Client| Watched { done: client.counters(), since: Instant::now(), client };
        Self { clients: clients.into_iter().map(watched).collect(), was_told: [false; 2] }
    }

    /// Says what is waited for: in the place of the bar for as long as it lasts; else in a line, once.
    pub(crate) fn look(&mut self, printer: &mut Printer) {
        let least = if printer.bar().is_some() { A_WHILE } else { LONG };
        // One that waits for a moment hides none that waits for long.
        let failing = self.clients.iter().filter_map(|watched| watched.client.waiting());
        let mut failing = failing.filter(|waiting| waiting.so_far >= least).map(|waiting| Waiting {
            server: waiting.server,
            message: waiting.reason,
            until: SystemTime::now().checked_add(waiting.left),
        });
        let waiting = failing.next().or_else(|| self.silent());
        if printer.bar().is_some() {
            printer.update(|bar| bar.wait(waiting.map(|waiting| waiting.to_string())));
        } else if let Some(waiting) = waiting {
            let [of_failure, of_silence] = &mut self.was_told;
            let was_told = if waiting.until.is_some() { of_failure } else { of_silence };
            if !std::mem::replace(was_told, true) {
                printer.problem(&waiting);
            }
        }
    }

    /// The server that serves nothing any more, though it was tried for so long.
    pub(crate) fn away(&self, patience: Option<Duration>) -> Option<String> {
        let patience = patience.unwrap_or(PATIENCE);
        self.clients.iter().map(|watched| &watched.client).find(|client| client.is_away(patience)).map(Client::server)
    }

    /// What has failed in no way yet, and does not go on either.
    fn silent(&mut self) -> Option<Waiting> {
        let silent = self.clients.iter_mut().map(|watched| (watched.silence(), watched.client.server()));
        let (silence, server) = silent.max_by_key(|(silence, _)| *silence)?;
        let message = format!("no answer for {} s", silence.as_secs());
        (silence >= LONG).then_some(Waiting { server, message, until: None })
    }

    /// Waits for something, and looks meanwhile.
    pub(crate) async fn until<T>(&mut self, printer: &mut Printer, wanted: impl Future<Output = T>) -> T {
        tokio::pin!(wanted);
        loop {
            match timeout(BEAT, &mut wanted).await {
                Ok(got) => {
                    // Where something comes more often than each beat, nothing else gives the bar its place back.
                    if printer.bar().is_some_and(Bar::is_waiting) {
                        self.look(printer);
                    }
                    return got;
                }
                Err(_) => self.look(printer),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_embedded::{Fault, Store};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_waited_for_aloud() {
        let store = Store::in_memory();
        let s3 = Client::builder().transport(store.clone()).build().unwrap();
        store.inject(Fault::delay(Duration::from_secs(20))).unwrap();
        let mut printer = Printer::with_bar(Bar::count("buckets"));
        let mut vigil = Vigil::over([s3.clone()]);
        // Nothing is asked of it.
        vigil.until(&mut printer, tokio::time::sleep(LONG * 9)).await;
        let mut listing = std::pin::pin!(async { s3.list_buckets().await });
        for (seconds, waits) in [(4, false), (2, true)] {
            let looking = vigil.until(&mut printer, &mut listing);
            timeout(Duration::from_secs(seconds), looking).await.unwrap_err();
            assert_eq!(printer.bar().unwrap().is_waiting(), waits, "{seconds}");
        }
        assert_eq!(vigil.silent().unwrap().to_string(), format!("waiting for {}: no answer for 5 s", s3.server()));
        vigil.until(&mut printer, listing).await.unwrap();
        assert!(!printer.bar().unwrap().is_waiting() && s3.counters().awaited == 0);
    }

    #[tokio::test]
    async fn what_comes_gives_the_bar_its_place_back() {
        let mut printer = Printer::with_bar(Bar::count("objects"));
        printer.update(|bar| bar.wait(Some("waiting for a server".to_owned())));
        assert_eq!(Vigil::over([]).until(&mut printer, std::future::ready(7)).await, 7);
        assert!(!printer.bar().unwrap().is_waiting());
    }
}
