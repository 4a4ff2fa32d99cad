//! What is printed.

use crate::results::{MOST_MEMORY, MUST, QUIET, RowResult};
use crate::rows::{Counts, Place};

/// One row, as soon as it is measured.
pub fn print_row(result: &RowResult) {
    let row = &result.row;
    let unit = if row.counts == Counts::Cpu { "cpu s" } else { "time s" };
    println!("\n{} ({})", row.title, row.name);
    println!(
        "  {:23} {unit:>7} {:>15} {:>7} {:>7} {:>8} {:>8}",
        "", "lowest-highest", "wall s", "MiB", "x floor", "x best"
    );
    let (floor, best) = (result.floor(), result.best_peer().map(|peer| result.value(peer)));
    for program in &result.measured {
        if let (true, Some(why)) = (program.runs.is_empty(), program.failures.first()) {
            println!("  {:23} FAILED: {why}", program.name);
            continue;
        }
        let value = result.value(program);
        let (low, high) = program.span(row.counts);
        let ratio = |to: Option<f64>| to.map_or("-".to_owned(), |to| format!("{:.2}", value / to));
        println!(
            "  {:23} {value:7.3} {:>15} {:7.3} {:7.1} {:>8} {:>8}{}",
            program.name,
            format!("{low:.3}-{high:.3}"),
            program.wall(),
            program.resident(),
            ratio(floor),
            ratio(best),
            if program.failures.is_empty() { "" } else { "  (some runs failed)" },
        );
    }
    for line in judgement(result) {
        println!("  {line}");
    }
}

/// What the figures say, a line each.
pub fn judgement(result: &RowResult) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(ahead), Some(meets), Some(best)) = (result.ahead(), result.meets_must(), result.best_peer()) {
        lines.push(format!("must {MUST}: {ahead:.2} times ahead of {}, {}", best.name, yes(meets, "met", "MISSED")));
    }
    if let Some(best) = result.best_in_parallel()
        && let Some(ahead) = result.ahead_of(best)
    {
        lines.push(format!("of those that move parts side by side, {ahead:.2} times ahead of {}", best.name));
    }
    if let (Some((is, most)), Some(meets)) = (result.aim(), result.meets_aim()) {
        lines.push(format!("aim {most:.2}: {is:.2} times the floor, {}", yes(meets, "met", "missed")));
    }
    if let (Some((now, first)), Some(holds)) = (result.proportion(), result.is_in_proportion()) {
        lines.push(format!(
            "floor to best peer {now:.2}, at first {first:.2}: {:+.0}%, {}",
            (now / first - 1.0) * 100.0,
            yes(holds, "it counts", "OUTSIDE 15%")
        ));
    }
    if let Some(wharf) = result.wharf().filter(|_| result.row.place != Place::None && result.row.counts == Counts::Cpu)
    {
        let is = wharf.resident();
        lines.push(format!("memory {MOST_MEMORY} MiB: {is:.1}, {}", yes(is <= MOST_MEMORY, "met", "MISSED")));
    }
    if result.others() > QUIET {
        lines.push(format!("not quiet: others took {:.0}% of a processor meanwhile", result.others() * 100.0));
    }
    lines
}

pub fn yes(is: bool, then: &'static str, or: &'static str) -> &'static str {
    if is { then } else { or }
}

/// All rows in short, and whether everything went as it should.
pub fn print_summary(results: &[RowResult]) {
    println!(
        "\n{:20} {:>7} {:>7} {:>7}  {:23} {:>6} {:>5}   {:>13} {:>5}",
        "", "floor", "wharf", "best", "", "ahead", "must", "x floor (aim)", "aim"
    );
    for result in results {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let met = |is: Option<bool>| is.map_or("-", |is| yes(is, "met", "no"));
        let best = result.best_peer();
        println!(
            "{:20} {:>7} {:>7} {:>7}  {:23} {:>6} {:>5}   {:>13} {:>5}",
            result.row.name,
            number(result.floor()),
            number(result.wharf().map(|wharf| result.value(wharf))),
            number(best.map(|peer| result.value(peer))),
            best.map_or("", |peer| peer.name),
            result.ahead().map_or("-".to_owned(), |ahead| format!("{ahead:.2}")),
            met(result.meets_must()),
            result.aim().map_or("-".to_owned(), |(is, most)| format!("{is:.2} ({most:.2})")),
            met(result.meets_aim()),
        );
    }
}
