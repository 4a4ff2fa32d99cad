//! `--include` and `--exclude`.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::pattern::Pattern;

/// The filters in the order in which they were typed: the last one that fits decides, and what none fits is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters(Vec<Filter>);

#[derive(Debug, Clone)]
struct Filter {
    include: bool,
    pattern: Pattern,
    text: String,
    /// The folder that names are relative to, where the pattern is for whole paths.
    root: Option<Arc<str>>,
}

impl Filter {
    fn fits(&self, name: &str) -> bool {
        match &self.root {
            Some(root) => self.pattern.matches(&format!("{root}/{name}")),
            None => self.pattern.matches(name),
        }
    }
}

impl Filters {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the first takes after all what nothing has left out.
    pub(crate) fn begin_with_include(&self) -> bool {
        self.0.first().is_some_and(|filter| filter.include)
    }

    /// Whether what has this name is taken. `name` is relative to the root of what is gone through.
    pub(crate) fn take(&self, name: &str) -> bool {
        self.0.iter().rev().find(|filter| filter.fits(name)).is_none_or(|filter| filter.include)
    }

    /// Whether anything below this folder may be taken: not where what leaves out the folder leaves out all that is in it.
    pub(crate) fn may_take_below(&self, folder: &str) -> bool {
        let inside = format!("{}/", folder.trim_end_matches('/'));
        let last =
            self.0.iter().rev().find(|filter| filter.include || filter.text.ends_with('*') && filter.fits(&inside));
        last.is_none_or(|filter| filter.include)
    }

    /// The filters for what is gone through from the folder `root`: a pattern that is an absolute path holds for whole paths, as
    /// with aws-cli.
    pub(crate) fn below(&self, root: &str) -> Self {
        let root = root.trim_end_matches('/');
        let filters = self.0.iter().map(|filter| match filter.text.strip_prefix(root) {
            // What is wild in the name of the folder itself is not meant so.
            Some(rest) if rest.starts_with('/') && !root.is_empty() => {
                Filter { pattern: Pattern::new(&rest[1..]), ..filter.clone() }
            }
            _ if filter.text.starts_with('/') => Filter { root: Some(root.into()), ..filter.clone() },
            _ => filter.clone(),
        });
        Self(filters.collect())
    }
}

// By hand, since the derived form forgets in which order two options came.
impl Args for Filters {
    fn augment_args(command: Command) -> Command {
        let option = |name: &'static str| Arg::new(name).long(name).value_name("PATTERN").action(ArgAction::Append);
        command
            .arg(option("exclude").help("Leave out what fits; * (slashes too), ? and [a-z] are wild"))
            .arg(option("include").help("Take what fits after all; of several filters the last that fits decides"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Filters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut filters = Self::default();
        filters.update_from_arg_matches(matches)?;
        Ok(filters)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let of = |name: &'static str, include| {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            places.zip(values).map(move |(at, text)| (at, include, text))
        };
        let mut all: Vec<_> = of("exclude", false).chain(of("include", true)).collect();
        all.sort_by_key(|(at, ..)| *at);
        self.0 = all
            .into_iter()
            .map(|(_, include, text)| Filter { include, pattern: Pattern::new(text), text: text.clone(), root: None })
            .collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn filters(args: &[&str]) -> Filters {
        let command = Filters::augment_args(Command::new("test").no_binary_name(true));
        Filters::from_arg_matches(&command.try_get_matches_from(args.iter().map(OsString::from)).unwrap()).unwrap()
    }

    #[test]
    fn what_is_below_a_folder_may_be_taken_unless_all_of_it_is_left_out() {
        for (args, may_be) in [
            (&["--exclude", "sub/*"][..], false),
            (&["--exclude", "*"], false),
            (&["--include", "*.txt", "--exclude", "*"], false),
            (&["--exclude", "*", "--include", "*.txt"], true),
            (&["--exclude", "sub"], true),
            (&["--exclude", "*.txt"], true),
            (&[], true),
        ] {
            assert_eq!(
                (filters(args).may_take_below("sub/"), filters(args).may_take_below("sub")),
                (may_be, may_be),
                "{args:?}"
            );
        }
    }

    #[test]
    fn the_last_that_fits_decides() {
        let only_text = filters(&["--exclude", "*", "--include", "*.txt"]);
        assert!(only_text.take("a/b.txt") && !only_text.take("a/b.gz"));
        let nothing = filters(&["--include", "*.txt", "--exclude", "*"]);
        assert!(!nothing.take("a/b.txt") && !nothing.take("a/b.gz"));
        let interleaved = filters(&["--exclude", "*", "--include", "a/*", "--exclude", "a/b*", "--include=a/bc"]);
        assert!(interleaved.take("a/x") && !interleaved.take("a/bx") && interleaved.take("a/bc"));
        assert!(!interleaved.take("x"));
        assert!(filters(&[]).take("anything"));
    }

    #[test]
    fn an_absolute_pattern_holds_for_whole_paths() {
        let absolute = filters(&["--exclude", "/data/logs/*"]);
        assert!(!absolute.below("/data").take("logs/a") && absolute.below("/data").take("other"));
        assert!(!absolute.below("/data/logs/").take("a"));
        assert!(absolute.below("/elsewhere").take("logs/a"));
        assert!(!filters(&["--exclude", "/*/logs/*"]).below("/data").take("logs/a"));
        assert!(!filters(&["--exclude", "/*"]).below("/").take("a"));
        assert!(filters(&["--exclude", "/*"]).take("a"));
    }
}
