//! What is printed of the commands.

use super::results::CommandResult;
use super::rows::ONE_LINE;
use crate::report::yes;
use crate::results::QUIET;

/// One row, as soon as it is measured.
pub fn print_row(result: &CommandResult) {
    println!("\n{} ({})", result.row.title, result.row.name);
    println!("  {:23} {:>8} {:>8} {:>8} {:>9} {:>7} {:>7}", "", "cpu s", "time s", "MiB", "requests", "lists", "HEADs");
    for typed in &result.typed {
        let measured = &typed.measured;
        if let (true, Some(why)) = (measured.runs.is_empty(), measured.failures.first()) {
            println!("  {:23} FAILED: {why}", measured.name);
            continue;
        }
        let asked = typed.asked.map_or([0; 3], |sums| [sums.requests, sums.lists, sums.heads]);
        println!(
            "  {:23} {:8.4} {:8.4} {:8.1} {:>9} {:>7} {:>7}{}",
            measured.name,
            measured.cpu(),
            measured.wall(),
            measured.resident(),
            asked[0],
            asked[1],
            asked[2],
            if measured.failures.is_empty() { "" } else { "  (some runs failed)" },
        );
    }
    for line in judgement(result) {
        println!("  {line}");
    }
}

/// What the figures say, a line each.
pub fn judgement(result: &CommandResult) -> Vec<String> {
    let mut lines = Vec::new();
    for ahead in result.ahead() {
        lines.push(format!(
            "must {}: {} {:.2} times less {} than {}, {}",
            ahead.must,
            ahead.who,
            ahead.times,
            ahead.what,
            ahead.of,
            yes(ahead.is_met(), "met", "MISSED")
        ));
    }
    if let Some((cpu, resident, is_met)) = result.one_line() {
        lines.push(format!(
            "at most {:.0} ms of processor time and {:.0} MiB: {:.1} ms, {resident:.1} MiB, {}",
            ONE_LINE.0 * 1e3,
            ONE_LINE.1,
            cpu * 1e3,
            yes(is_met, "met", "MISSED")
        ));
    }
    if let Some((asked, is_met)) = result.few_requests() {
        lines.push(format!(
            "a list call for each 1,000 of {} files and no HEAD: {} requests, {} list calls, {} HEADs, {}",
            result.count,
            asked.requests,
            asked.lists,
            asked.heads,
            yes(is_met, "met", "MISSED")
        ));
    }
    let once: Vec<&str> = result.typed.iter().filter(|typed| typed.is_once).map(|typed| typed.measured.name).collect();
    if !once.is_empty() {
        lines.push(format!("run once, as that takes long: {}", once.join(", ")));
    }
    if result.others() > QUIET {
        lines.push(format!("not quiet: others took {:.0}% of a processor meanwhile", result.others() * 100.0));
    }
    lines
}

/// All rows in short.
pub fn print_summary(results: &[CommandResult]) {
    println!("\n{:26} {:>8} {:>8} {:>6}   ahead of s5cmd", "", "cpu s", "time s", "MiB");
    for result in results {
        let Some(wharf) = result.wharf() else { continue };
        let wharf = &wharf.measured;
        let said = |ahead: super::results::Ahead| {
            let met = yes(ahead.is_met(), "met", "no");
            format!("{}: {} {:.2} ({}) {met}", ahead.who, ahead.what, ahead.times, ahead.must)
        };
        let mut says: Vec<String> = result.ahead().into_iter().map(said).collect();
        says.extend(result.one_line().map(|(.., is_met)| format!("limits {}", yes(is_met, "met", "no"))));
        says.extend(result.few_requests().map(|(_, is_met)| format!("requests {}", yes(is_met, "met", "no"))));
        println!(
            "{:26} {:8.4} {:8.4} {:6.1}   {}",
            result.row.name,
            wharf.cpu(),
            wharf.wall(),
            wharf.resident(),
            says.join(", ")
        );
    }
}
