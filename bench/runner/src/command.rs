//! The rows of the command itself: `wharf` as it is typed, beside the commands of others.

mod programs;
mod report;
mod results;
mod rounds;
mod rows;

pub use programs::{PROGRAMS, Program};
pub use report::{judgement, print_row, print_summary};
pub use results::CommandResult;
pub use rows::{ROWS, Row, Verb};
