//! How many threads to use, and sharing out work among them.
//!
//! There is one pool of workers for the whole process, started when work is first shared out. The pieces of a job are
//! handed out one after another, so a worker that comes late, or not at all, delays nobody. Whoever finds the pool taken
//! does all of the work alone: work inside of work, and work on other threads of the program.

use std::any::Any;
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

static NUMBER: LazyLock<AtomicUsize> = LazyLock::new(|| {
    let wanted = std::env::var("WENGERT_NUM_THREADS").ok().and_then(|text| text.trim().parse().ok());
    let available = || std::thread::available_parallelism().map_or(1, usize::from);
    AtomicUsize::new(wanted.filter(|&number| number > 0).unwrap_or_else(available))
});

/// The number of threads that parallel work is spread over: that of the processors, unless the environment variable
/// `WENGERT_NUM_THREADS` or [`set_num_threads`] says otherwise. Results do not depend on it.
#[inline]
pub fn num_threads() -> usize {
    NUMBER.load(Ordering::Relaxed)
}

/// Sets the number of threads that parallel work is spread over; at least one.
///
/// ```
/// wengert::set_num_threads(1);
/// assert_eq!(wengert::num_threads(), 1);
/// ```
pub fn set_num_threads(number: usize) {
    NUMBER.store(number.max(1), Ordering::Relaxed);
}

/// The size of the pieces, a multiple of `grain`, in which a pass over `length` elements is best shared out: one for each thread,
/// or all of it if it is too short to be worth that.
#[inline]
pub(crate) fn piece_size(length: usize, grain: usize) -> usize {
    if length < 2 * WORTH_A_THREAD {
        return length.max(grain);
    }
    length.div_ceil(num_threads().min(length / WORTH_A_THREAD)).next_multiple_of(grain)
}

/// `work(0), …, work(count − 1)` on up to [`num_threads`] threads, in any order; returns when all have ended.
///
/// A panic in one of them is passed on; of several, that of the lowest index.
pub(crate) fn for_each_index(count: usize, work: impl Fn(usize) + Sync) {
    let helpers = num_threads().min(count).saturating_sub(1);
    let turn = if helpers == 0 { None } else { POOL.turn() };
    match turn {
        None => (0..count).for_each(work),
        Some(mut started) => {
            let job = Job { work: &work, count, helpers, next: AtomicUsize::new(0), panic: Mutex::new(None) };
            POOL.carry_out(&job, &mut started);
            drop(started);
            if let Some((_, panic)) = job.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
                resume_unwind(panic);
            }
        }
    }
}

/// Cuts `y` into pieces of `size` elements, the last one shorter, and gives each with its index to `work`, as [`for_each_index`] does.
pub(crate) fn for_each_piece<T: Send>(y: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if (1..=size).contains(&y.len()) {
        return work(0, y);
    }
    let pieces = Pieces::new(y, size);
    // SAFETY: every index is worked on once.
    for_each_index(pieces.count(), |index| work(index, unsafe { pieces.get(index) }));
}

/// `work(0), …, work(count − 1)` on up to [`num_threads`] threads, the results in that order.
///
/// A panic in one of them is passed on when all have ended.
pub(crate) fn map_indices<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
    for_each_piece(&mut results, 1, |index, result| result[0] = Some(work(index)));
    results.into_iter().map(|result| result.expect("every index was worked on")).collect()
}

/// A slice in pieces of equal size, the last one shorter, that different threads write at the same time.
pub(crate) struct Pieces<'a, T> {
    start: *mut T,
    length: usize,
    size: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: whoever shares it can get no more from it than disjoint parts of a slice of elements that can be sent.
unsafe impl<T: Send> Sync for Pieces<'_, T> {}

impl<'a, T> Pieces<'a, T> {
    pub(crate) fn new(slice: &'a mut [T], size: usize) -> Self {
        Pieces { start: slice.as_mut_ptr(), length: slice.len(), size: size.max(1), slice: PhantomData }
    }

    pub(crate) fn count(&self) -> usize {
        self.length.div_ceil(self.size)
    }

    /// A piece.
    ///
    /// # Safety
    /// Nobody else may have the same piece at the same time.
    #[expect(clippy::mut_from_ref, reason = "the caller sees to it that no two have the same piece")]
    pub(crate) unsafe fn get(&self, index: usize) -> &mut [T] {
        let begin = (index * self.size).min(self.length);
        let end = (begin + self.size).min(self.length);
        // SAFETY: the range lies inside of the slice, which is borrowed for as long as this lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(begin), end - begin) }
    }
}

/// Work that is being shared out.
struct Job<'a> {
    work: &'a (dyn Fn(usize) + Sync),
    count: usize,
    /// How many workers may help.
    helpers: usize,
    /// The next index that nobody works on yet.
    next: AtomicUsize,
    /// The lowest index that panicked, and with what.
    panic: Mutex<Option<(usize, Box<dyn Any + Send>)>>,
}

impl Job<'_> {
    /// Works on one index after another until none is left.
    fn run(&self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.count {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.work)(index))) {
                let mut first = lock(&self.panic);
                if first.as_ref().is_none_or(|&(other, _)| index < other) {
                    *first = Some((index, panic));
                }
            }
        }
    }
}

/// The workers and what they wait for.
struct Pool {
    /// Held by the thread that is sharing out work: the number of workers that were started.
    turn: Mutex<usize>,
    /// The job of the thread whose turn it is.
    job: UnsafeCell<Option<*const Job<'static>>>,
    /// From the low end: how many workers are at the job, whether more may come ([`OPEN`]), and the number of the job.
    gate: AtomicU64,
    /// How many workers sleep.
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

// SAFETY: `job` is written only by the thread whose turn it is, while the gate is closed and nobody is inside;
// it is read only by workers that came in through the open gate, until they have left.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    turn: Mutex::new(0),
    job: UnsafeCell::new(None),
    gate: AtomicU64::new(0),
    sleepers: AtomicUsize::new(0),
    bed: Mutex::new(()),
    bell: Condvar::new(),
};

/// Elements that a thread of its own pays for in a pass over them: some microseconds.
const WORTH_A_THREAD: usize = 1 << 14;

/// Elements that pieces are multiples of: some lines of the cache, so that no two threads write to the same one.
pub(crate) const GRAIN: usize = 64;

/// The bit of the gate that lets workers in.
const OPEN: u64 = 1 << 31;
/// What the number of the job is counted up by.
const JOB: u64 = 1 << 32;
/// How often a worker looks for a new job before it goes to sleep: some tens of microseconds, longer than what lies between the
/// parallel parts of a training step, and less than waking up takes.
const LOOKS: usize = 2000;

impl Pool {
    /// The right to share out work, unless somebody has it.
    fn turn(&self) -> Option<MutexGuard<'_, usize>> {
        match self.turn.try_lock() {
            Ok(started) => Some(started),
            Err(TryLockError::Poisoned(started)) => Some(started.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Carries out a job together with the workers.
    fn carry_out(&'static self, job: &Job, started: &mut usize) {
        while *started < job.helpers {
            let (index, name) = (*started, format!("wengert-{started}"));
            // Without another thread the job is done by those that there are.
            let Ok(_) = std::thread::Builder::new().name(name).spawn(move || self.work(index)) else { break };
            *started += 1;
        }
        // SAFETY: it is this thread's turn, and the job before has ended. The workers have left this job before it goes
        // out of scope, so its lifetime does not matter.
        unsafe { *self.job.get() = Some(std::ptr::from_ref(job).cast()) };
        let closed = self.gate.load(Ordering::Relaxed);
        self.gate.store(closed.wrapping_add(JOB) | OPEN, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.bed));
            self.bell.notify_all();
        }
        job.run();
        self.gate.fetch_and(!OPEN, Ordering::Relaxed);
        let mut looks = 0;
        while self.gate.load(Ordering::Acquire) & (OPEN - 1) != 0 {
            pause(&mut looks);
        }
    }

    /// What a worker does all its life.
    fn work(&self, index: usize) {
        let mut last = 0;
        loop {
            last = self.wait_for_job_after(last);
            if !self.enter(last) {
                continue;
            }
            // SAFETY: between coming in and leaving the job is there.
            let job = unsafe { (*self.job.get()).map(|job| &*job) };
            if let Some(job) = job.filter(|job| index < job.helpers) {
                job.run();
            }
            self.gate.fetch_sub(1, Ordering::Release);
        }
    }

    /// The number of the first job after the one of the given number; sleeps if that takes long.
    fn wait_for_job_after(&self, last: u64) -> u64 {
        let number = || self.gate.load(Ordering::SeqCst) / JOB;
        for _ in 0..LOOKS {
            if number() != last {
                return number();
            }
            std::hint::spin_loop();
        }
        let mut bed = lock(&self.bed);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        // Either this sees the new job, or the one who brings it sees the sleeper and rings.
        while number() == last {
            bed = self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        number()
    }

    /// Comes in to the job of the given number, unless it is closed already.
    fn enter(&self, number: u64) -> bool {
        let one_more = |gate: u64| (gate / JOB == number && gate & OPEN != 0).then_some(gate + 1);
        self.gate.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_ok()
    }
}

/// Waits for a moment, and lets others run after some time of that.
fn pause(looks: &mut usize) {
    *looks += 1;
    if *looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_worked_on_once() {
        set_num_threads(4);
        for count in [0, 1, 2, 3, 100, 1000] {
            for _ in 0..50 {
                let mut seen = vec![0; count];
                for_each_piece(&mut seen, 3, |index, piece| {
                    assert!(!piece.is_empty());
                    for_each_index(5, |_| ());
                    piece.iter_mut().enumerate().for_each(|(k, x)| *x += index * 3 + k + 1);
                });
                assert!(seen.iter().enumerate().all(|(k, &x)| x == k + 1));
            }
        }
    }

    #[test]
    fn several_threads_share_out_work_at_a_time() {
        set_num_threads(3);
        let sum = |_| map_indices(50, |k| k * k).into_iter().sum::<usize>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || (0..200).map(sum).max())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().expect("no panic") == Some(40_425)));
    }

    #[test]
    fn the_first_panic_is_passed_on_and_the_pool_lives() {
        set_num_threads(2);
        let bad = || for_each_index(64, |k| assert!(k % 16 != 15, "index {k}"));
        let panic = catch_unwind(bad).expect_err("index 15 panics");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("index 15"));
        assert_eq!(map_indices(3, |k| k), [0, 1, 2]);
    }
}
