//! The servers that tests need: each test starts its own, on a free port, with data that it throws away.
//!
//! The programs are those of the machine. Where one is missing, a test that needs it fails, and says what
//! to install.

mod clock;
mod keeper;
mod pgbouncer;
mod postgres;
mod program;
mod proxy;
mod redis;

pub use self::{
    clock::{FakeClock, shift_clock},
    pgbouncer::PgBouncer,
    postgres::Postgres,
    proxy::Proxy,
    redis::{Redis, RedisCluster, RedisOptions, RedisSentinel},
};

#[cfg(test)]
mod tests {
    use std::{
        process::Command,
        time::{SystemTime, UNIX_EPOCH},
    };

    use super::*;

    #[test]
    fn a_database_outlives_a_crash_and_a_kill() {
        let server = Postgres::start();
        let database = server.new_database();
        server.sql(&database, "CREATE TABLE t AS SELECT 1 AS n");
        let first = server.pid();
        server.restart();
        assert_ne!(server.pid(), first);
        server.kill();
        server.restart();
        assert_eq!(server.sql(&database, "SELECT n FROM t"), "1");
        let standby = server.standby();
        assert_eq!(standby.sql(&database, "SELECT n, pg_is_in_recovery() FROM t"), "1|t");
        assert!(PgBouncer::before(&server).pid() > 0);
    }

    #[test]
    fn a_clock_is_shifted() {
        let hour = || -> i64 {
            let mut date = Command::new("date");
            shift_clock(date.arg("+%s"), "+1h");
            String::from_utf8(date.output().unwrap().stdout).unwrap().trim().parse().unwrap()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        assert!((hour() - now - 3_600).abs() < 60);
    }
}
