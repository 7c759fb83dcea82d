//! Every form that a fallback can have.

use super::*;

async fn asynchronous(a: &str, b: u32) -> io::Result<String> {
    Ok(format!("async {a} {b}"))
}
#[expect(clippy::unnecessary_wraps, reason = "as it may be")]
fn synchronous(a: &str, b: u32) -> io::Result<String> {
    Ok(format!("sync {a} {b}"))
}
async fn value_later(a: &str, b: u32) -> String {
    format!("value later {a} {b}")
}
fn value(a: &str, b: u32) -> String {
    format!("value {a} {b}")
}
async fn with_error(a: &str, b: u32, error: &io::Error) -> io::Result<String> {
    sleep(SECOND).await;
    Ok(format!("async {a} {b} {error}"))
}
fn value_with_error(a: &str, b: u32, error: &io::Error) -> String {
    format!("value {a} {b} {error}")
}
fn generic<A: Into<String>, B: Into<u64>>(a: A, b: B) -> String {
    let (a, b): (String, u64) = (a.into(), b.into());
    format!("{a}{b}")
}

macro_rules! falls_back {
    ($($name:ident => $expected:expr,)*) => {
        $({
            #[steadfast::fallback($name)]
            async fn fails(a: &str, b: u32) -> io::Result<String> {
                let _ = (a, b);
                Err(down())
            }
            assert_eq!(fails("a", 7).await.expect("the fallback"), $expected);
        })*
    };
}

#[tokio::test(start_paused = true)]
async fn each_is_called_as_it_is() {
    falls_back! {
        asynchronous => "async a 7",
        synchronous => "sync a 7",
        value_later => "value later a 7",
        value => "value a 7",
        with_error => "async a 7 connection refused",
        value_with_error => "value a 7 connection refused",
        generic => "a7",
    }
}

#[tokio::test(start_paused = true)]
async fn an_expression() {
    #[steadfast::fallback(expr = vec![b + 1])]
    async fn values(b: u32) -> io::Result<Vec<u32>> {
        Err(down()).map(|()| vec![b])
    }
    #[steadfast::fallback(expr = asynchronous(a, 1).await)]
    async fn awaits(a: &str) -> io::Result<String> {
        let _ = a;
        Err(down())
    }
    #[steadfast::fallback(expr = value_later(a, 2))]
    async fn later(a: &str) -> io::Result<String> {
        let _ = a;
        Err(down())
    }
    assert_eq!(values(1).await.expect("the fallback"), [2]);
    assert_eq!(awaits("a").await.expect("the fallback"), "async a 1");
    assert_eq!(later("a").await.expect("the fallback"), "value later a 2");
}
