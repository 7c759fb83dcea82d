//! One binary for all roles: the driver starts itself as the others.

fn main() -> std::io::Result<()> {
    steadfast_ledger_test::play()
}
