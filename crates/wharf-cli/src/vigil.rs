//! What somebody is told while a server is away.

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::time::timeout;
use wharf::Client;
use wharf::proto::escape;

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

/// `waiting for http://127.0.0.1:9000: ..., trying until 04:35:00`.
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
        let until = LocalTime::new().time_of_day(self.until);
        let message = escape::line(self.message.trim_end_matches('.'));
        write!(f, "waiting for {}: {message}, trying until {until}", self.server)
    }
}

/// Looks whether the servers of a command do what they are asked.
pub(crate) struct Vigil {
    clients: Vec<Client>,
    was_told: bool,
}

impl Vigil {
    pub(crate) fn over(clients: impl IntoIterator<Item = Client>) -> Self {
        Self { clients: clients.into_iter().collect(), was_told: false }
    }

    /// Says what is waited for: in the place of the bar for as long as it lasts; else in a line, once.
    pub(crate) fn look(&mut self, printer: &mut Printer) {
        let least = if printer.bar().is_some() { A_WHILE } else { LONG };
        // One that waits for a moment hides none that waits for long.
        let waiting = self.clients.iter().filter_map(Client::waiting).find(|waiting| waiting.so_far >= least);
        let said = |waiting: wharf::transfer::Waiting| Waiting {
            server: waiting.server,
            message: waiting.reason,
            until: SystemTime::now().checked_add(waiting.left),
        };
        if printer.bar().is_some() {
            let waiting = waiting.map(said);
            printer.update(|bar| bar.wait(waiting.map(|waiting| waiting.to_string())));
        } else if let Some(waiting) = waiting.filter(|_| !self.was_told) {
            self.was_told = true;
            printer.problem(&said(waiting));
        }
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
    use super::*;

    #[tokio::test]
    async fn what_comes_gives_the_bar_its_place_back() {
        let mut printer = Printer::with_bar(Bar::count("objects"));
        printer.update(|bar| bar.wait(Some("waiting for a server".to_owned())));
        assert_eq!(Vigil::over([]).until(&mut printer, std::future::ready(7)).await, 7);
        assert!(!printer.bar().unwrap().is_waiting());
    }
}
