use std::error::Error as _;

use ::reqwest::Error;

use super::{Class, Fault};

/// By how far the request came.
///
/// | error | class |
/// |---|---|
/// | could not connect | transient |
/// | timed out, connection lost, body cut off | ambiguous |
/// | a status, through `error_for_status` | that of the status; it keeps no headers, so ask [`of_response`](super::of_response) before, if the peer sends `Retry-After` |
/// | could not build the request, too many redirects, a body that does not decode | permanent |
///
/// An error does not tell whether it stands at the end of a redirect. A client that writes should
/// follow none (`redirect::Policy::none()`), or a write that was accepted with a redirect to a host
/// that is down is repeated.
impl Fault for Error {
    fn class(&self) -> Class {
        if let Some(status) = self.status() {
            return status.class();
        }
        if self.is_connect() {
            return Class::Transient;
        }
        if self.is_builder() || self.is_redirect() {
            return Class::Permanent;
        }
        // `json()` says "decode" of a reply that was cut off, too; then the cause is one of its own.
        let cause = self.source().and_then(|cause| cause.downcast_ref::<Error>());
        if self.is_decode() && !cause.is_some_and(Error::is_body) {
            return Class::Permanent;
        }
        Class::Ambiguous
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use ::reqwest::{Client, Response};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Sends a request to a server that reads it, answers with `reply` and hangs up.
    async fn ask(reply: &'static str) -> Result<Response, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let _request = stream.read(&mut [0; 4096]).await?;
            stream.write_all(reply.as_bytes()).await?;
            if reply.is_empty() {
                // Keeps silent until the client has given up.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            io::Result::Ok(())
        });
        let client = Client::builder().no_proxy().build()?;
        let response = client.get(url).timeout(Duration::from_millis(200)).send().await;
        server.abort();
        response
    }

    async fn class_of(reply: &'static str) -> Class {
        let answer = async { ask(reply).await?.error_for_status()?.json::<u64>().await };
        answer.await.expect_err("it fails").class()
    }

    #[tokio::test]
    async fn by_how_far_the_request_came() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
        let cut_off: &'static str = format!("{head}12").leak();
        let junk: &'static str = format!("{head}not a num").leak();
        for (what, reply, class) in [
            ("silence", "", Class::Ambiguous),
            ("a reply that is cut off", cut_off, Class::Ambiguous),
            ("no HTTP", "nonsense\r\n\r\n", Class::Ambiguous),
            ("a body that does not decode", junk, Class::Permanent),
            ("404", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", Class::Permanent),
            (
                "503",
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
                Class::Throttled { retry_after: None },
            ),
        ] {
            assert_eq!(class_of(reply).await, class, "{what}");
        }
    }

    #[tokio::test]
    async fn before_it_was_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        drop(listener);
        let client = Client::builder().no_proxy().build().expect("a client");
        let refused = client.get(url).send().await.expect_err("nobody listens");
        assert_eq!(refused.class(), Class::Transient);
        let unbuilt = client.get("no url").send().await.expect_err("no URL");
        assert_eq!(unbuilt.class(), Class::Permanent);
    }
}
