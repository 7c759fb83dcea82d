//! An `async unsafe fn` stays one: its caller owes it a promise, and its body may rely on it.

use std::{future::Future, io};

use core::runtime::Builder;

#[sturdy::retry(crate = sturdy)]
async unsafe fn retried(at: *const u32) -> io::Result<u32> {
    // SAFETY: The caller has promised it.
    Ok(unsafe { at.read() })
}

#[sturdy::deadline("2s", crate = sturdy)]
#[sturdy::retry(crate = sturdy)]
#[allow(unsafe_op_in_unsafe_fn)]
async unsafe fn both(mut at: *const u32) -> io::Result<u32> {
    at = at.add(1);
    Ok(at.read())
}

/// Owns what it may read without being asked.
struct Numbers([u32; 2]);

impl Numbers {
    #[sturdy::deadline("2s", crate = sturdy)]
    #[sturdy::retry(crate = sturdy)]
    async unsafe fn get(&self, index: usize) -> io::Result<&u32> {
        // SAFETY: The caller has promised it.
        Ok(unsafe { self.0.get_unchecked(index) })
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(future)
}

#[test]
fn they_run() {
    let numbers = Numbers([7, 8]);
    // SAFETY: Both numbers outlive the call.
    let read = unsafe {
        let at = numbers.0.as_ptr();
        [run(retried(at)).unwrap(), run(both(at)).unwrap(), *run(numbers.get(1)).unwrap()]
    };
    assert_eq!(read, [7, 8, 8]);
}
