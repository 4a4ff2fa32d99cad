//! Bars: wharf and its peers as multiples of the floor.

use std::fmt::Write;

use crate::programs::Kind;
use crate::results::RowResult;
use crate::rows::Counts;

const WIDTH: f64 = 900.0;
const LABEL: f64 = 190.0;
const BAR: f64 = 15.0;
const STEP: f64 = 19.0;

/// What is longer is cut off, and its number says how long it is.
const MOST: f64 = 8.0;

/// One picture of all rows in which processor time counts.
pub fn svg(results: &[RowResult]) -> String {
    let mut body = String::new();
    let mut y = 34.0;
    for result in results.iter().filter(|result| result.row.counts == Counts::Cpu && result.row.first.is_some()) {
        let Some(floor) = result.floor() else { continue };
        let mut bars: Vec<_> = result
            .measured
            .iter()
            .filter(|program| !program.runs.is_empty() && program.name != "floor-sendfile")
            .collect();
        bars.sort_by(|one, other| result.value(one).total_cmp(&result.value(other)));
        let _ = writeln!(body, "<text x=\"8\" y=\"{y:.0}\" class=\"row\">{}</text>", escape(result.row.title));
        y += 8.0;
        for program in bars {
            let ratio = result.value(program) / floor;
            let width = (ratio.min(MOST) / MOST) * (WIDTH - LABEL - 120.0);
            let class = match program.kind {
                Kind::Floor => "floor",
                Kind::Wharf => "wharf",
                Kind::Peer => "peer",
            };
            let text = y + BAR - 3.0;
            let cut = if ratio > MOST { " »" } else { "" };
            let _ = writeln!(
                body,
                "<text x=\"{:.0}\" y=\"{text:.0}\" class=\"name\">{}</text><rect x=\"{LABEL}\" y=\"{y:.0}\" width=\"{width:.1}\" \
                 height=\"{BAR}\" class=\"{class}\"/><text x=\"{:.1}\" y=\"{text:.0}\">{:.2} s, {ratio:.1}{cut}</text>",
                LABEL - 6.0,
                escape(program.name),
                LABEL + width + 6.0,
                result.value(program),
            );
            y += STEP;
        }
        y += 22.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" width=\"{WIDTH}\" height=\"{y:.0}\">\n\
         <style>svg{{background:#fff}}text{{font:12px sans-serif;fill:#222}}.row{{font-weight:bold;font-size:13px}}\
         .name{{text-anchor:end}}.floor{{fill:#9aa5b1}}.wharf{{fill:#0b7285}}.peer{{fill:#d9a05b}}</style>\n\
         <text x=\"8\" y=\"14\">Processor seconds of the client, and how many times the floor that is. Less is better.</text>\n\
         {body}</svg>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
