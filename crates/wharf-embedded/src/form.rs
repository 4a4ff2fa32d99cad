//! Forms: the fields in front of the file, and the file as it arrives.

pub(crate) mod policy;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http_body::Frame;
use multer::{Field, Multipart};
use wharf_transport::BoxError;

use crate::error::{Code, Error, Result, invalid_argument};
use crate::front::{Incoming, Watch};

/// The most bytes of all fields in front of the file: 20 KB, as S3 has it.
const MOST_FIELDS: usize = 20_000;

/// The most bytes that are read before the file begins. The parser keeps them all while it looks for the end of a
/// field's head, searching it anew with each piece, and reads a few pieces ahead with each field.
const MOST_FRONT: usize = 512 * 1024;

/// How much of that the parser is given at once.
const FRONT_PIECE: usize = 1024;

/// What came in front of the file. Names are in lower case, as their case means nothing.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(at, _)| *at == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

/// A form, read up to its file.
pub(crate) struct Form {
    pub(crate) fields: Fields,
    /// The last part of the name that the file has where it comes from.
    pub(crate) file_name: String,
    pub(crate) file: Field<'static>,
}

/// Reads a form up to its file; what follows the file is never looked at.
pub(crate) async fn read(content_type: &str, body: Incoming) -> Result<Form> {
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    let at_file = Arc::new(AtomicBool::new(false));
    let mut parts = Multipart::new(pieces(body, at_file.clone()), boundary);
    let (mut fields, mut size): (Vec<(String, String)>, _) = (Vec::new(), 0);
    while let Some(mut part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_lowercase();
        if name == "file" {
            at_file.store(true, Ordering::Relaxed);
            let path = part.file_name().unwrap_or_default();
            let file_name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
            return Ok(Form { fields: Fields(fields), file_name, file: part });
        }
        size += name.len();
        let mut value = BytesMut::new();
        while let Some(bytes) = part.chunk().await.map_err(malformed)? {
            size += bytes.len();
            if size > MOST_FIELDS {
                break;
            }
            value.extend_from_slice(&bytes);
        }
        if size > MOST_FIELDS {
            return Err(Code::MaxPostPreDataLengthExceeded.into());
        }
        // Of two values a policy could judge the one while the other is stored.
        if fields.iter().any(|(other, _)| *other == name) && !is_ignored(&name) {
            let message = format!("POST requires at most one field named '{name}'.");
            return Err(invalid_argument(message, &name, &String::from_utf8_lossy(&value)));
        }
        let value = String::from_utf8(value.into()).map_err(malformed)?;
        fields.push((name, value));
    }
    Err(Error::new(Code::InvalidArgument, "POST requires exactly one file upload per request."))
}

/// Whether a field is the sender's own business.
pub(crate) fn is_ignored(name: &str) -> bool {
    name.starts_with("x-ignore-")
}

/// The file as a body, of as many bytes as `length` has in it.
pub(crate) fn file(field: Field<'static>, length: RangeInclusive<u64>) -> Incoming {
    let watch = Watch::default();
    let body = File { field, length, size: 0, watch: watch.clone() };
    Incoming::new(s3s::Body::http_body_unsync(body), None, watch)
}

/// The body piece by piece, with a pause behind each: the parser takes all that is ready at once, and would have a
/// whole file in memory where it can be read faster than it is written.
fn pieces(body: Incoming, at_file: Arc<AtomicBool>) -> impl Stream<Item = Result<Bytes>> + Send {
    let (mut pause, mut rest, mut taken) = (false, Bytes::new(), 0);
    let mut pieces = Box::pin(stream::try_unfold(body, |mut body| async {
        Ok::<_, Error>(body.next().await?.map(|bytes| (bytes, body)))
    }));
    stream::poll_fn(move |cx| {
        if std::mem::take(&mut pause) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if rest.is_empty() {
            match ready!(pieces.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        pause = true;
        if at_file.load(Ordering::Relaxed) {
            return Poll::Ready(Some(Ok(std::mem::take(&mut rest))));
        }
        let piece = rest.split_to(rest.len().min(FRONT_PIECE));
        taken += piece.len();
        Poll::Ready(Some(if taken > MOST_FRONT { Err(Code::MaxPostPreDataLengthExceeded.into()) } else { Ok(piece) }))
    })
}

struct File {
    field: Field<'static>,
    length: RangeInclusive<u64>,
    size: u64,
    watch: Watch,
}

impl File {
    fn check(&mut self, piece: Option<&Bytes>) -> Result<()> {
        self.size += piece.map_or(0, |bytes| bytes.len() as u64);
        let (least, most) = (*self.length.start(), *self.length.end());
        if self.size > most {
            return Err(Error::from(Code::EntityTooLarge)
                .detail("ProposedSize", self.size.to_string())
                .detail("MaxSizeAllowed", most.to_string()));
        }
        if piece.is_none() && self.size < least {
            return Err(Error::from(Code::EntityTooSmall)
                .detail("ProposedSize", self.size.to_string())
                .detail("MinSizeAllowed", least.to_string()));
        }
        Ok(())
    }
}

impl http_body::Body for File {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let piece = ready!(Pin::new(&mut self.field).poll_next(cx)).transpose().map_err(malformed);
        let checked = piece.and_then(|piece| self.check(piece.as_ref()).map(|()| piece));
        Poll::Ready(match checked {
            Ok(piece) => piece.map(|bytes| Ok(Frame::data(bytes))),
            Err(error) => Some(Err(self.watch.fail(error))),
        })
    }
}

/// What the parser says: our own refusal of the body where it was one, or that it is no form.
fn malformed(error: impl Display + 'static) -> Error {
    let error: Box<dyn std::any::Any> = Box::new(error);
    let failed = error.downcast::<multer::Error>().map(|error| *error);
    match failed {
        Ok(multer::Error::StreamReadFailed(inner)) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(_) => Code::MalformedPostRequest.into(),
        },
        _ => Code::MalformedPostRequest.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: String) -> Incoming {
        Incoming::new(s3s::Body::from(Bytes::from(text)), None, Watch::default())
    }

    #[tokio::test]
    async fn fields_come_before_the_file_and_are_few() {
        let text = "--x\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; \
                    name=\"file\"; filename=\"C:\\\\dir\\\\f.txt\"\r\n\r\nbytes\r\n--x--\r\n";
        let form = read("multipart/form-data; boundary=x", body(text.to_owned())).await.unwrap();
        assert_eq!((form.fields.get("key"), form.file_name.as_str()), (Some("a"), "f.txt"));
        assert_eq!(&file(form.file, 0..=5).all(9).await.unwrap()[..], b"bytes");
        for (length, code) in [(0..=4, Code::EntityTooLarge), (6..=9, Code::EntityTooSmall)] {
            let form = read("multipart/form-data; boundary=x", body(text.to_owned())).await.unwrap();
            assert_eq!(file(form.file, length).all(9).await.unwrap_err().code(), code);
        }
        let cut = text[..text.len() - 8].to_owned();
        let form = read("multipart/form-data; boundary=x", body(cut)).await.unwrap();
        assert_eq!(file(form.file, 0..=9).all(9).await.unwrap_err().code(), Code::MalformedPostRequest);
        for (kind, text, code) in [
            ("multipart/form-data", text.to_owned(), Code::MalformedPostRequest),
            ("multipart/form-data; boundary=y", text.to_owned(), Code::MalformedPostRequest),
            ("multipart/form-data; boundary=x", "--x--\r\n".to_owned(), Code::InvalidArgument),
            (
                "multipart/form-data; boundary=x",
                text.replace("\na\r", &format!("\n{}\r", "a".repeat(20_001))),
                Code::MaxPostPreDataLengthExceeded,
            ),
        ] {
            assert_eq!(read(kind, body(text)).await.err().unwrap().code(), code, "{kind}");
        }
    }
}
