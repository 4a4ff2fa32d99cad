//! `--request-payer`.

/// Who pays for what a verb asks.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Payer {
    /// Pay for the requests, where the bucket's owner does not
    #[arg(long, value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    request_payer: Option<String>,
}

impl Payer {
    /// Whether it is the one who asks.
    pub(crate) fn requester_pays(&self) -> bool {
        self.request_payer.is_some()
    }
}
