//! The options that `cp`, `mv` and `sync` share, as aws-cli has them, and a few of our own.

use clap::ValueEnum;
use wharf::Client;

use super::attributes::AttributeArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::filter::Filters;
use crate::globals::Connection;
use crate::payer::Payer;
use crate::printer::{Loudness, Printer};
use crate::units;
use crate::vigil::Vigil;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TransferArgs {
    /// Only print what would be done
    #[arg(long)]
    pub(crate) dryrun: bool,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Upload what symbolic links lead to: yes, unless it is said otherwise
    #[arg(long, overrides_with = "no_follow_symlinks")]
    follow_symlinks: bool,
    /// Leave symbolic links out
    #[arg(long)]
    no_follow_symlinks: bool,
    /// Leave alone what is at the destination already. Where the server is not known to keep
    /// conditions (see --provider), what is there is looked at first
    #[arg(long)]
    pub(crate) no_overwrite: bool,
    /// Print only what goes wrong
    #[arg(long)]
    pub(super) only_show_errors: bool,
    /// Show no bar
    #[arg(long)]
    no_progress: bool,
    #[arg(long, hide = true)]
    progress_frequency: Option<u32>,
    #[arg(long, hide = true)]
    progress_multiline: bool,
    /// How many names to ask for at a time
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = units::page_size, allow_negative_numbers = true)]
    pub(crate) page_size: u32,
    /// Say nothing of objects in an archive, which cannot be read
    #[arg(long)]
    pub(crate) ignore_glacier_warnings: bool,
    /// Try to read objects in an archive all the same
    #[arg(long)]
    pub(crate) force_glacier_transfer: bool,
    #[command(flatten)]
    payer: Payer,
    /// Checksums of downloads are always compared
    #[arg(long, value_name = "ENABLED", value_parser = ["ENABLED"], hide = true)]
    checksum_mode: Option<String>,
    /// What to do with keys that differ only in case
    #[arg(long, value_enum, value_name = "DEED", default_value_t = CaseConflict::default())]
    pub(crate) case_conflict: CaseConflict,
    /// Which metadata a copy has: its source's (COPY), or what is said here (REPLACE)
    #[arg(long, value_enum, value_name = "DIRECTIVE", ignore_case = true)]
    metadata_directive: Option<MetadataDirective>,
    /// What a copy takes from its source: nothing, what metadata-directive says, or tags too
    #[arg(long, value_enum, value_name = "PROPS", default_value_t = CopyProps::Default)]
    copy_props: CopyProps,
    /// The region of the source, where it is another
    #[arg(long, value_name = "NAME")]
    source_region: Option<String>,
    /// The server of the source, where it is another: its bytes then go through this machine
    #[arg(long, value_name = "URL")]
    source_endpoint_url: Option<String>,
    /// The profile for the source, where it is another: its bytes then go through this machine
    #[arg(long, value_name = "NAME")]
    source_profile: Option<String>,
    /// Take * and ? in URLs as they are
    #[arg(long)]
    pub(crate) raw: bool,
    /// Whether two names of buckets might be of one bucket: of `mv` alone.
    #[arg(skip)]
    pub(crate) validates_paths: bool,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
}

/// What to do with keys that differ only in case, where files cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CaseConflict {
    /// Nothing: the file system knows.
    #[cfg_attr(not(any(windows, target_os = "macos")), default)]
    Ignore,
    /// Leave the second out.
    #[cfg_attr(any(windows, target_os = "macos"), default)]
    Skip,
    /// Say so.
    Warn,
    /// Stop.
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum MetadataDirective {
    Copy,
    Replace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CopyProps {
    None,
    MetadataDirective,
    Default,
}

/// The clients of both ends.
pub(crate) struct Ends {
    pub(crate) source: Client,
    pub(crate) target: Client,
    /// Whether copies have to go through this machine: no server can reach both.
    pub(crate) through_here: bool,
}

impl Ends {
    pub(crate) fn vigil(&self) -> Vigil {
        Vigil::over([self.source.clone(), self.target.clone()])
    }
}

impl TransferArgs {
    /// Tells the printer how much is wanted.
    pub(crate) fn set(&self, printer: &mut Printer) {
        if !self.dryrun {
            printer.outlive_reader();
        }
        // What would be done is asked for, as with aws-cli.
        if self.only_show_errors && !self.dryrun {
            printer.at_most(Loudness::OnlyErrors);
        }
        if self.no_progress {
            printer.without_bar();
        }
    }

    pub(crate) fn follow_symlinks(&self) -> bool {
        self.follow_symlinks || !self.no_follow_symlinks
    }

    pub(crate) fn requester_pays(&self) -> bool {
        self.payer.requester_pays()
    }

    /// Whether a copy has what is said here in place of all its source's metadata.
    pub(crate) fn replaces_metadata(&self) -> bool {
        match self.metadata_directive {
            Some(directive) => directive == MetadataDirective::Replace,
            None => self.copy_props == CopyProps::None,
        }
    }

    /// Whether a copy has what is said here, and what its source has of the rest.
    pub(crate) fn changes_metadata(&self) -> bool {
        self.metadata_directive.is_none() && self.copy_props != CopyProps::None
    }

    /// Whether a copy leaves its source's tags behind.
    pub(crate) fn replaces_tags(&self) -> bool {
        self.copy_props != CopyProps::Default || self.attributes.has_tags()
    }

    pub(crate) fn ends(&self, context: &Context) -> Result<Ends, Failure> {
        let target = context.client()?;
        let through_here = self.source_endpoint_url.is_some() || self.source_profile.is_some();
        if !through_here && self.source_region.is_none() {
            return Ok(Ends { source: target.clone(), target, through_here });
        }
        let usual = &context.globals.connection;
        let mut connection = match &self.source_profile {
            // What is said of the target's server and keys says nothing of the source's.
            Some(profile) => Connection {
                profile: Some(profile.clone()),
                endpoint_url: None,
                region: None,
                embedded: None,
                no_sign_request: false,
                provider: None,
                ..usual.clone()
            },
            None => usual.clone(),
        };
        if let Some(url) = &self.source_endpoint_url {
            connection.endpoint_url = Some(url.clone());
            (connection.embedded, connection.provider) = (None, None);
        }
        if let Some(region) = &self.source_region {
            connection.region = Some(region.clone());
        }
        Ok(Ends { source: connection.client()?, target, through_here })
    }
}
