//! The help of `wharf s3 VERB`, made of that of `wharf VERB`: what holds there alone is left out.

use clap::Command;
use clap::builder::StyledStr;

/// Of which verb, what it says, and what stands there after `s3`.
const OTHERWISE: [(&str, &str, &str); 7] = [
    ("ls", " With * or ? all keys that\nfit are listed whole.", ""),
    ("cp", "some objects down; ", ""),
    ("cp", "  wharf cp 's3://my-bucket/reports/2026-*.csv' copies/\n", ""),
    (
        "cp",
        " Of several sources all go into\nthe last place. Interrupted, the same command goes on",
        " Interrupted, the same\ncommand goes on",
    ),
    (
        "rm",
        "one object, or, with * or ?, all that fit; then you are asked\nfirst, and where nobody can be asked --recursive must be said. \
         Several URLs are done one after\nthe other, without `s3`.",
        "one object.",
    ),
    ("rm", "the prefix, or everything that fits, without asking", "the prefix"),
    (
        "sync",
        "both sides could be read to their end and all was transferred. A key that no file can have does\nnot prevent that. Empty objects whose keys end with a slash are not made into folders.",
        "both sides could be read to their end.",
    ),
];

/// Whether an option changes nothing there: keys are literal, and to `sync` an empty source is one like others.
fn is_idle(verb: &str, option: &str) -> bool {
    option == "raw" || (verb, option) == ("sync", "force")
}

/// The verb as `s3` has it.
pub(crate) fn of(verb: Command) -> Command {
    let name = verb.get_name().to_owned();
    let said = |text: &StyledStr| {
        let text = OTHERWISE
            .iter()
            .filter(|(verb, ..)| *verb == name)
            .fold(text.to_string(), |text, (_, ours, aws)| text.replace(ours, aws));
        text.replace(&format!("wharf {name} "), &format!("wharf s3 {name} "))
    };
    let (example, about) = (verb.get_before_help().map(said), verb.get_long_about().map(said));
    let verb = example.into_iter().fold(verb, Command::before_help);
    about.into_iter().fold(verb, Command::long_about).mut_args(|option| {
        let (help, is_idle) = (option.get_help().map(said), is_idle(&name, option.get_id().as_str()));
        let option = help.into_iter().fold(option, clap::Arg::help);
        if is_idle { option.hide(true) } else { option }
    })
}
