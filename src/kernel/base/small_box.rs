//! A box that holds small values in place.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// What can be seen as a `D`, a trait object.
pub(crate) trait AsDyn<D: ?Sized> {
    fn as_dyn(&self) -> &D;
}

/// A value that is too large to be kept in place.
struct Large<V>(Box<V>);

impl<D: ?Sized, V: AsDyn<D>> AsDyn<D> for Large<V> {
    fn as_dyn(&self) -> &D {
        self.0.as_dyn()
    }
}

/// A `Box<D>` for a trait object `D` that costs no allocation if the value is no larger than three words.
pub(crate) struct SmallBox<D: ?Sized + 'static> {
    words: Words,
    table: &'static Table<D>,
    /// What is inside may not change threads unless `D` says that it may.
    like: PhantomData<Box<D>>,
}

/// Room for a small value, or for the address of a large one.
type Words = MaybeUninit<[usize; 3]>;

/// What can be done with a value of a type that only this table knows.
struct Table<D: ?Sized + 'static> {
    as_dyn: unsafe fn(&Words) -> &D,
    drop: unsafe fn(&mut Words),
}

impl<D: ?Sized + 'static> SmallBox<D> {
    pub(crate) fn new<V: AsDyn<D> + 'static>(value: V) -> Self {
        match size_of::<V>() <= size_of::<Words>() && align_of::<V>() <= align_of::<Words>() {
            true => Self::in_place(value),
            false => Self::in_place(Large(Box::new(value))),
        }
    }

    fn in_place<V: AsDyn<D> + 'static>(value: V) -> Self {
        assert!(size_of::<V>() <= size_of::<Words>() && align_of::<V>() <= align_of::<Words>());
        let mut words = Words::uninit();
        // SAFETY: the value fits, as asserted, and from here on only the table of its own type touches it.
        unsafe { words.as_mut_ptr().cast::<V>().write(value) };
        let table = const {
            &Table {
                // SAFETY: the words hold a `V`, since they are in a box together with this table.
                as_dyn: |words| unsafe { (*words.as_ptr().cast::<V>()).as_dyn() },
                // SAFETY: as above, and a box is dropped once.
                drop: |words| unsafe { words.as_mut_ptr().cast::<V>().drop_in_place() },
            }
        };
        SmallBox { words, table, like: PhantomData }
    }
}

impl<D: ?Sized + 'static> AsDyn<D> for SmallBox<D> {
    fn as_dyn(&self) -> &D {
        // SAFETY: the table came with the words.
        unsafe { (self.table.as_dyn)(&self.words) }
    }
}

impl<D: ?Sized + 'static> Drop for SmallBox<D> {
    fn drop(&mut self) {
        // SAFETY: the table came with the words, and this is their end.
        unsafe { (self.table.drop)(&mut self.words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// Holds on to a count, and is as large as it is asked to be.
    struct Value<const N: usize>(Rc<()>, [usize; N]);

    trait Total {
        fn total(&self) -> usize;
    }

    impl<const N: usize> Total for Value<N> {
        fn total(&self) -> usize {
            Rc::strong_count(&self.0) + self.1.iter().sum::<usize>()
        }
    }

    impl<const N: usize> AsDyn<dyn Total> for Value<N> {
        fn as_dyn(&self) -> &(dyn Total + 'static) {
            self
        }
    }

    #[test]
    fn values_of_any_size_are_kept_moved_and_dropped_once() {
        let count = Rc::new(());
        let small = SmallBox::<dyn Total>::new(Value(count.clone(), [10, 20]));
        let large = SmallBox::<dyn Total>::new(Value(count.clone(), [100, 200, 300, 400]));
        let mut boxes = vec![small, large];
        boxes.swap(0, 1);
        let totals: Vec<usize> = boxes.iter().map(|value| value.as_dyn().total()).collect();
        assert_eq!(totals, [1003, 33]);
        drop(boxes);
        assert_eq!(Rc::strong_count(&count), 1);
    }
}
