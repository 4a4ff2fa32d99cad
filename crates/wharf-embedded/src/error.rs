//! What the store answers when it refuses: S3's codes, statuses and messages.

use std::fmt;

use http::StatusCode;

/// One of S3's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    AccessControlListNotSupported,
    AccessDenied,
    AccessForbidden,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    BadDigest,
    BadRequest,
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    ConditionalRequestConflict,
    EntityTooLarge,
    EntityTooSmall,
    ExpiredToken,
    IllegalLocationConstraintException,
    IncompleteBody,
    InsufficientStorage,
    InternalError,
    InvalidAccessKeyId,
    InvalidArgument,
    InvalidBucketAclWithObjectOwnership,
    InvalidBucketName,
    InvalidBucketState,
    InvalidChunkSizeError,
    InvalidDigest,
    InvalidEncryptionAlgorithm,
    InvalidLocationConstraint,
    InvalidObjectState,
    InvalidPart,
    InvalidPartNumber,
    InvalidPartOrder,
    InvalidPolicyDocument,
    InvalidRange,
    InvalidRedirectLocation,
    InvalidRequest,
    InvalidStorageClass,
    InvalidTag,
    InvalidToken,
    InvalidUri,
    KeyTooLong,
    MalformedAcl,
    MalformedPolicy,
    MalformedPostRequest,
    MalformedTrailer,
    MalformedXml,
    MaxMessageLengthExceeded,
    MaxPostPreDataLengthExceeded,
    MetadataTooLarge,
    MethodNotAllowed,
    MissingContentLength,
    MissingSecurityHeader,
    NoSuchBucket,
    NoSuchBucketPolicy,
    NoSuchCorsConfiguration,
    NoSuchKey,
    NoSuchLifecycleConfiguration,
    NoSuchObjectLockConfiguration,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchTagSet,
    NoSuchUpload,
    NoSuchVersion,
    NoSuchWebsiteConfiguration,
    NotImplemented,
    NotModified,
    ObjectLockConfigurationNotFound,
    OwnershipControlsNotFound,
    PreconditionFailed,
    ReplicationConfigurationNotFound,
    RequestTimeTooSkewed,
    RequestTimeout,
    SignatureDoesNotMatch,
    UnexpectedContent,
    XAmzContentSha256Mismatch,
}

impl Code {
    /// The code as S3 spells it, the HTTP status that goes with it, and S3's usual message.
    fn parts(self) -> (&'static str, u16, &'static str) {
        match self {
            Code::AccessControlListNotSupported => {
                ("AccessControlListNotSupported", 400, "The bucket does not allow ACLs")
            }
            Code::AccessDenied => ("AccessDenied", 403, "Access Denied"),
            Code::AccessForbidden => ("AccessForbidden", 403, "CORSResponse: This CORS request is not allowed."),
            Code::AuthorizationHeaderMalformed => {
                ("AuthorizationHeaderMalformed", 400, "The authorization header is malformed.")
            }
            Code::AuthorizationQueryParametersError => (
                "AuthorizationQueryParametersError",
                400,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ),
            Code::BadDigest => (
                "BadDigest",
                400,
                "The Content-MD5 or checksum value that you specified did not match what the server received.",
            ),
            Code::BadRequest => ("BadRequest", 400, "Bad Request"),
            Code::BucketAlreadyExists => (
                "BucketAlreadyExists",
                409,
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                 Please select a different name and try again.",
            ),
            Code::BucketAlreadyOwnedByYou => (
                "BucketAlreadyOwnedByYou",
                409,
                "Your previous request to create the named bucket succeeded and you already own it.",
            ),
            Code::BucketNotEmpty => ("BucketNotEmpty", 409, "The bucket you tried to delete is not empty"),
            Code::ConditionalRequestConflict => (
                "ConditionalRequestConflict",
                409,
                "The conditional request cannot succeed due to a conflicting operation against this resource.",
            ),
            Code::EntityTooLarge => {
                ("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed object size.")
            }
            Code::EntityTooSmall => {
                ("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size")
            }
            Code::ExpiredToken => ("ExpiredToken", 400, "The provided token has expired."),
            Code::IllegalLocationConstraintException => (
                "IllegalLocationConstraintException",
                400,
                "The specified location constraint is incompatible with the region this request was sent to.",
            ),
            Code::IncompleteBody => (
                "IncompleteBody",
                400,
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            ),
            // No code of AWS's, whose disks are never full; the status is WebDAV's, which others use as well.
            Code::InsufficientStorage => (
                "InsufficientStorage",
                507,
                "There is no space left on the store's disk. Delete something, then try again.",
            ),
            Code::InternalError => ("InternalError", 500, "We encountered an internal error. Please try again."),
            Code::InvalidAccessKeyId => {
                ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.")
            }
            Code::InvalidArgument => ("InvalidArgument", 400, "Invalid Argument"),
            Code::InvalidBucketAclWithObjectOwnership => (
                "InvalidBucketAclWithObjectOwnership",
                400,
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            ),
            Code::InvalidBucketName => ("InvalidBucketName", 400, "The specified bucket is not valid."),
            Code::InvalidBucketState => {
                ("InvalidBucketState", 409, "The request is not valid for the current state of the bucket.")
            }
            Code::InvalidChunkSizeError => {
                ("InvalidChunkSizeError", 403, "Only the last chunk is allowed to have a size less than 8192 bytes")
            }
            Code::InvalidDigest => ("InvalidDigest", 400, "The Content-MD5 you specified was invalid."),
            Code::InvalidEncryptionAlgorithm => (
                "InvalidEncryptionAlgorithmError",
                400,
                "The encryption request you specified is not valid. The valid value is AES256.",
            ),
            Code::InvalidLocationConstraint => {
                ("InvalidLocationConstraint", 400, "The specified location-constraint is not valid")
            }
            Code::InvalidObjectState => {
                ("InvalidObjectState", 403, "The operation is not valid for the object's storage class")
            }
            Code::InvalidPart => (
                "InvalidPart",
                400,
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag.",
            ),
            Code::InvalidPartNumber => ("InvalidPartNumber", 416, "The requested partnumber is not satisfiable"),
            Code::InvalidPartOrder => (
                "InvalidPartOrder",
                400,
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ),
            Code::InvalidPolicyDocument => (
                "InvalidPolicyDocument",
                400,
                "The content of the form does not meet the conditions specified in the policy document.",
            ),
            Code::InvalidRange => ("InvalidRange", 416, "The requested range is not satisfiable"),
            Code::InvalidRedirectLocation => (
                "InvalidRedirectLocation",
                400,
                "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
            ),
            Code::InvalidRequest => ("InvalidRequest", 400, "Invalid Request"),
            Code::InvalidStorageClass => ("InvalidStorageClass", 400, "The storage class you specified is not valid"),
            Code::InvalidTag => ("InvalidTag", 400, "The tag provided was not a valid tag."),
            Code::InvalidToken => ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
            Code::InvalidUri => ("InvalidURI", 400, "Couldn't parse the specified URI."),
            Code::KeyTooLong => ("KeyTooLongError", 400, "Your key is too long"),
            Code::MalformedAcl => (
                "MalformedACLError",
                400,
                "The XML you provided was not well-formed or did not validate against our published schema",
            ),
            Code::MalformedPolicy => ("MalformedPolicy", 400, "This policy contains invalid Json"),
            Code::MalformedPostRequest => {
                ("MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data.")
            }
            Code::MalformedTrailer => (
                "MalformedTrailerError",
                400,
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ),
            Code::MalformedXml => (
                "MalformedXML",
                400,
                "The XML you provided was not well-formed or did not validate against our published schema",
            ),
            Code::MaxMessageLengthExceeded => ("MaxMessageLengthExceeded", 400, "Your request was too big."),
            Code::MaxPostPreDataLengthExceeded => (
                "MaxPostPreDataLengthExceeded",
                400,
                "Your POST request fields preceding the upload file were too large.",
            ),
            Code::MetadataTooLarge => {
                ("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size")
            }
            Code::MethodNotAllowed => {
                ("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
            }
            Code::MissingContentLength => {
                ("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
            }
            Code::MissingSecurityHeader => ("MissingSecurityHeader", 400, "Your request was missing a required header"),
            Code::NoSuchBucket => ("NoSuchBucket", 404, "The specified bucket does not exist"),
            Code::NoSuchBucketPolicy => ("NoSuchBucketPolicy", 404, "The bucket policy does not exist"),
            Code::NoSuchCorsConfiguration => ("NoSuchCORSConfiguration", 404, "The CORS configuration does not exist"),
            Code::NoSuchKey => ("NoSuchKey", 404, "The specified key does not exist."),
            Code::NoSuchLifecycleConfiguration => {
                ("NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist")
            }
            Code::NoSuchObjectLockConfiguration => {
                ("NoSuchObjectLockConfiguration", 404, "The specified object does not have a ObjectLock configuration")
            }
            Code::NoSuchPublicAccessBlockConfiguration => {
                ("NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found")
            }
            Code::NoSuchTagSet => ("NoSuchTagSet", 404, "The TagSet does not exist"),
            Code::NoSuchUpload => (
                "NoSuchUpload",
                404,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
                 or completed.",
            ),
            Code::NoSuchVersion => ("NoSuchVersion", 404, "The specified version does not exist."),
            Code::NoSuchWebsiteConfiguration => {
                ("NoSuchWebsiteConfiguration", 404, "The specified bucket does not have a website configuration")
            }
            Code::NotImplemented => {
                ("NotImplemented", 501, "A header or query you provided implies functionality that is not implemented")
            }
            Code::NotModified => ("NotModified", 304, "Not Modified"),
            Code::ObjectLockConfigurationNotFound => (
                "ObjectLockConfigurationNotFoundError",
                404,
                "Object Lock configuration does not exist for this bucket",
            ),
            Code::OwnershipControlsNotFound => {
                ("OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found")
            }
            Code::PreconditionFailed => {
                ("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold")
            }
            Code::ReplicationConfigurationNotFound => {
                ("ReplicationConfigurationNotFoundError", 404, "The replication configuration was not found")
            }
            Code::RequestTimeTooSkewed => (
                "RequestTimeTooSkewed",
                403,
                "The difference between the request time and the current time is too large.",
            ),
            Code::RequestTimeout => (
                "RequestTimeout",
                400,
                "Your socket connection to the server was not read from or written to within the timeout period. Idle \
                 connections will be closed.",
            ),
            Code::SignatureDoesNotMatch => (
                "SignatureDoesNotMatch",
                403,
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            Code::UnexpectedContent => ("UnexpectedContent", 400, "This request does not support content"),
            Code::XAmzContentSha256Mismatch => (
                "XAmzContentSHA256Mismatch",
                400,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
        }
    }

    /// The code as S3 spells it.
    pub(crate) fn name(self) -> &'static str {
        self.parts().0
    }
}

/// A refusal.
#[derive(Debug)]
pub(crate) struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    message: String,
    details: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal in words of its own.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), details: Vec::new(), headers: Vec::new() }))
    }

    /// Adds an element to the error document, such as `Region`.
    pub(crate) fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.details.push((name, value.into()));
        self
    }

    /// Adds a header to the answer.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.parts().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn details(&self) -> &[(&'static str, String)] {
        &self.0.details
    }

    pub(crate) fn headers(&self) -> &[(&'static str, String)] {
        &self.0.headers
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code, code.parts().2)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code().name(), self.message())
    }
}

impl std::error::Error for Error {}

/// The refusal of an argument, named as S3 names it.
pub(crate) fn invalid_argument(message: impl Into<String>, name: &str, value: &str) -> Error {
    Error::new(Code::InvalidArgument, message).detail("ArgumentName", name).detail("ArgumentValue", value)
}
