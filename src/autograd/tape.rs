//! The tape: a list of nodes in the order in which they were recorded.

use crate::autograd::apply::AnyOp;
use crate::autograd::bindings::Bindings;
use crate::autograd::diagnostics::Diagnostics;
use crate::autograd::gradients::BufferNote;
use crate::autograd::param::ParamId;
use crate::autograd::{Param, Var, dropped};
use crate::generator::Generator;
use crate::kernel::base::small_box::SmallBox;
use crate::panics;
use crate::tensor::{Dims, Float, Tensor};
use rand::{Rng, SeedableRng};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt::{self, Debug, Formatter};
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A record of the applied operations: the Wengert list, which reverse mode traverses backwards.
///
/// A tape is a cheap handle. It holds only the values that the backward pass needs; all others live in the [`Var`]s. The
/// constructor selects the mode:
///
/// | | records | dropout, batch statistics | for |
/// |---|---|---|---|
/// | [`Tape::training`] | yes | yes | a training step |
/// | [`Tape::new`] | yes | no | calculus, gradients of a finished model |
/// | [`Tape::inference`] | no | no | prediction: an intermediate result is freed with its `Var` |
///
/// For double precision, write `Tape::<f64>::new()` and so on; see [`TapeConstructors`].
///
/// Printing a tape shows the list, one operation per line; [`to_svg`](Tape::to_svg) draws it. The
/// [module documentation](crate::autograd) explains how it works.
///
/// ```
/// use wengert::prelude::*;
///
/// let tape = Tape::new();
/// let x = tape.var(2.0);
/// let y = x.powi(3) - 4.0 * &x + 5.0;
/// assert_eq!(y.grad(&x).item(), 8.0); // 3x² − 4
/// ```
pub struct Tape<T: Float = f32>(Rc<Inner<T>>);

/// The mode of a tape; see the table at [`Tape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Records, with dropout and batch statistics; the field is the seed of the tape's generator.
    Training(u64),
    /// Records, without dropout and batch statistics.
    Differentiable,
    /// Does not record.
    Inference,
}

struct Inner<T: Float> {
    /// Unique among all tapes of the process.
    number: u64,
    mode: Mode,
    list: RefCell<List<T>>,
    parameters: RefCell<Bindings<T>>,
    /// Records about buffers, which become part of the next gradients.
    buffer_notes: RefCell<Vec<BufferNote<T>>>,
    generator: RefCell<Generator>,
    /// While a rule runs: the source line of the operation that is being differentiated.
    origin: Cell<Option<&'static Location<'static>>>,
    diagnostics: Diagnostics<T>,
}

impl<T: Float> Drop for Inner<T> {
    fn drop(&mut self) {
        dropped::clear(Box::new((std::mem::take(self.list.get_mut()), std::mem::take(self.parameters.get_mut()))));
    }
}

/// The position of a node on its tape, plus one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(NonZeroU32);

impl NodeId {
    #[inline]
    pub(crate) fn new(index: usize) -> Self {
        let next = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        NodeId(next.expect("a tape holds at most 2³² − 1 nodes"))
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The list. The inputs and saved values of all nodes are stored in two vectors, so that a node allocates nothing.
pub(crate) struct List<T: Float> {
    nodes: Vec<Node<T>>,
    inputs: Vec<Option<NodeId>>,
    saved: Vec<Option<Tensor<T>>>,
}

/// One node of the list.
pub(crate) struct Node<T: Float> {
    pub(crate) name: &'static str,
    pub(crate) content: Content<T>,
    pub(crate) shape: Dims,
    pub(crate) location: &'static Location<'static>,
    /// The range of its inputs in the list.
    inputs: [u32; 2],
    /// The range of its saved values; see `apply::save`.
    saved: [u32; 2],
}

impl<T: Float> List<T> {
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node<T>)> + ExactSizeIterator {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId::new(index), node))
    }

    pub(crate) fn inputs(&self, id: NodeId) -> &[Option<NodeId>] {
        let [from, to] = self[id].inputs;
        &self.inputs[from as usize..to as usize]
    }

    pub(crate) fn saved(&self, id: NodeId) -> &[Option<Tensor<T>>] {
        let [from, to] = self[id].saved;
        &self.saved[from as usize..to as usize]
    }

    /// Drops the operation of a node and what it saved.
    pub(crate) fn release(&mut self, id: NodeId, by: &'static Location<'static>) {
        let [from, to] = self[id].saved;
        self.saved[from as usize..to as usize].fill(None);
        self[id].content = Content::Released(by);
    }

    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.inputs.clear();
        self.saved.clear();
    }

    /// The number of nodes that memory is allocated for.
    pub(crate) fn capacity(&self) -> usize {
        self.nodes.capacity()
    }
}

impl<T: Float> Default for List<T> {
    fn default() -> Self {
        List { nodes: Vec::new(), inputs: Vec::new(), saved: Vec::new() }
    }
}

impl<T: Float> Index<NodeId> for List<T> {
    type Output = Node<T>;
    fn index(&self, id: NodeId) -> &Node<T> {
        &self.nodes[id.index()]
    }
}

impl<T: Float> IndexMut<NodeId> for List<T> {
    fn index_mut(&mut self, id: NodeId) -> &mut Node<T> {
        &mut self.nodes[id.index()]
    }
}

pub(crate) enum Content<T: Float> {
    Variable,
    Parameter(ParamId),
    Operation(SmallBox<dyn AnyOp<T>>),
    /// The operation is taken off the list while its rule runs.
    InFlight,
    /// Released by the `backward` at that location.
    Released(&'static Location<'static>),
}

impl Tape {
    /// A tape that records, without dropout and batch statistics: for calculus and for gradients of a finished model.
    #[doc(alias("GradientTape", "computational_graph"))]
    pub fn new() -> Self {
        Tape::with_mode(Mode::Differentiable)
    }

    /// A tape for one training step: records, with dropout and batch statistics.
    ///
    /// Takes one number from `rng` and seeds the tape's own generator with it.
    #[doc(alias("train", "train_flg"))]
    pub fn training(rng: &mut impl Rng) -> Self {
        Tape::with_mode(Mode::Training(rng.next_u64()))
    }

    /// A tape that does not record: for prediction.
    #[doc(alias("eval", "no_grad", "inference_mode", "test_mode"))]
    pub fn inference() -> Self {
        Tape::with_mode(Mode::Inference)
    }
}

impl<T: Float> Default for Tape<T> {
    fn default() -> Self {
        Tape::with_mode(Mode::Differentiable)
    }
}

impl Tape<f64> {
    /// `Tape::<f64>::new()`.
    pub fn new_f64() -> Self {
        Tape::with_mode(Mode::Differentiable)
    }
}

/// The constructors of a [`Tape`] in any precision, with the same names as those in single precision.
///
/// This trait is in the prelude. `Tape::new()` resolves to the inherent function of `Tape<f32>` before traits are considered, so
/// the default precision is `f32`; an explicit precision, or a generic one, resolves to this trait. A type annotation on the left
/// of the `=` has no effect on this: write `let tape = Tape::<f64>::new();`.
///
/// ```
/// use wengert::prelude::*;
///
/// fn slope<T: Float>(at: f64) -> T {
///     let tape = Tape::<T>::new();
///     let x = tape.var(at);
///     x.powi(3).grad(&x).item()
/// }
/// assert_eq!((slope::<f32>(2.0), slope::<f64>(2.0)), (12.0f32, 12.0f64));
///
/// let tape = Tape::<f64>::training(&mut wengert::rng(0));
/// assert!(tape.is_training());
/// assert!(Tape::<f64>::inference().is_empty());
/// ```
pub trait TapeConstructors: Sized {
    /// A tape that records, without dropout and batch statistics: for calculus and for gradients of a finished model.
    fn new() -> Self;

    /// A tape for one training step: records, with dropout and batch statistics.
    ///
    /// Takes one number from `rng` and seeds the tape's own generator with it.
    fn training(rng: &mut impl Rng) -> Self;

    /// A tape that does not record: for prediction.
    fn inference() -> Self;
}

impl<T: Float> TapeConstructors for Tape<T> {
    fn new() -> Self {
        Tape::with_mode(Mode::Differentiable)
    }

    fn training(rng: &mut impl Rng) -> Self {
        Tape::with_mode(Mode::Training(rng.next_u64()))
    }

    fn inference() -> Self {
        Tape::with_mode(Mode::Inference)
    }
}

impl<T: Float> Tape<T> {
    /// A tape of either precision in the given mode.
    #[inline(never)]
    pub fn with_mode(mode: Mode) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let seed = if let Mode::Training(seed) = mode { seed } else { 0 };
        let (list, parameters) = *dropped::take_spare();
        Tape(Rc::new(Inner {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            mode,
            list: RefCell::new(list),
            parameters: RefCell::new(parameters),
            buffer_notes: RefCell::default(),
            generator: RefCell::new(Generator::seed_from_u64(seed)),
            origin: Cell::new(None),
            diagnostics: Diagnostics::default(),
        }))
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// Whether this is the tape of a training step.
    pub fn is_training(&self) -> bool {
        matches!(self.0.mode, Mode::Training(_))
    }

    /// The number of nodes recorded so far.
    pub fn len(&self) -> usize {
        self.list().nodes.len()
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A differentiable leaf, with respect to which gradients can be computed.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// let tape = Tape::new();
    /// let x = tape.var([1.0, 2.0]);
    /// assert_eq!(x.square().sum().backward()[&x], tensor![2.0, 4.0]);
    /// ```
    #[doc(alias("requires_grad", "Variable"))]
    #[track_caller]
    pub fn var(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        let value = value.into();
        let node = self.leaf("variable", Content::Variable, value.dims());
        Var::new(value, self.clone(), node)
    }

    /// A value that is not differentiated: data, labels, masks.
    pub fn constant(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        Var::new(value.into(), self.clone(), None)
    }

    /// Schedules the update `buffer ← decay · buffer + value`, which the optimizer applies in its next step.
    ///
    /// The forward pass changes nothing, so a model can be shared between threads; the update is part of the next
    /// [`Gradients`](super::Gradients) of this tape.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    #[inline(never)]
    pub fn update_buffer(&self, buffer: &Param<T>, decay: f64, value: Tensor<T>) {
        if buffer.shape() != value.shape() {
            panics::buffer_shape(buffer.shape(), value.shape());
        }
        self.note_buffer(BufferNote::Update { buffer: buffer.id(), decay, value });
    }

    pub(crate) fn note_buffer(&self, note: BufferNote<T>) {
        self.0.buffer_notes.borrow_mut().push(note);
    }

    pub(crate) fn take_buffer_notes(&self) -> Vec<BufferNote<T>> {
        self.0.buffer_notes.take()
    }

    pub(crate) fn add_buffer_notes(&self, notes: Vec<BufferNote<T>>) {
        self.0.buffer_notes.borrow_mut().extend(notes);
    }

    /// Runs `f` with another generator; restores the generator and discards buffer updates afterwards.
    pub(crate) fn with_generator<R>(&self, generator: &Generator, f: impl FnOnce() -> R) -> R {
        let notes = self.0.buffer_notes.borrow().len();
        let _restore = RestoreGenerator { tape: self, outer: Some(self.0.generator.replace(generator.clone())), notes };
        f()
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn leaf(&self, name: &'static str, content: Content<T>, shape: Dims) -> Option<NodeId> {
        let location = Location::caller();
        self.records().then(|| self.push(name, content, shape, location, [], |_| ()))
    }

    /// The generator of dropout masks; seeded by [`Tape::training`].
    pub(crate) fn generator(&self) -> RefMut<'_, Generator> {
        self.0.generator.borrow_mut()
    }

    pub(crate) fn parameters(&self) -> &RefCell<Bindings<T>> {
        &self.0.parameters
    }

    pub(crate) fn records(&self) -> bool {
        self.0.mode != Mode::Inference
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Appends a node to the list; `save` appends the values that its rule will read.
    pub(crate) fn push(
        &self,
        name: &'static str,
        content: Content<T>,
        shape: Dims,
        location: &'static Location<'static>,
        inputs: impl IntoIterator<Item = Option<NodeId>>,
        save: impl FnOnce(&mut Vec<Option<Tensor<T>>>),
    ) -> NodeId {
        let location = self.0.origin.get().unwrap_or(location);
        let list = &mut *self.0.list.borrow_mut();
        let starts = [list.inputs.len(), list.saved.len()];
        for input in inputs {
            list.inputs.push(input);
        }
        save(&mut list.saved);
        let inputs = [position(starts[0]), position(list.inputs.len())];
        let saved = [position(starts[1]), position(list.saved.len())];
        list.nodes.push(Node { name, content, shape, location, inputs, saved });
        NodeId::new(list.nodes.len() - 1)
    }

    /// Sets the source line to which recorded operations are attributed; returns the previous one.
    pub(crate) fn set_origin(&self, origin: Option<&'static Location<'static>>) -> Option<&'static Location<'static>> {
        self.0.origin.replace(origin)
    }

    /// Whether a rule is running.
    pub(crate) fn in_a_rule(&self) -> bool {
        self.0.origin.get().is_some()
    }

    pub(crate) fn diagnostics(&self) -> &Diagnostics<T> {
        &self.0.diagnostics
    }

    /// The name of a node and where it was recorded, for messages.
    pub(crate) fn place(&self, id: NodeId) -> String {
        let node = &self.list()[id];
        match node.content {
            Content::Parameter(param) => match self.path(param) {
                Some(path) => format!("parameter {path} at {}", node.location),
                None => format!("parameter at {}", node.location),
            },
            _ => format!("{} at {}", node.name, node.location),
        }
    }

    /// The path of a parameter, if it was named.
    pub(crate) fn path(&self, param: ParamId) -> Option<String> {
        self.diagnostics().names.borrow().get(&param).map(|name| name.path.clone())
    }

    pub(crate) fn list(&self) -> Ref<'_, List<T>> {
        self.0.list.borrow()
    }

    pub(crate) fn list_mut(&self) -> RefMut<'_, List<T>> {
        self.0.list.borrow_mut()
    }
}

#[inline]
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("a tape holds at most 2³² − 1 inputs and saved values")
}

/// Restores the generator of a tape and discards later buffer updates when dropped, also after a panic.
struct RestoreGenerator<'a, T: Float> {
    tape: &'a Tape<T>,
    outer: Option<Generator>,
    notes: usize,
}

impl<T: Float> Drop for RestoreGenerator<'_, T> {
    fn drop(&mut self) {
        self.tape.0.buffer_notes.borrow_mut().truncate(self.notes);
        self.outer.take().map(|outer| self.tape.0.generator.replace(outer));
    }
}

impl<T: Float> Debug for Tape<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.debug_struct("Tape").field("mode", &self.mode()).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T: Float> Clone for Tape<T> {
    fn clone(&self) -> Self {
        Tape(Rc::clone(&self.0))
    }
}
