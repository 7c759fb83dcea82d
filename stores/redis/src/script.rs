//! The scripts, each of which decides as a `Record`'s method does.

use std::sync::OnceLock;

use redis::Cmd;

/// What the server runs for one key.
pub(crate) struct Script {
    code: &'static str,
    hash: OnceLock<String>,
}

impl Script {
    const fn new(code: &'static str) -> Self {
        Self { code, hash: OnceLock::new() }
    }

    /// By its hash, which the server knows as long as it has not been restarted.
    pub(crate) fn by_hash(&self, key: &[u8], args: &impl Fn(&mut Cmd)) -> Cmd {
        let hash = self.hash.get_or_init(|| redis::Script::new(self.code).get_hash().to_owned());
        command("EVALSHA", hash, key, args)
    }

    /// With its code. Loading it first would take another round trip, and in a cluster every node.
    pub(crate) fn by_code(&self, key: &[u8], args: &impl Fn(&mut Cmd)) -> Cmd {
        command("EVAL", self.code, key, args)
    }
}

fn command(name: &str, script: &str, key: &[u8], args: &impl Fn(&mut Cmd)) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(key);
    args(&mut command);
    command
}

macro_rules! script {
    ($head:literal, $file:literal) => {
        Script::new(concat!(
            $head,
            include_str!("scripts/read.lua"),
            include_str!($file),
            include_str!("scripts/write.lua")
        ))
    };
}

/// Without flags, so that a server without memory refuses what it would write, and nothing else.
pub(crate) static CLAIM: Script = script!("local MAY_TAKE = true\n", "scripts/claim.lua");
/// The same for a server without memory: it answers who holds the key already.
pub(crate) static RECLAIM: Script =
    script!("#!lua flags=allow-oom\nlocal MAY_TAKE = false\n", "scripts/claim.lua");
pub(crate) static RENEW: Script = script!("#!lua flags=allow-oom\n", "scripts/renew.lua");
pub(crate) static COMPLETE: Script = script!("#!lua flags=allow-oom\n", "scripts/complete.lua");
pub(crate) static RELEASE: Script = script!("#!lua flags=allow-oom\n", "scripts/release.lua");
pub(crate) static INTERRUPT: Script = script!("#!lua flags=allow-oom\n", "scripts/interrupt.lua");
pub(crate) static RESOLVE: Script = script!("#!lua flags=allow-oom\n", "scripts/resolve.lua");
pub(crate) static LOOK: Script =
    Script::new(concat!("#!lua flags=no-writes\n", include_str!("scripts/look.lua")));
