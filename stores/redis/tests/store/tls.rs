//! TLS, with a certificate that the machine trusts and one that it does not.

use std::{
    env,
    process::{Command, Stdio},
};

use steadfast::idempotent::{KeyStore, Written};
use steadfast_redis::{ConnectError, RedisStore};
use steadfast_test_servers::Redis;

use crate::common::{acquire, key, stored};

#[tokio::test]
async fn only_who_is_trusted_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, secret) = (folder.path().join("certificate"), folder.path().join("key"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.arg("-keyout").arg(&secret).arg("-out").arg(&certificate);
    let status = openssl.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.expect("openssl cannot be run: install Debian's package `openssl`");
    assert!(status.success(), "{status}");
    let server = Redis::options().tls(&certificate, &secret).start();

    let error = RedisStore::connect(&server.url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");

    // What is trusted is read from the environment, and that of another process.
    let mut trusting = Command::new(env::current_exe().unwrap());
    trusting.args(["--exact", "--ignored", "tls::one_that_trusts"]);
    trusting.env("SSL_CERT_FILE", &certificate).env(URL, server.url());
    let output = trusting.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.command(&["DBSIZE"]), "1");
}

#[tokio::test]
#[ignore = "run by the other one"]
async fn one_that_trusts() {
    let store = RedisStore::connect(&env::var(URL).unwrap()).await.unwrap();
    let token = acquire(&store, 1, 1).await.token;
    let written = store.complete(&key(1), token, true, stored("1")).await;
    assert_eq!(written.unwrap(), Written::Yes);
}

const URL: &str = "STEADFAST_TEST_URL";
