//! Counts heap allocations, and the bytes that stay.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, Ordering::Relaxed},
};

/// Runs `work` and returns how often the whole process allocated meanwhile.
pub fn allocations(work: impl FnOnce()) -> u32 {
    ALLOCATIONS.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    work();
    COUNTING.store(false, Relaxed);
    ALLOCATIONS.load(Relaxed)
}

/// Runs `work` and returns how many more bytes are allocated after it, while what it returns lives.
pub fn bytes_kept<T>(work: impl FnOnce() -> T) -> isize {
    BYTES.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    let kept = work();
    COUNTING.store(false, Relaxed);
    drop(kept);
    BYTES.load(Relaxed)
}

struct Counting;

#[expect(
    unsafe_code,
    reason = "a global allocator has no safe form; all is handed to the system's"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - self::size(layout));
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            BYTES.fetch_sub(size(layout), Relaxed);
        }
        unsafe { System.dealloc(block, layout) }
    }
}

// Only a load and a branch while the clock runs: an atomic add there would be charged to whoever
// allocates.
#[inline]
fn count(bytes: isize) {
    if COUNTING.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes, Relaxed);
    }
}

fn size(layout: Layout) -> isize {
    layout.size().cast_signed()
}

#[global_allocator]
static HEAP: Counting = Counting;

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU32 = AtomicU32::new(0);
static BYTES: AtomicIsize = AtomicIsize::new(0);
