//! The published cases of the standard retry mode 2.1, and the class of every code and status.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use wharf_proto::retry::{Decision, FailureClass, RetryPolicy, RetryQuota, RetryState, TransportFailure, retry_after};

use Answer::{Fault, FaultAsking, NewRequest, Ok200, Throttle};

/// What comes back from the server in a case; faults are 500s without a code.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Fault,
    FaultAsking(&'static str),
    Throttle,
    Ok200,
    NewRequest,
}

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    max_attempts: u32,
    max_backoff_ms: u64,
    quota: u32,
    /// The answer, the wait that follows in milliseconds (none: give up or success), the tokens left.
    steps: &'static [(Answer, Option<u64>, u32)],
}

const DEFAULT: Case = Case { name: "", max_attempts: 3, max_backoff_ms: 20_000, quota: 500, steps: &[] };

const CASES: [Case; 13] = [
    Case {
        name: "retry eventually succeeds",
        steps: &[(Fault, Some(50), 486), (Fault, Some(100), 472), (Ok200, None, 486)],
        ..DEFAULT
    },
    Case {
        name: "max attempts reached",
        steps: &[(Fault, Some(50), 486), (Fault, Some(100), 472), (Fault, None, 472)],
        ..DEFAULT
    },
    Case {
        name: "quota reached after a single retry",
        max_attempts: 5,
        quota: 14,
        steps: &[(Fault, Some(50), 0), (Fault, None, 0)],
        ..DEFAULT
    },
    Case { name: "no retries without quota", quota: 0, steps: &[(Fault, None, 0)], ..DEFAULT },
    Case {
        name: "quota too small for a second retry",
        max_attempts: 5,
        quota: 20,
        steps: &[(Fault, Some(50), 6), (Fault, None, 6)],
        ..DEFAULT
    },
    Case {
        name: "quota recovers after success",
        max_attempts: 5,
        quota: 30,
        steps: &[
            (Fault, Some(50), 16),
            (Fault, Some(100), 2),
            (Ok200, None, 16),
            (NewRequest, None, 16),
            (Fault, Some(50), 2),
            (Ok200, None, 16),
        ],
        ..DEFAULT
    },
    Case { name: "throttling", steps: &[(Throttle, Some(1_000), 495), (Ok200, None, 500)], ..DEFAULT },
    Case {
        name: "longest backoff",
        max_attempts: 5,
        max_backoff_ms: 200,
        steps: &[
            (Fault, Some(50), 486),
            (Fault, Some(100), 472),
            (Fault, Some(200), 458),
            (Fault, Some(200), 444),
            (Fault, None, 444),
        ],
        ..DEFAULT
    },
    Case {
        name: "x-amz-retry-after 1500",
        steps: &[(FaultAsking("1500"), Some(1_500), 486), (Ok200, None, 500)],
        ..DEFAULT
    },
    Case { name: "x-amz-retry-after 0", steps: &[(FaultAsking("0"), Some(50), 486)], ..DEFAULT },
    Case { name: "x-amz-retry-after 10000", steps: &[(FaultAsking("10000"), Some(5_050), 486)], ..DEFAULT },
    Case { name: "x-amz-retry-after invalid", steps: &[(FaultAsking("invalid"), Some(50), 486)], ..DEFAULT },
    Case { name: "x-amz-retry-after negative", steps: &[(FaultAsking("-100"), Some(50), 486)], ..DEFAULT },
];

fn policy(max_attempts: u32, max_backoff: Duration) -> RetryPolicy {
    let mut policy = RetryPolicy::default();
    policy.max_attempts = max_attempts;
    policy.max_backoff = max_backoff;
    policy
}

fn asking(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))])
}

#[test]
fn published_cases() {
    for case in CASES {
        let quota = RetryQuota::with_capacity(case.quota);
        let policy = policy(case.max_attempts, Duration::from_millis(case.max_backoff_ms));
        let mut state = RetryState::new(policy);
        for (index, (answer, wait, left)) in case.steps.iter().enumerate() {
            let (status, code, headers) = match answer {
                Fault => (500, None, HeaderMap::new()),
                FaultAsking(value) => (500, None, asking("x-amz-retry-after", value)),
                Throttle => (503, Some("SlowDown"), HeaderMap::new()),
                Ok200 | NewRequest => (200, None, HeaderMap::new()),
            };
            let class = FailureClass::of_response(StatusCode::from_u16(status).unwrap(), code);
            let decision = match answer {
                Ok200 => {
                    std::mem::replace(&mut state, RetryState::new(policy)).succeeded(&quota);
                    Decision::GiveUp
                }
                NewRequest => {
                    state = RetryState::new(policy);
                    Decision::GiveUp
                }
                _ => state.failed(class, retry_after(&headers), 1.0, &quota),
            };
            let expected = wait.map_or(Decision::GiveUp, |ms| Decision::RetryAfter(Duration::from_millis(ms)));
            assert_eq!((decision, quota.available()), (expected, *left), "{}, step {index}: {answer:?}", case.name);
        }
    }
}

#[test]
fn every_code_has_its_class() {
    let transient =
        ["InternalError", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException", "IDPCommunicationError"];
    let throttling = [
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "BandwidthLimitExceeded",
        "RequestLimitExceeded",
        "LimitExceededException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequests",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "PriorRequestNotComplete",
    ];
    let conflict = ["ConditionalRequestConflict", "OperationAborted"];
    let not_retryable = [
        "AccessDenied",
        "AuthorizationHeaderMalformed",
        "BadDigest",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketNotEmpty",
        "EntityTooLarge",
        "ExpiredToken",
        "IncompleteBody",
        "InvalidAccessKeyId",
        "InvalidObjectState",
        "InvalidPart",
        "InvalidRange",
        "MalformedXML",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchUpload",
        "NotImplemented",
        "PermanentRedirect",
        "PreconditionFailed",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TemporaryRedirect",
        "slowdown",
        "",
    ];
    // A code decides whatever the status: 200 and 400 would not be retried by themselves.
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
        let of = |code| FailureClass::of_response(status, Some(code));
        transient.iter().for_each(|code| assert_eq!(of(code), FailureClass::Transient, "{code}"));
        throttling.iter().for_each(|code| assert_eq!(of(code), FailureClass::Throttling, "{code}"));
        conflict.iter().for_each(|code| assert_eq!(of(code), FailureClass::Conflict, "{code}"));
        not_retryable.iter().for_each(|code| assert_eq!(of(code), FailureClass::NotRetryable, "{code}"));
    }
}

#[test]
fn every_status_has_its_class() {
    for number in 100..600 {
        let expected = match number {
            408 | 500 | 502 | 503 | 504 => FailureClass::Transient,
            429 | 509 => FailureClass::Throttling,
            _ => FailureClass::NotRetryable,
        };
        let status = StatusCode::from_u16(number).unwrap();
        assert_eq!(FailureClass::of_response(status, None), expected, "{number}");
        assert_eq!(FailureClass::of_response(status, Some("UnheardOf")), expected, "{number}");
    }
    let throttled = FailureClass::of_response(StatusCode::SERVICE_UNAVAILABLE, Some("SlowDown"));
    assert_eq!(throttled, FailureClass::Throttling, "the code goes before the status");
}

#[test]
fn every_transport_failure_has_its_class() {
    use TransportFailure::{Closed, Connect, Dns, Protocol, RequestBody, Timeout, Tls};
    for failure in [Dns, Connect, Timeout, Closed] {
        assert_eq!(FailureClass::of_transport(failure), FailureClass::Transient, "{failure:?}");
    }
    for failure in [Tls, RequestBody, Protocol] {
        assert_eq!(FailureClass::of_transport(failure), FailureClass::NotRetryable, "{failure:?}");
    }
}

#[test]
fn the_servers_wish() {
    let rows = [
        (asking("x-amz-retry-after", "1500"), Some(1_500)),
        (asking("x-amz-retry-after", "1.5"), None),
        (asking("x-amz-retry-after", "+5"), None),
        (asking("x-amz-retry-after", ""), None),
        (asking("x-amz-retry-after", "99999999999999999999999"), None),
        (asking("retry-after", "2"), Some(2_000)),
        (asking("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), None),
        (HeaderMap::new(), None),
    ];
    for (headers, expected) in rows {
        assert_eq!(retry_after(&headers), expected.map(Duration::from_millis), "{headers:?}");
    }
    let mut both = asking("retry-after", "2");
    both.insert("x-amz-retry-after", HeaderValue::from_static("70"));
    assert_eq!(retry_after(&both), Some(Duration::from_millis(70)), "AWS's own header goes first");
    both.insert("x-amz-retry-after", HeaderValue::from_static("soon"));
    assert_eq!(retry_after(&both), Some(Duration::from_secs(2)), "one that cannot be read is as good as none");
}

#[test]
fn jitter_shortens_the_wait_but_not_what_the_server_asks() {
    let first_wait = |wish, jitter| {
        let mut state = RetryState::new(RetryPolicy::default());
        state.failed(FailureClass::Throttling, wish, jitter, &RetryQuota::default())
    };
    let ms = |ms| Decision::RetryAfter(Duration::from_millis(ms));
    for (jitter, expected) in [(0.0, 0), (0.5, 500), (1.0, 1_000), (-1.0, 0), (7.0, 1_000), (f64::NAN, 1_000)] {
        assert_eq!(first_wait(None, jitter), ms(expected), "jitter {jitter}");
    }
    assert_eq!(first_wait(Some(Duration::from_millis(700)), 0.5), ms(700));
    assert_eq!(first_wait(Some(Duration::from_millis(100)), 0.5), ms(500));
    assert_eq!(first_wait(Some(Duration::MAX), 0.5), ms(5_500));
}

#[test]
fn waits_stay_within_bounds_however_many_attempts() {
    let quota = RetryQuota::with_capacity(u32::MAX);
    let mut state = RetryState::new(policy(u32::MAX, Duration::MAX));
    for _ in 0..100 {
        assert_ne!(state.failed(FailureClass::Throttling, Some(Duration::MAX), 1.0, &quota), Decision::GiveUp);
    }
    assert_eq!(state.attempts(), 101);
    // 20 s is where the default ends: the 6th retry would be 32 s.
    let mut state = RetryState::new(policy(9, RetryPolicy::default().max_backoff));
    let waits: Vec<_> = (0..6).map(|_| state.failed(FailureClass::Throttling, None, 1.0, &quota)).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 20].map(|secs| Decision::RetryAfter(Duration::from_secs(secs))));
}

#[test]
fn conflicts_are_retried_unless_the_operation_says_no() {
    let quota = RetryQuota::default();
    let mut put = RetryState::new(RetryPolicy::default());
    let wait = Decision::RetryAfter(Duration::from_millis(50));
    assert_eq!(put.failed(FailureClass::Conflict, None, 1.0, &quota), wait);
    assert_eq!(quota.available(), 486);
    let mut complete = RetryState::new(RetryPolicy::default()).retry_conflicts(false);
    assert_eq!(complete.failed(FailureClass::Conflict, None, 1.0, &quota), Decision::GiveUp);
    assert_eq!(complete.failed(FailureClass::Transient, None, 1.0, &quota), wait);
}

#[test]
fn what_is_not_retryable_costs_nothing() {
    let quota = RetryQuota::default();
    let mut state = RetryState::new(RetryPolicy::default());
    assert_eq!(state.failed(FailureClass::NotRetryable, None, 1.0, &quota), Decision::GiveUp);
    assert_eq!((state.attempts(), quota.available()), (1, 500));
    for max_attempts in [0, 1] {
        let mut once = RetryState::new(policy(max_attempts, Duration::MAX));
        assert_eq!(once.failed(FailureClass::Transient, None, 1.0, &quota), Decision::GiveUp);
    }
    assert_eq!(quota.available(), 500);
}

#[test]
fn quota_is_never_overfilled_and_grows_by_one_on_plain_success() {
    let quota = RetryQuota::default();
    RetryState::new(RetryPolicy::default()).succeeded(&quota);
    assert_eq!(quota.available(), 500);
    let mut state = RetryState::new(RetryPolicy::default());
    state.failed(FailureClass::Throttling, None, 1.0, &quota);
    RetryState::new(RetryPolicy::default()).succeeded(&quota);
    assert_eq!(quota.available(), 496);
}

#[test]
fn threads_share_a_quota_without_losing_tokens() {
    let quota = RetryQuota::with_capacity(14 * 40);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut state = RetryState::new(policy(11, Duration::MAX));
                (0..10).for_each(|_| {
                    assert_ne!(state.failed(FailureClass::Transient, None, 0.0, &quota), Decision::GiveUp)
                });
            });
        }
    });
    assert_eq!(quota.available(), 0);
}
