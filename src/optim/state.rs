//! What an optimizer remembers, by the path of the parameter.

use crate::tensor::{Float, Tensor};

/// What an optimizer remembers of every parameter that it has changed.
#[derive(Clone, Debug)]
pub struct State<T: Float = f32> {
    slots: Vec<(String, Slot<T>)>,
    /// Where the last one was found: a traversal of the model finds the next one at the next place.
    last: usize,
}

/// What an optimizer remembers of one parameter.
#[derive(Clone, Debug)]
pub struct Slot<T: Float = f32> {
    /// How often the parameter was changed.
    pub steps: i32,
    /// A running product of numbers, beginning with 1, for rules that need one.
    pub product: f64,
    /// Tensors of the parameter's shape, beginning with zeros, such as a velocity.
    pub tensors: Vec<Tensor<T>>,
}

impl<T: Float> State<T> {
    /// Nothing remembered.
    pub fn new() -> Self {
        State { slots: Vec::new(), last: 0 }
    }

    /// What is remembered of the parameter at a path.
    pub fn get(&self, path: &str) -> Option<&Slot<T>> {
        self.position(path).map(|at| &self.slots[at].1)
    }

    /// Every path with what is remembered of its parameter, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Slot<T>)> {
        let mut slots: Vec<_> = self.slots.iter().map(|(path, slot)| (path.as_str(), slot)).collect();
        slots.sort_unstable_by_key(|&(path, _)| path);
        slots.into_iter()
    }

    /// Replaces what is remembered of the parameter at a path.
    pub fn insert(&mut self, path: &str, slot: Slot<T>) {
        match self.position(path) {
            Some(at) => self.slots[at].1 = slot,
            None => self.slots.push((path.into(), slot)),
        }
    }

    /// What is remembered of the parameter at a path, for changing it.
    pub(super) fn get_mut(&mut self, path: &str) -> Option<&mut Slot<T>> {
        self.last = self.position(path)?;
        Some(&mut self.slots[self.last].1)
    }

    /// The place of a path; the search begins where the last one was found.
    fn position(&self, path: &str) -> Option<usize> {
        let (before, after) = self.slots.split_at(self.last);
        let position = |slots: &[(String, Slot<T>)]| slots.iter().position(|(other, _)| other == path);
        position(after).map(|at| self.last + at).or_else(|| position(before))
    }

    /// Changes what is remembered of a parameter; zeros at first. The caller has checked that it has the parameter's shape.
    pub(super) fn change(&mut self, path: &str, shape: &[usize], tensors: usize, change: impl FnOnce(&mut Slot<T>)) {
        if let Some(slot) = self.get_mut(path) {
            return change(slot);
        }
        let zeros = (0..tensors).map(|_| Tensor::zeros(shape));
        let mut slot = Slot { steps: 0, product: 1.0, tensors: zeros.collect() };
        change(&mut slot);
        self.insert(path, slot);
    }
}

impl<T: Float> Default for State<T> {
    fn default() -> Self {
        State::new()
    }
}

impl<T: Float> Slot<T> {
    /// The elements of the tensors, for a rule that has `N` of them.
    pub(super) fn slices<const N: usize>(&mut self) -> [&mut [T]; N] {
        let mut tensors = self.tensors.iter_mut();
        std::array::from_fn(|_| tensors.next().expect("a rule works on as many tensors as it asked for").as_mut_slice())
    }
}
