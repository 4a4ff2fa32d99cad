//! Where an upload that is to be resumed says what it has done.

use std::fmt;

use wharf_proto::checksum::Checksum;
use wharf_proto::op::PartsChecksum;
use wharf_proto::{ETag, Error};

use super::file::Snapshot;

/// What an upload in parts tells of itself while it runs. One that has a ledger is kept when it fails or is dropped.
///
/// Without one nothing is written down. An object that goes in one request tells nothing.
pub(crate) trait Ledger: fmt::Debug + Send + Sync {
    /// What an earlier run of this upload has left. What no longer fits is sent again.
    fn earlier(&self) -> Option<Earlier>;

    /// The upload was begun; no part is sent before this returns.
    fn begun(&self, upload: &NewUpload<'_>) -> Result<(), Error>;

    /// A part is stored.
    fn stored(&self, part: &StoredPart) -> Result<(), Error>;

    /// The object is there: nothing is left to resume.
    fn ended(&self) -> Result<(), Error>;
}

/// An upload that was begun.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "for uploads that are resumed"))]
pub(crate) struct NewUpload<'a> {
    pub(crate) upload_id: &'a str,
    /// Of its first part.
    pub(crate) part_size: u64,
    /// Of all bytes, where it is known.
    pub(crate) length: Option<u64>,
    pub(crate) checksum: Option<PartsChecksum>,
    /// What the object's metadata tells of who writes it.
    pub(crate) write_id: Option<&'a str>,
    /// What is uploaded, if it is a file.
    pub(crate) file: Option<&'a Snapshot>,
}

/// An upload that goes on.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) upload_id: String,
    pub(crate) checksum: Option<PartsChecksum>,
    pub(crate) write_id: Option<String>,
    /// Those that the server still has.
    pub(crate) parts: Vec<StoredPart>,
}

/// A part that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPart {
    pub(crate) number: u32,
    pub(crate) length: u64,
    pub(crate) etag: ETag,
    /// The checksum of the bytes that were sent.
    pub(crate) checksum: Option<Checksum>,
    /// Whether the server has named it.
    pub(crate) confirmed: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use wharf_embedded::{Fault, Operation, Store};

    use super::*;
    use crate::Client;

    /// Remembers in memory.
    #[derive(Debug, Default)]
    struct Book(Mutex<(Option<Earlier>, Vec<String>)>);

    impl Ledger for Book {
        fn earlier(&self) -> Option<Earlier> {
            self.0.lock().unwrap().0.clone()
        }

        fn begun(&self, upload: &NewUpload<'_>) -> Result<(), Error> {
            let mut book = self.0.lock().unwrap();
            let (upload_id, checksum) = (upload.upload_id.to_owned(), upload.checksum);
            let write_id = upload.write_id.map(str::to_owned);
            book.0 = Some(Earlier { upload_id, checksum, write_id, parts: Vec::new() });
            assert!(upload.file.is_none());
            book.1.push(format!("begun {} {:?}", upload.part_size, upload.length));
            Ok(())
        }

        fn stored(&self, part: &StoredPart) -> Result<(), Error> {
            let mut book = self.0.lock().unwrap();
            book.0.as_mut().unwrap().parts.push(part.clone());
            book.1.push(format!("stored {}", part.number));
            Ok(())
        }

        fn ended(&self) -> Result<(), Error> {
            self.0.lock().unwrap().1.push("ended".to_owned());
            Ok(())
        }
    }

    #[tokio::test]
    async fn an_upload_goes_on_where_it_ended() {
        let store = Store::in_memory();
        let s3 = Client::builder().transport(store.clone()).build().unwrap();
        s3.create_bucket("my-bucket").await.unwrap();
        let data: Vec<u8> = (0..20 << 20).map(|at| (at >> 20) as u8).collect();
        let book = Arc::new(Book::default());
        let upload = || s3.upload("my-bucket", "a", data.clone()).concurrency(1).write_id(true).ledger(book.clone());
        store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(3)).unwrap();
        let error = upload().await.unwrap_err();
        assert!(error.to_string().contains("the upload was kept, to be resumed"), "{error}");
        assert_eq!(book.0.lock().unwrap().1, ["begun 8388608 Some(20971520)", "stored 1", "stored 2"]);
        store.clear_requests();
        // The id that the object was begun with proves whose it is, also after another run.
        store.inject(Fault::drop_answer().on(Operation::CompleteMultipartUpload).times(1)).unwrap();
        // A part that is not what it is to be is sent again.
        book.0.lock().unwrap().0.as_mut().unwrap().parts[1].length -= 1;
        let uploaded = upload().await.unwrap();
        let asked: Vec<_> = store.requests().iter().map(|request| request.operation).collect();
        let complete = "CompleteMultipartUpload";
        assert_eq!(asked, ["UploadPart", "UploadPart", complete, complete, "HeadObject"]);
        assert!(uploaded.verification.is_verified());
        assert_eq!(book.0.lock().unwrap().1[3..], ["stored 2", "stored 3", "ended"]);
        assert_eq!(s3.get_object("my-bucket", "a").bytes().await.unwrap(), data);
    }
}
