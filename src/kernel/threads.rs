//! How many threads to use, and sharing out work among them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

static NUMBER: LazyLock<AtomicUsize> = LazyLock::new(|| {
    let wanted = std::env::var("WENGERT_NUM_THREADS").ok().and_then(|text| text.trim().parse().ok());
    let available = || std::thread::available_parallelism().map_or(1, usize::from);
    AtomicUsize::new(wanted.filter(|&number| number > 0).unwrap_or_else(available))
});

/// The number of threads that parallel work is spread over: that of the processors, unless the environment variable
/// `WENGERT_NUM_THREADS` or [`set_num_threads`] says otherwise. Results do not depend on it.
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

/// `work(0), …, work(count − 1)` on [`num_threads`] threads, the results in that order.
///
/// A panic in one of them is passed on when all have ended.
pub(crate) fn map_indices<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = (0..count).map(|_| Mutex::new(None)).collect();
    let run = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = results.get(index) else { break };
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(work(index));
        }
    };
    std::thread::scope(|scope| {
        (1..num_threads().min(count)).for_each(|_| drop(scope.spawn(run)));
        run();
    });
    let result = |place: Mutex<Option<R>>| place.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|place| result(place).expect("every index was worked on")).collect()
}
