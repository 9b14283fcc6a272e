//! Lists of dropped tapes: reused, and dropped without recursion.

use crate::autograd::bindings::Bindings;
use crate::autograd::tape::List;
use crate::tensor::Float;
use std::any::Any;
use std::cell::RefCell;

/// The lists of the tapes of this thread that were dropped.
struct Dropped {
    /// Those of the last one, cleared: the next tape reuses them.
    spare: Option<Box<dyn Any>>,
    /// Those whose operations owned each other's tapes. They are dropped one after the other: a long chain of them must not
    /// overflow the stack.
    waiting: Vec<Box<dyn Any>>,
    /// Whether a list is being cleared.
    busy: bool,
}

thread_local! {
    static DROPPED: RefCell<Dropped> = const { RefCell::new(Dropped { spare: None, waiting: Vec::new(), busy: false }) };
}

/// Lists with a larger capacity are not reused.
const MAX_SPARE_NODES: usize = 1 << 16;

/// Marks the end of clearing when it is dropped, also by a panic of something that a closure captured.
struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        Dropped::with(|dropped| dropped.busy = false);
    }
}

impl Dropped {
    /// Calls `f`, unless the thread is exiting: then there is no next tape.
    fn with<R>(f: impl FnOnce(&mut Dropped) -> R) -> Option<R> {
        DROPPED.try_with(|dropped| f(&mut dropped.borrow_mut())).ok()
    }
}

/// The lists for a new tape.
pub(super) fn take_spare<T: Float>() -> Box<(List<T>, Bindings<T>)> {
    let spare = Dropped::with(|dropped| dropped.spare.take()).flatten();
    spare.and_then(|lists| lists.downcast().ok()).unwrap_or_default()
}

/// Drops what is on the lists of a tape.
pub(super) fn clear<T: Float>(mut lists: Box<(List<T>, Bindings<T>)>) {
    if Dropped::with(|dropped| std::mem::replace(&mut dropped.busy, true)) == Some(true) {
        Dropped::with(|dropped| dropped.waiting.push(lists));
        return;
    }
    let _busy = Busy;
    let (list, parameters) = &mut *lists;
    list.clear();
    parameters.clear();
    while let Some(next) = Dropped::with(|dropped| dropped.waiting.pop()).flatten() {
        drop(next);
    }
    if list.capacity() <= MAX_SPARE_NODES {
        Dropped::with(|dropped| dropped.spare = Some(lists));
    }
}
