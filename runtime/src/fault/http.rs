use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, StatusCode, header};

use super::{Class, Fault};

/// Sorts a response by its status, with the wait that its `Retry-After` header asks for.
///
/// A status without an error in it (1xx, 2xx, 3xx) is sorted like one that asking again won't
/// change: [`Class::Permanent`]. The class of each status is told at
/// [its `Fault`](trait@super::Fault#impl-Fault-for-StatusCode).
///
/// # Example: a function over reqwest that heeds `Retry-After`
///
/// ```
/// # #[cfg(feature = "reqwest")] mod example {
/// use steadfast::{Fault, fault::{self, Class}};
///
/// #[derive(Debug, thiserror::Error, Fault)]
/// enum ApiError {
///     #[error("the peer answered with an error: {0:?}")]
///     #[fault(transparent)]
///     Status(Class),
///     #[error(transparent)]
///     #[fault(transparent)]
///     Http(#[from] reqwest::Error),
/// }
///
/// #[steadfast::retry]
/// async fn price(client: &reqwest::Client) -> Result<String, ApiError> {
///     let response = client.get("http://prices/today").send().await?;
///     if !response.status().is_success() {
///         return Err(ApiError::Status(fault::of_response(response.status(), response.headers())));
///     }
///     Ok(response.text().await?)
/// }
/// # }
/// ```
///
/// # Example: a 429 that says when
///
/// ```
/// use http::{HeaderMap, StatusCode, header};
/// use std::time::Duration;
/// use steadfast::fault::{Class, of_response};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::RETRY_AFTER, "2".parse()?);
/// assert_eq!(
///     of_response(StatusCode::TOO_MANY_REQUESTS, &headers),
///     Class::Throttled { retry_after: Some(Duration::from_secs(2)) },
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn of_response(status: StatusCode, headers: &HeaderMap) -> Class {
    match status.class() {
        Class::Throttled { .. } => Class::Throttled { retry_after: retry_after(headers) },
        class => class,
    }
}

/// The wait that a `Retry-After` header asks for, in seconds or as a date (RFC 9110, 10.2.3).
///
/// `None` without such a header, and for one that is neither. A date in the past is no wait at all.
///
/// # Example: in seconds
///
/// ```
/// use http::{HeaderMap, header};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::RETRY_AFTER, "120".parse()?);
/// assert_eq!(steadfast::fault::retry_after(&headers), Some(Duration::from_secs(120)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for a `u64` are still a wait: an endless one.
        return (!value.is_empty()).then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    // The header is a wall-clock time, so here and only here the wall clock is asked.
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// By what the status says of the request.
///
/// | status | class |
/// |---|---|
/// | 408, 425 | transient |
/// | 429, 503 | throttled, see [`of_response`] for the header |
/// | 500, 502, 504, other 5xx | ambiguous |
/// | 501, 505, 4xx, every other | permanent |
///
/// A 503 is taken at its word: the request was not handled. Some proxies also answer so when the
/// connection behind them broke after the request was sent; behind one of those, sort it yourself.
impl Fault for StatusCode {
    fn class(&self) -> Class {
        match *self {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Class::Transient,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Class::Throttled { retry_after: None }
            }
            StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => {
                Class::Permanent
            }
            status if status.is_server_error() => Class::Ambiguous,
            _ => Class::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().expect("a header value"));
        retry_after(&headers)
    }

    #[test]
    fn seconds_and_dates() {
        assert_eq!(asks("7"), Some(Duration::from_secs(7)));
        assert_eq!(asks("99999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(asks("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        let wait = asks(&soon).expect("a date");
        assert!(wait > Duration::from_secs(90) && wait <= Duration::from_secs(100), "{wait:?}");
        for junk in ["", "-1", "1.5", "soon"] {
            assert_eq!(asks(junk), None, "{junk}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn by_status() {
        for (status, class) in [
            (408, Class::Transient),
            (429, Class::Throttled { retry_after: None }),
            (500, Class::Ambiguous),
            (501, Class::Permanent),
            (503, Class::Throttled { retry_after: None }),
            (504, Class::Ambiguous),
            (404, Class::Permanent),
            (200, Class::Permanent),
        ] {
            assert_eq!(StatusCode::from_u16(status).map(|s| s.class()).ok(), Some(class));
        }
    }
}
