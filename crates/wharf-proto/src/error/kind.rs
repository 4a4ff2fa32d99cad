//! Which kind an answer's failure is, and what can be done about it.

use http::StatusCode;

use crate::retry::FailureClass;

/// What kind of failure an [`Error`](crate::Error) is. Kinds that S3 has a code for carry the code's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bucket has no such key.
    NoSuchKey,
    /// There is no such bucket.
    NoSuchBucket,
    /// There is no such multipart upload: never begun, completed or aborted.
    NoSuchUpload,
    /// The key has no such version, or this version is a delete marker.
    NoSuchVersion,
    /// The answer was 404 without saying what is missing (a HEAD has no body).
    NotFound,
    /// 304: the object is unchanged, as `if_none_match` or `if_modified_since` asked.
    NotModified,
    /// The bucket's name is taken by somebody else.
    BucketAlreadyExists,
    /// You own this bucket already.
    BucketAlreadyOwnedByYou,
    /// The bucket still holds objects or versions.
    BucketNotEmpty,
    /// These credentials may not do this.
    AccessDenied,
    /// The server does not accept these credentials: unknown key, wrong secret, expired token.
    InvalidCredentials,
    /// No credentials were found, or they could not be read.
    NoCredentials,
    /// 412: a condition of the request does not hold.
    PreconditionFailed,
    /// 409: a conditional write met another write of the same object.
    ConditionalRequestConflict,
    /// 409: another operation on the same thing was under way, or the server does not say which conflict it was.
    OperationAborted,
    /// 416: the range lies outside the object.
    InvalidRange,
    /// Something in the call or the configuration cannot be used. Nothing was sent, or S3 refused it as malformed.
    InvalidInput,
    /// The server found that the body does not match its checksum.
    BadDigest,
    /// The bytes do not match their checksum or length, found on this side.
    Corrupt,
    /// The object is archived and must be restored first.
    InvalidObjectState,
    /// The server does not have this operation or header.
    NotImplemented,
    /// The provider is known not to support this; nothing was sent.
    Unsupported,
    /// The server asks for fewer requests.
    SlowDown,
    /// The bucket lives in another region or at another endpoint.
    WrongRegion,
    /// The clock of this machine and the server's differ too much.
    RequestTimeTooSkewed,
    /// No connection, no progress or no answer in time.
    Timeout,
    /// No connection, or it broke: refused, DNS, TLS, reset.
    Transport,
    /// The server answered with something that is not S3's: malformed XML, an HTML page.
    MalformedResponse,
    /// The content is not what it was read as: not UTF-8, JSON, XML or CSV of that shape.
    InvalidContent,
    /// The stream, reader or file that bytes come from or go to failed: one that is not there as well, or that may not be read
    /// or written. Where it was the system, [`Error::cause`](crate::Error::cause) is the [`io::Error`](std::io::Error), whose
    /// kind tells more.
    Body,
    /// Another transfer has the file: the target of a download, or a journal.
    InUse,
    /// The server failed (5xx).
    Server,
    /// Anything else that S3 answered; see [`Error::code`](crate::Error::code).
    #[default]
    Other,
}

impl ErrorKind {
    /// Whether another request was in the way (409): [`ConditionalRequestConflict`](Self::ConditionalRequestConflict) or
    /// [`OperationAborted`](Self::OperationAborted). The same may succeed later, but for CompleteMultipartUpload, which wants a
    /// new upload then.
    pub fn is_conflict(self) -> bool {
        matches!(self, Self::ConditionalRequestConflict | Self::OperationAborted)
    }
}

pub(super) fn kind_of(status: StatusCode, code: Option<&str>) -> ErrorKind {
    use ErrorKind as K;
    let by_code = match code.unwrap_or_default() {
        "NoSuchKey" => K::NoSuchKey,
        "NoSuchBucket" => K::NoSuchBucket,
        "NoSuchUpload" => K::NoSuchUpload,
        "NoSuchVersion" => K::NoSuchVersion,
        "BucketAlreadyExists" => K::BucketAlreadyExists,
        "BucketAlreadyOwnedByYou" => K::BucketAlreadyOwnedByYou,
        "BucketNotEmpty" => K::BucketNotEmpty,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => K::AccessDenied,
        "SignatureDoesNotMatch" | "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
            K::InvalidCredentials
        }
        "PreconditionFailed" => K::PreconditionFailed,
        // The latter is Ceph's word.
        "ConditionalRequestConflict" | "ConcurrentModification" => K::ConditionalRequestConflict,
        "OperationAborted" => K::OperationAborted,
        "InvalidRange" => K::InvalidRange,
        "BadDigest" | "XAmzContentSHA256Mismatch" | "InvalidDigest" => K::BadDigest,
        "InvalidObjectState" => K::InvalidObjectState,
        "NotImplemented" => K::NotImplemented,
        // A 200 can carry these too, so the status does not tell.
        "InternalError" | "ServiceUnavailable" => K::Server,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => K::WrongRegion,
        "RequestTimeTooSkewed" => K::RequestTimeTooSkewed,
        "RequestTimeout" => K::Timeout,
        _ => K::Other,
    };
    if by_code != K::Other {
        return by_code;
    }
    if FailureClass::of_response(status, code) == FailureClass::Throttling {
        return K::SlowDown;
    }
    match status.as_u16() {
        301 | 307 | 308 => K::WrongRegion,
        304 => K::NotModified,
        401 | 403 => K::AccessDenied,
        404 => K::NotFound,
        400 if code.is_some() => K::InvalidInput,
        409 if code.is_none() => K::OperationAborted,
        412 => K::PreconditionFailed,
        416 => K::InvalidRange,
        429 => K::SlowDown,
        501 | 405 => K::NotImplemented,
        500.. => K::Server,
        _ if code.is_none() => K::MalformedResponse,
        _ => K::Other,
    }
}

pub(super) fn hint_for(kind: ErrorKind, code: Option<&str>) -> Option<String> {
    let hint = match (kind, code.unwrap_or_default()) {
        (_, "SignatureDoesNotMatch") => "check the secret access key: the server knows the key id but not this secret",
        (_, "InvalidAccessKeyId") => "check the access key id and that it belongs to this server",
        (_, "ExpiredToken") => "the session token has expired; get new credentials",
        (_, "InvalidBucketName") => {
            "a bucket's name has 3 to 63 lower case letters, digits, '-' and '.', and is no IP address"
        }
        (_, "InvalidToken") => {
            "the session token is not one of this server, or not of these keys; permanent keys have none"
        }
        (_, "BadDigest" | "XAmzContentSHA256Mismatch") => {
            "make the call again: the bytes changed on their way, or the checksum is not theirs"
        }
        (_, "EntityTooSmall") => "every part but the last has at least 5 MiB",
        (ErrorKind::NoSuchBucket, _) => "check the bucket's name, and that the endpoint is the one it is on",
        (ErrorKind::SlowDown, _) => "send fewer requests at a time, or go on later",
        (ErrorKind::BucketNotEmpty, _) => "delete its objects first, all versions and unfinished uploads included",
        (ErrorKind::InvalidObjectState, _) => "restore the object from the archive first (RestoreObject)",
        (ErrorKind::RequestTimeTooSkewed, _) => "set the clock of this machine",
        (ErrorKind::WrongRegion, _) => "set the client's region to the bucket's region",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S3 answers 409 to much that no other request has to do with.
    #[test]
    fn a_conflict_is_one_of_requests() {
        let kind = |code| kind_of(StatusCode::CONFLICT, code);
        assert_eq!(kind(Some("ConditionalRequestConflict")), ErrorKind::ConditionalRequestConflict);
        assert_eq!(kind(Some("OperationAborted")), ErrorKind::OperationAborted);
        assert_eq!(kind(None), ErrorKind::OperationAborted);
        assert_eq!(kind(Some("InvalidBucketState")), ErrorKind::Other);
        assert_eq!(kind(Some("BucketNotEmpty")), ErrorKind::BucketNotEmpty);
    }
}
