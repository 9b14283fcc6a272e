//! A box that stores small values inline.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// A value that can be viewed as a trait object `D`.
pub(crate) trait AsDyn<D: ?Sized> {
    fn as_dyn(&self) -> &D;
    fn as_dyn_mut(&mut self) -> &mut D;
}

/// A value that is too large to be stored inline.
struct Large<V>(Box<V>);

impl<D: ?Sized, V: AsDyn<D>> AsDyn<D> for Large<V> {
    fn as_dyn(&self) -> &D {
        self.0.as_dyn()
    }
    fn as_dyn_mut(&mut self) -> &mut D {
        self.0.as_dyn_mut()
    }
}

/// A `Box<D>` for a trait object `D` that allocates nothing for values of up to three words.
pub(crate) struct SmallBox<D: ?Sized + 'static> {
    words: Words,
    table: &'static Table<D>,
    /// Never `Send` or `Sync`: `D` says nothing of the type of the value inside.
    not_send: PhantomData<*mut D>,
}

/// Space for a small value, or for the address of a large one.
///
/// A value may have interior mutability, hence the cell; without it the compiler may assume that the words behind a
/// shared reference never change.
type Words = UnsafeCell<MaybeUninit<[usize; 3]>>;

/// Whether a value can be stored inline.
const fn fits<V>() -> bool {
    size_of::<V>() <= size_of::<Words>() && align_of::<V>() <= align_of::<Words>()
}

/// The operations on a value whose type only this table knows.
///
/// All functions require that the words hold a live value of that type.
struct Table<D: ?Sized + 'static> {
    as_dyn: unsafe fn(&Words) -> &D,
    as_dyn_mut: unsafe fn(&mut Words) -> &mut D,
    /// Ends the life of the value.
    drop: unsafe fn(&mut Words),
}

impl<D: ?Sized + 'static> SmallBox<D> {
    pub(crate) fn new<V: AsDyn<D> + 'static>(value: V) -> Self {
        // A constant condition: only one of the two is compiled.
        if const { fits::<V>() } { Self::inline(value) } else { Self::inline(Large(Box::new(value))) }
    }

    fn inline<V: AsDyn<D> + 'static>(value: V) -> Self {
        assert!(const { fits::<V>() });
        let mut words = Words::new(MaybeUninit::uninit());
        // SAFETY: the words are writable, large enough and aligned for a `V`, as asserted. What they held before needs
        // no drop.
        unsafe { words.get_mut().as_mut_ptr().cast::<V>().write(value) };
        let table = const {
            &Table {
                // SAFETY: the caller guarantees a live `V` at the start of the words. It is borrowed as long as they are,
                // so it is neither moved nor dropped meanwhile; mutation through its own cells is allowed by ours.
                as_dyn: |words| unsafe { (*words.get().cast::<V>()).as_dyn() },
                // SAFETY: as above; the exclusive reference makes the value ours to change.
                as_dyn_mut: |words| unsafe { (*words.get_mut().as_mut_ptr().cast::<V>()).as_dyn_mut() },
                // SAFETY: the caller guarantees a live `V`, which the exclusive reference makes ours to drop.
                drop: |words| unsafe { words.get_mut().as_mut_ptr().cast::<V>().drop_in_place() },
            }
        };
        SmallBox { words, table, not_send: PhantomData }
    }
}

impl<D: ?Sized + 'static> AsDyn<D> for SmallBox<D> {
    fn as_dyn(&self) -> &D {
        // SAFETY: `inline` paired the table with the words, which hold their value until `drop`.
        unsafe { (self.table.as_dyn)(&self.words) }
    }
    fn as_dyn_mut(&mut self) -> &mut D {
        // SAFETY: as above.
        unsafe { (self.table.as_dyn_mut)(&mut self.words) }
    }
}

impl<D: ?Sized + 'static> Drop for SmallBox<D> {
    fn drop(&mut self) {
        // SAFETY: `inline` paired the table with the words. The value is live, since nothing else drops it and `drop`
        // runs once.
        unsafe { (self.table.drop)(&mut self.words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Shares a count, and is as large as it is asked to be.
    struct Value<const N: usize>(Rc<()>, [Cell<usize>; N]);

    trait Total {
        fn add(&self, amount: usize);
        fn total(&self) -> usize;
    }

    impl<const N: usize> Total for Value<N> {
        fn add(&self, amount: usize) {
            self.1[0].set(self.1[0].get() + amount);
        }
        fn total(&self) -> usize {
            Rc::strong_count(&self.0) + self.1.iter().map(Cell::get).sum::<usize>()
        }
    }

    impl<const N: usize> AsDyn<dyn Total> for Value<N> {
        fn as_dyn(&self) -> &(dyn Total + 'static) {
            self
        }
        fn as_dyn_mut(&mut self) -> &mut (dyn Total + 'static) {
            self
        }
    }

    #[test]
    fn values_of_any_size_are_kept_changed_moved_and_dropped_once() {
        let count = Rc::new(());
        let small = SmallBox::<dyn Total>::new(Value(count.clone(), [10, 20].map(Cell::new)));
        let large = SmallBox::<dyn Total>::new(Value(count.clone(), [100, 200, 300, 400].map(Cell::new)));
        let mut boxes = vec![small, large];
        boxes.swap(0, 1);
        boxes.iter().for_each(|value| value.as_dyn().add(1));
        let totals: Vec<usize> = boxes.iter().map(|value| value.as_dyn().total()).collect();
        assert_eq!(totals, [1004, 34]);
        drop(boxes);
        assert_eq!(Rc::strong_count(&count), 1);
    }
}
