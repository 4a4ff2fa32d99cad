//! wharf-proto

pub mod checksum;
mod credentials;
pub mod sigv4;

pub use credentials::Credentials;
