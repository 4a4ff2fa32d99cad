//! `--sse-c` and `--sse-c-key`: objects that are encrypted with the user's own key.

use std::fs;

use wharf::CustomerKey;

use crate::paramfile::at_home;

#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct CustomerKeyArgs {
    /// Objects are encrypted with your own key
    #[arg(long = "sse-c", id = "sse_c", value_name = "ALGORITHM", num_args = 0..=1, default_missing_value = "AES256", value_parser = ["AES256"], requires = "sse_c_key")]
    _sse_c: Option<String>,
    /// Your own key: 32 bytes, or fileb://FILE
    #[arg(long, value_name = "KEY", value_parser = customer_key, allow_hyphen_values = true, requires = "sse_c")]
    sse_c_key: Option<CustomerKey>,
}

impl CustomerKeyArgs {
    pub(crate) fn key(&self) -> Option<&CustomerKey> {
        self.sse_c_key.as_ref()
    }
}

/// The 32 bytes of a key: the text itself, or what is in a file.
pub(crate) fn customer_key(text: &str) -> Result<CustomerKey, String> {
    let bytes = match text.strip_prefix("fileb://").or_else(|| text.strip_prefix("file://")) {
        Some(path) => fs::read(at_home(path)).map_err(|error| format!("{path} cannot be read: {error}"))?,
        None => text.as_bytes().to_vec(),
    };
    let key: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| format!("a key has 32 bytes, and this has {}; it is not base64", bytes.len()))?;
    Ok(CustomerKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_32_bytes() {
        assert!(customer_key("0123456789abcdef0123456789abcdef").is_ok());
        assert!(customer_key("short").is_err() && customer_key("fileb:///nonexistent").is_err());
    }
}
