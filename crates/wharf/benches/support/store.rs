//! The embedded store in a process of its own, as `wharf serve` runs it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use wharf_embedded::Store;

use super::{KEY_ID, Result, SECRET, runtime};

/// The argument that makes this program the server.
pub const ARGUMENT: &str = "store";

/// The server's process, which ends with this.
pub struct Process {
    child: Child,
    pub url: String,
}

impl Process {
    pub fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }

    /// Its process id.
    pub fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the process that started this one is gone.
pub fn serve() -> Result<()> {
    let runtime = runtime()?;
    let store = Store::builder().credentials(KEY_ID, SECRET).build();
    let server = runtime.block_on(store.serve("127.0.0.1:0"))?;
    writeln!(io::stdout(), "{}", server.endpoint())?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
