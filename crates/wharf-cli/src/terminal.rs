//! Questions to somebody who sits at a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::error::{Exit, Failure};

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that only `y` or `yes` answers with yes.
///
/// # Errors
/// Nobody is there.
pub(crate) async fn ask(question: String) -> Result<bool, Failure> {
    if !can_ask() {
        return Err(Failure::usage(format!("nobody is there to be asked: {question}")).hint(
            "--recursive does it without a question, --dryrun shows what would go, --raw takes * and ? as they are",
        ));
    }
    // Ctrl-C is heard meanwhile.
    let asking = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        write!(io::stderr(), "{question} [y/N] ")?;
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer)
    });
    let answer: io::Result<String> = asking.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let answer = answer.map_err(|error| Failure::new(Exit::Other, format!("the terminal cannot be read: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
