//! Class labels as arguments.

use super::Number;
use crate::panics;

/// Class labels: a reference to a slice, an array or a vector of integers of any type.
///
/// ```
/// use wengert::prelude::*;
///
/// let scores = Tape::new().constant([[2.0, 1.0], [0.0, 3.0]]);
/// let bytes: Vec<u8> = vec![0, 1];
/// let loss = scores.softmax_cross_entropy(&bytes);
/// assert_eq!(loss.item(), scores.softmax_cross_entropy(&[0i64, 1]).item());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of class labels",
    label = "expected a slice, an array or a vector of integers"
)]
pub trait Labels {
    #[doc(hidden)]
    fn labels(&self) -> Vec<i64>;
}

/// An integer type for labels.
#[diagnostic::on_unimplemented(
    message = "a label of type `{Self}` does not name a class",
    label = "labels are integers that count the classes from 0",
    note = "targets that are probabilities go to `CrossEntropy::soft_target_loss`"
)]
pub trait Label: Number {
    #[doc(hidden)]
    fn label(self) -> i64;
}

macro_rules! integers {
    ($($t:ty)*) => { $(
        impl Label for $t {
            fn label(self) -> i64 {
                self.try_into().unwrap_or(i64::MAX)
            }
        }
    )* };
}
integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl<I: Label> Labels for [I] {
    fn labels(&self) -> Vec<i64> {
        self.iter().map(|&label| label.label()).collect()
    }
}
impl<I: Label, const N: usize> Labels for [I; N] {
    fn labels(&self) -> Vec<i64> {
        self.as_slice().labels()
    }
}
impl<I: Label> Labels for Vec<I> {
    fn labels(&self) -> Vec<i64> {
        self.as_slice().labels()
    }
}
impl<L: Labels + ?Sized> Labels for &L {
    fn labels(&self) -> Vec<i64> {
        (**self).labels()
    }
}

/// The class axis of scores `[C]`, `[N, C]` or `[N, C, …]`.
#[track_caller]
pub(crate) fn class_axis(op: &str, shape: &[usize]) -> usize {
    match shape.len() {
        0 => panics::no_class_axis(op),
        1 => 0,
        _ => 1,
    }
}

/// The class of each label; `None` for the ignored label.
#[track_caller]
pub(crate) fn classes_of(op: &str, labels: &[i64], classes: usize, ignored: Option<i64>) -> Vec<Option<usize>> {
    let mut named = Vec::with_capacity(labels.len());
    // A closure would lose the caller's line.
    for (position, &label) in labels.iter().enumerate() {
        named.push(match usize::try_from(label) {
            _ if ignored == Some(label) => None,
            Ok(class) if class < classes => Some(class),
            _ => panics::label_out_of_range(op, label, position, classes),
        });
    }
    named
}

/// The class of each label.
#[track_caller]
pub(crate) fn all_classes_of(op: &str, labels: &[i64], classes: usize) -> Vec<usize> {
    classes_of(op, labels, classes, None).into_iter().flatten().collect()
}
