//! The number of threads, and the pool that runs parallel loops.
//!
//! There is one pool of workers per process, started by the first parallel loop. The indices of a loop are claimed one at a
//! time, so a worker that starts late, or not at all, delays nobody. If the pool is busy, the caller runs the loop by
//! itself: this covers nested loops, and loops on several threads of the program at once.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

static NUMBER: LazyLock<AtomicUsize> = LazyLock::new(|| {
    let wanted = std::env::var("WENGERT_NUM_THREADS").ok().and_then(|text| text.trim().parse().ok());
    AtomicUsize::new(wanted.filter(|&number| number > 0).unwrap_or(*PROCESSORS).min(MAX_THREADS))
});

static PROCESSORS: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

thread_local! {
    /// The number of threads within [`with_threads`]; 0 outside.
    static BOUND: Cell<usize> = const { Cell::new(0) };
}

/// The number of threads for parallel work: the number of processors by default, or as set by the environment variable
/// `WENGERT_NUM_THREADS`, [`set_num_threads`] or, for the calling thread, [`with_threads`]. Results do not depend on it.
#[doc(alias = "get_num_threads")]
#[inline]
pub fn num_threads() -> usize {
    match BOUND.get() {
        0 => NUMBER.load(Ordering::Relaxed),
        bound => bound,
    }
}

/// The most threads: more would only wait for each other.
const MAX_THREADS: usize = 1024;

/// Sets the number of threads for parallel work: at least one, at most 1024. Of more threads than there are processors, as many work
/// as there are processors, since others would take the time of those.
///
/// ```
/// wengert::set_num_threads(1);
/// assert_eq!(wengert::num_threads(), 1);
/// ```
pub fn set_num_threads(number: usize) {
    NUMBER.store(number.clamp(1, MAX_THREADS), Ordering::Relaxed);
}

/// Does `work` with another number of threads for the parallel loops of the calling thread: at least one, at most 1024.
///
/// Inner calls replace the number of outer ones; threads that `work` spawns have the number of the process.
///
/// ```
/// use wengert::prelude::*;
///
/// let x: Tensor = Tensor::ones([100, 100]);
/// let y = wengert::with_threads(1, || x.matmul(&x)); // the other processors are left to others
/// assert_eq!(y, x.matmul(&x));
/// ```
///
/// # Threads of others
///
/// Any number of threads may compute at the same time, with the same bits as one alone: those of the standard library, of rayon, or of
/// tokio's `spawn_blocking`, which are all threads of the operating system. One loop at a time has the workers; the loops of other
/// threads meanwhile run on the thread that calls them, without waiting. Where a program has a thread for each processor already, one
/// thread for each loop is the best number. A computation takes too long for an `async` function: use `spawn_blocking`.
///
/// After `fork` the child has the calling thread alone. It may compute: loops run on its own thread if the workers of the parent had been
/// started, and on new workers otherwise. As for any program with threads, `exec` is safer.
#[doc(alias("ThreadPool", "install", "torch.set_num_threads"))]
pub fn with_threads<R>(number: usize, work: impl FnOnce() -> R) -> R {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            BOUND.set(self.0);
        }
    }
    let _restore = Restore(BOUND.replace(number.clamp(1, MAX_THREADS)));
    work()
}

/// Minimum elements per thread in a pass over a slice: some microseconds of work.
const MIN_ELEMENTS_PER_THREAD: usize = 1 << 14;

/// What chunk lengths are usually a multiple of: a few cache lines, so that no two threads write to the same one.
pub(crate) const CHUNK_MULTIPLE: usize = 64;

/// The best chunk size, a multiple of `multiple`, for a parallel pass over `length` elements: one chunk per thread, or
/// a single chunk if threads do not pay.
#[inline]
pub(crate) fn chunk_size(length: usize, multiple: usize) -> usize {
    if length < 2 * MIN_ELEMENTS_PER_THREAD {
        return length.max(multiple);
    }
    length.div_ceil(num_threads().min(length / MIN_ELEMENTS_PER_THREAD)).next_multiple_of(multiple)
}

/// `work(0), …, work(count − 1)` on up to [`num_threads`] threads, in any order; returns when all have finished.
///
/// If several panic, the panic of the lowest index is propagated.
#[inline]
pub(crate) fn for_each_index(count: usize, work: impl Fn(usize) + Sync) {
    run(count, &work);
}

/// [`for_each_index`], compiled once for all closures.
#[inline(never)]
fn run(count: usize, work: &(dyn Fn(usize) + Sync)) {
    let most = if cfg!(test) { MAX_THREADS } else { *PROCESSORS }; // the tests of this file have more
    let helpers = num_threads().min(most).min(count).saturating_sub(1);
    let owned = if helpers == 0 { None } else { POOL.try_own() };
    match owned {
        None => (0..count).for_each(work),
        Some(mut started) => {
            let job = Job { work, count, helpers, next: AtomicUsize::new(0), panic: Mutex::new(None) };
            POOL.run(&job, &mut started);
            drop(started);
            if let Some((_, panic)) = job.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
                resume_unwind(panic);
            }
        }
    }
}

/// `work(k, chunk)` for the chunks of `size` elements of `y`, the last one possibly shorter, in parallel like
/// [`for_each_index`].
pub(crate) fn for_each_chunk<T: Send>(y: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if (1..=size).contains(&y.len()) {
        return work(0, y);
    }
    let chunks = Chunks::new(y, size);
    // SAFETY: `for_each_index` visits every index once, so no two calls borrow the same chunk.
    for_each_index(chunks.count(), |index| work(index, unsafe { chunks.get(index) }));
}

/// `[work(0), …, work(count − 1)]`, computed on up to [`num_threads`] threads.
///
/// A panic is propagated when all have finished.
pub(crate) fn map_indices<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
    for_each_chunk(&mut results, 1, |index, result| result[0] = Some(work(index)));
    results.into_iter().map(|result| result.expect("every index was visited")).collect()
}

/// A slice as chunks of equal size, the last one possibly shorter, that several threads write at the same time.
pub(crate) struct Chunks<'a, T> {
    start: *mut T,
    length: usize,
    size: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: shared access gives out `&mut [T]` only through `get`, whose callers keep those disjoint. Disjoint parts of a
// slice may be used on different threads if `T` may be sent to them.
unsafe impl<T: Send> Sync for Chunks<'_, T> {}

impl<'a, T> Chunks<'a, T> {
    pub(crate) fn new(slice: &'a mut [T], size: usize) -> Self {
        Chunks { start: slice.as_mut_ptr(), length: slice.len(), size: size.max(1), slice: PhantomData }
    }

    pub(crate) fn count(&self) -> usize {
        self.length.div_ceil(self.size)
    }

    /// The chunk with the given index; empty beyond the last one.
    ///
    /// # Safety
    /// No two results that contain the same chunk may be alive at the same time.
    #[expect(clippy::mut_from_ref, reason = "the caller guarantees that the results are disjoint")]
    pub(crate) unsafe fn get(&self, index: usize) -> &mut [T] {
        // SAFETY: the contract is the same.
        unsafe { self.range(index..index.saturating_add(1)) }
    }

    /// The chunks with the given indices, one after the other; empty beyond the last one.
    ///
    /// # Safety
    /// As for [`get`](Self::get).
    #[expect(clippy::mut_from_ref, reason = "the caller guarantees that the results are disjoint")]
    pub(crate) unsafe fn range(&self, indices: Range<usize>) -> &mut [T] {
        let begin = indices.start.saturating_mul(self.size).min(self.length);
        let end = indices.end.saturating_mul(self.size).clamp(begin, self.length);
        // SAFETY: begin ≤ end ≤ length, so the range lies in the slice, which is borrowed exclusively for 'a. Ranges of
        // different indices are disjoint, also where a product saturates: then they are empty. The caller guarantees that no
        // other result has these indices.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(begin), end - begin) }
    }
}

/// A parallel loop.
struct Job<'a> {
    work: &'a (dyn Fn(usize) + Sync),
    count: usize,
    /// How many workers may help.
    helpers: usize,
    /// The next unclaimed index.
    next: AtomicUsize,
    /// The lowest index that panicked, with its payload.
    panic: Mutex<Option<(usize, Box<dyn Any + Send>)>>,
}

impl Job<'_> {
    /// Claims and runs one index at a time until none is left. Does not unwind.
    fn run(&self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.count {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.work)(index))) {
                self.keep(index, panic);
            }
        }
    }

    /// Keeps the panic of the lowest index. The payloads of others are leaked: dropping one runs arbitrary code, which may panic
    /// again.
    #[cold]
    fn keep(&self, index: usize, panic: Box<dyn Any + Send>) {
        let mut kept = lock(&self.panic);
        if kept.as_ref().is_none_or(|&(lowest, _)| index < lowest) {
            std::mem::forget(kept.replace((index, panic)));
        } else {
            std::mem::forget(panic);
        }
    }
}

/// The workers and the job that is shared with them.
struct Pool {
    /// Held by the thread whose job is running: the number of workers that were started.
    owner: Mutex<usize>,
    /// The job of the owner.
    job: UnsafeCell<Option<*const Job<'static>>>,
    /// From the low end: 31 bits that count the workers at the job, one bit that lets workers in ([`OPEN`]), and the
    /// epoch, which is the number of the job.
    state: AtomicU64,
    /// How many workers are parked.
    parked: AtomicUsize,
    /// Held by a worker from its last look at the epoch until it waits on the condition variable.
    sleep_lock: Mutex<()>,
    condvar: Condvar,
}

// SAFETY: every field but `job` is `Sync`. `job` is written only by the owner, while the state is closed and counts no
// worker, and read only by workers between `enter` and `leave`. The state orders the two: `enter` acquires what `run`
// released by opening it, and `run` acquires what `leave` released. The `Job` behind the pointer is `Sync`, because its
// closure is and panic payloads are `Send`.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    owner: Mutex::new(0),
    job: UnsafeCell::new(None),
    state: AtomicU64::new(0),
    parked: AtomicUsize::new(0),
    sleep_lock: Mutex::new(()),
    condvar: Condvar::new(),
};

/// The bit of the state that lets workers in.
const OPEN: u64 = 1 << 31;
/// The increment of the epoch.
const EPOCH: u64 = 1 << 32;
/// Spins of a worker that waits for a job before it parks: some tens of microseconds, which is longer than the serial parts
/// of a training step and shorter than a wake-up.
const SPIN_LIMIT: usize = 2000;

impl Pool {
    /// Makes this thread the owner, unless there is one.
    fn try_own(&self) -> Option<MutexGuard<'_, usize>> {
        // A loop within a loop, of which many threads may start one at a time, only reads what they share.
        if self.state.load(Ordering::Relaxed) & OPEN != 0 {
            return None;
        }
        match self.owner.try_lock() {
            Ok(started) => Some(started),
            Err(TryLockError::Poisoned(started)) => Some(started.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Runs a job of the owner together with the workers; returns when none of them uses it any more.
    fn run(&'static self, job: &Job, started: &mut usize) {
        while *started < job.helpers {
            let (index, name) = (*started, format!("wengert-{started}"));
            // If no thread can be spawned, those that exist do the job.
            let Ok(_) = std::thread::Builder::new().name(name).spawn(move || self.work(index)) else { break };
            *started += 1;
        }
        // SAFETY: this thread is the owner, and the previous `run` waited until the state was closed and empty, so no
        // worker reads the cell. The cast extends the lifetime of the job; workers use it only while the state counts
        // them, and this function waits for them below. It cannot unwind before that, because `Job::run` does not.
        unsafe { *self.job.get() = Some(std::ptr::from_ref(job).cast()) };
        let closed = self.state.load(Ordering::Relaxed);
        self.state.store(closed.wrapping_add(EPOCH) | OPEN, Ordering::SeqCst);
        if self.parked.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
        job.run();
        self.state.fetch_and(!OPEN, Ordering::Relaxed);
        let mut spins = 0;
        while self.state.load(Ordering::Acquire) & (OPEN - 1) != 0 {
            spin(&mut spins);
        }
    }

    /// Wakes the parked workers. Does not wait for the lock: in the child of a `fork` it may be held by a worker that does not exist
    /// there. If one is about to wait and misses the notification, the others do the job.
    fn wake(&self) {
        for _ in 0..SPIN_LIMIT {
            if !matches!(self.sleep_lock.try_lock(), Err(TryLockError::WouldBlock)) {
                break;
            }
            std::hint::spin_loop();
        }
        self.condvar.notify_all();
    }

    /// The loop of a worker.
    fn work(&self, index: usize) {
        let mut epoch = 0;
        loop {
            epoch = self.wait_for_epoch_after(epoch);
            if !self.enter(epoch) {
                continue;
            }
            // SAFETY: the state counts this worker from `enter` to `leave`. In between the owner neither writes the cell
            // nor returns from `run`, so the job is alive.
            let job = unsafe { (*self.job.get()).map(|job| &*job) };
            if let Some(job) = job.filter(|job| index < job.helpers) {
                job.run();
            }
            self.leave();
        }
    }

    /// The first epoch after the given one; parks if it does not begin soon.
    fn wait_for_epoch_after(&self, last: u64) -> u64 {
        let epoch = || self.state.load(Ordering::SeqCst) / EPOCH;
        for _ in 0..SPIN_LIMIT {
            if epoch() != last {
                return epoch();
            }
            std::hint::spin_loop();
        }
        let mut guard = lock(&self.sleep_lock);
        self.parked.fetch_add(1, Ordering::SeqCst);
        // All four accesses are sequentially consistent: either this load sees the new epoch, or the owner sees a parked
        // worker and notifies it.
        while epoch() == last {
            guard = self.condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.parked.fetch_sub(1, Ordering::SeqCst);
        epoch()
    }

    /// Counts this worker in, unless the job of the given epoch is closed.
    fn enter(&self, epoch: u64) -> bool {
        let one_more = |state: u64| (state / EPOCH == epoch && state & OPEN != 0).then_some(state + 1);
        self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_ok()
    }

    /// Counts this worker out.
    fn leave(&self) {
        self.state.fetch_sub(1, Ordering::Release);
    }
}

/// Waits briefly; yields to other threads after [`SPIN_LIMIT`] calls.
fn spin(spins: &mut usize) {
    *spins += 1;
    if *spins < SPIN_LIMIT { std::hint::spin_loop() } else { std::thread::yield_now() }
}

/// Locks a mutex; a panic while it was held does not matter here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_visited_once() {
        set_num_threads(4);
        for count in [0, 1, 2, 3, 100, 1000] {
            for _ in 0..50 {
                let mut seen = vec![0; count];
                for_each_chunk(&mut seen, 3, |index, chunk| {
                    assert!(!chunk.is_empty());
                    for_each_index(5, |_| ());
                    chunk.iter_mut().enumerate().for_each(|(k, x)| *x += index * 3 + k + 1);
                });
                assert!(seen.iter().enumerate().all(|(k, &x)| x == k + 1));
            }
        }
    }

    #[test]
    fn several_threads_run_loops_at_a_time() {
        set_num_threads(3);
        let sum = |_| map_indices(50, |k| k * k).into_iter().sum::<usize>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || (0..200).map(sum).max())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().expect("no panic") == Some(40_425)));
    }

    #[test]
    fn the_first_panic_is_propagated_and_the_pool_survives() {
        set_num_threads(2);
        let bad = || for_each_index(64, |k| assert!(k % 16 != 15, "index {k}"));
        let panic = catch_unwind(bad).expect_err("index 15 panics");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("index 15"));
        assert_eq!(map_indices(3, |k| k), [0, 1, 2]);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_does_no_harm() {
        struct Payload;
        impl Drop for Payload {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        set_num_threads(3);
        let bad = || for_each_index(8, |_| std::panic::panic_any(Payload));
        for _ in 0..50 {
            let panic = catch_unwind(bad).expect_err("every index panics");
            assert!(panic.is::<Payload>());
            std::mem::forget(panic);
            assert_eq!(map_indices(3, |k| k), [0, 1, 2]);
        }
    }

    #[test]
    fn the_bound_is_that_of_the_call() {
        set_num_threads(7);
        let nested = with_threads(3, || (num_threads(), with_threads(0, num_threads), num_threads()));
        assert_eq!(nested, (3, 1, 3));
        let other = with_threads(3, || std::thread::spawn(|| BOUND.get()).join().expect("no panic"));
        assert_eq!(other, 0);
        let panic = catch_unwind(|| with_threads(2, || panic!("the number is restored")));
        assert!(panic.is_err() && BOUND.get() == 0);
        let most = AtomicUsize::new(0);
        let current = AtomicUsize::new(0);
        with_threads(2, || {
            for_each_index(200, |_| {
                most.fetch_max(current.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                current.fetch_sub(1, Ordering::SeqCst);
            });
        });
        assert!((1..=2).contains(&most.into_inner()));
    }

    #[cfg(unix)]
    #[test]
    fn a_child_of_fork_computes() {
        unsafe extern "C" {
            fn fork() -> i32;
            fn alarm(seconds: u32) -> u32;
            fn waitpid(child: i32, status: *mut i32, options: i32) -> i32;
            fn _exit(status: i32) -> !;
        }
        let sum = || map_indices(50, |k| k * k).into_iter().sum::<usize>();
        for round in 0..50 {
            // The workers are about to park, or parked.
            assert_eq!(with_threads(3, sum), 40_425);
            std::thread::sleep(std::time::Duration::from_micros(10 * round));
            // SAFETY: the child computes, allocates, for which the C library prepares, and ends without unwinding or destructors.
            let child = unsafe { fork() };
            if child == 0 {
                // SAFETY: it has no memory to be safe with. A child that hangs is killed.
                unsafe { alarm(60) };
                let right = (0..100).all(|_| with_threads(3, sum) == 40_425);
                // SAFETY: it ends the process.
                unsafe { _exit(i32::from(!right)) };
            }
            let mut status = -1;
            // SAFETY: the pointer is that of a variable.
            let ended = unsafe { waitpid(child, &mut status, 0) };
            assert_eq!((ended, status), (child, 0));
        }
    }

    #[test]
    fn chunks_beyond_the_last_are_empty() {
        let mut x = [1, 2, 3];
        let chunks = Chunks::new(&mut x, 2);
        for index in [2, usize::MAX / 2 + 1, usize::MAX] {
            // SAFETY: every index occurs once.
            assert!(unsafe { chunks.get(index) }.is_empty(), "chunk {index}");
        }
    }
}
