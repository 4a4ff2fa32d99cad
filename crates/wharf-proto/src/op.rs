//! S3's operations, one file each.

mod get_object;
mod list_objects;

pub use get_object::GetObject;
pub use list_objects::{ListObjects, ListObjectsOutput, ListedObject, Owner, RestoreStatus};
