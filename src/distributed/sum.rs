//! The sum of gradients over all ranks.

use crate::autograd::Param;
use crate::autograd::gradient::Gradient;
use crate::distributed::message::{self, Announcement, Form, Parameters, put, take};
use crate::distributed::{Communicator, part};
use crate::panics;
use crate::tensor::{Float, SparseRows, Tensor};
use crate::transform::parallel::{self, Sum};
use crate::transform::tree::{self, Node};
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// The sum over all shards, of which this rank has those over its own.
#[track_caller]
pub(super) fn all_reduce<T: Float>(
    communicator: &dyn Communicator,
    parameters: &Parameters<T>,
    seeds: &[u64],
    sums: Vec<Node<Sum<T>>>,
) -> Sum<T> {
    for sum in &sums {
        check_model(parameters, &sum.value);
    }
    let mut bytes = Vec::new();
    put(&mut bytes, identity(parameters, seeds));
    message::write(parameters, &sums, &mut bytes);
    let announcements = announcements(communicator.all_gather(&bytes), parameters);
    let layout = Layout::new(parameters, announcements.iter().flatten());

    let total = layout.exchange(communicator, seeds.len(), &sums, &announcements);
    let losses = announcements.iter().flatten().map(|node| node.with(node.value.loss));
    let loss = tree::reduce(losses, seeds.len(), |a, b| a + b).pop().expect("there are shards").value;
    let updates = announcements.into_iter().flatten().flat_map(|node| {
        node.value.updates.into_iter().zip(parameters).flat_map(|(updates, &(_, param))| {
            updates.into_iter().map(move |(decay, value)| (param, decay, Tensor::from_vec(value, param.shape())))
        })
    });
    let own = sums.into_iter().map(|sum| sum.value).reduce(parallel::add);
    // A rank without shards has no reasons for gradients that are missing.
    let own = own.map_or_else(|| [].into_iter().collect(), |(_, gradients)| gradients);
    (loss, own.replaced(layout.gradients(&total), updates))
}

/// Checks that the model contains all parameters and buffers of the gradients.
#[track_caller]
fn check_model<T: Float>(parameters: &Parameters<T>, (_, gradients): &Sum<T>) {
    let found = parameters.iter().filter(|(_, param)| gradients.of_param(param).is_some()).count();
    let updated: usize = parameters.iter().map(|(_, param)| gradients.updates_of(param).count()).sum();
    let (all, updates) = gradients.counts();
    if (found, updated) != (all, updates) {
        panics::not_in_the_model("gradients", all, updates, (found, updated));
    }
}

/// What must be equal on all ranks.
const EQUAL: [&str; 3] = ["the number of shards", "the state of the generator", "the model"];

/// Numbers that differ where one of [`EQUAL`] does.
fn identity<T: Float>(parameters: &Parameters<T>, seeds: &[u64]) -> [u64; 3] {
    let digest = |hash: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        hash(&mut hasher);
        hasher.finish()
    };
    let model = |hasher: &mut DefaultHasher| {
        T::NAME.hash(hasher);
        parameters.iter().for_each(|(path, param)| (path, param.shape()).hash(hasher));
    };
    [seeds.len() as u64, digest(&|hasher| seeds.hash(hasher)), digest(&model)]
}

/// What each rank announces.
#[track_caller]
fn announcements<T: Float>(messages: Vec<Vec<u8>>, parameters: &Parameters<T>) -> Vec<Vec<Node<Announcement<T>>>> {
    let mut messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let identities: Vec<[u64; 3]> = messages.iter_mut().map(|bytes| EQUAL.map(|_| take(bytes))).collect();
    for (k, what) in EQUAL.into_iter().enumerate() {
        if let Some(rank) = identities.iter().position(|identity| identity[k] != identities[0][k]) {
            panics::ranks_differ_in("gradients", what, rank);
        }
    }
    messages.into_iter().map(|bytes| message::read(parameters, bytes)).collect()
}

/// The places of all gradients in one list of numbers.
struct Layout<'a, T: Float> {
    parameters: &'a Parameters<'a, T>,
    /// Of the sum over all shards.
    forms: Vec<Form>,
    /// The number of elements.
    length: usize,
}

impl<'a, T: Float> Layout<'a, T> {
    fn new<'b>(
        parameters: &'a Parameters<'a, T>,
        announcements: impl Iterator<Item = &'b Node<Announcement<T>>>,
    ) -> Self {
        let mut forms = vec![Form::Absent; parameters.len()];
        for node in announcements {
            forms.iter_mut().zip(&node.value.forms).for_each(|(form, other)| *form = form.with(other));
        }
        let length = forms.iter().zip(parameters).map(|(form, (_, param))| length(form, param)).sum();
        Layout { parameters, forms, length }
    }

    /// Adds up the gradients of all ranks: each rank those of one part of the list, which it then passes on. Returns the parts.
    fn exchange(
        &self,
        communicator: &dyn Communicator,
        count: usize,
        sums: &[Node<Sum<T>>],
        announcements: &[Vec<Node<Announcement<T>>>],
    ) -> Vec<Vec<u8>> {
        let lists: Vec<Vec<u8>> = sums.iter().map(|sum| self.list(&sum.value)).collect();
        // Usually a rank has one sum, of which the messages are slices.
        let for_rank = |rank: usize| {
            let of_list = |list| &<Vec<u8>>::as_slice(list)[self.part(communicator, rank)];
            match &lists[..] {
                [list] => Cow::Borrowed(of_list(list)),
                lists => lists.iter().map(of_list).collect::<Vec<_>>().concat().into(),
            }
        };
        let messages: Vec<Cow<[u8]>> = (0..communicator.size()).map(for_rank).collect();
        let received = communicator.exchange(&messages.iter().map(Cow::as_ref).collect::<Vec<_>>());

        let size = self.part(communicator, communicator.rank()).len();
        let nodes = announcements.iter().zip(&received).flat_map(|(nodes, bytes)| {
            nodes.iter().enumerate().map(move |(k, node)| {
                let elements = T::read_bytes(&bytes[k * size..][..size]);
                node.with(Tensor::from_vec(elements, [size / size_of::<T>()]))
            })
        });
        let add = |mut a: Tensor<T>, b: Tensor<T>| {
            a += &b;
            a
        };
        let total = tree::reduce(nodes, count, add).pop().expect("there are shards").value;
        let mut bytes = Vec::new();
        T::write_bytes(total.as_slice(), &mut bytes);
        communicator.all_gather(&bytes)
    }

    /// The bytes of the part of the list that a rank adds up.
    fn part(&self, communicator: &dyn Communicator, rank: usize) -> Range<usize> {
        let elements = part(rank, communicator.size(), self.length);
        elements.start * size_of::<T>()..elements.end * size_of::<T>()
    }

    /// The bytes of the gradients of a sum in their places.
    fn list(&self, (_, gradients): &Sum<T>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length * size_of::<T>());
        for (form, (_, param)) in self.forms.iter().zip(self.parameters) {
            match (form, gradients.of_param(param)) {
                (Form::Dense, Some(Gradient::Dense(gradient))) => T::write_bytes(gradient.as_slice(), &mut bytes),
                (_, gradient) => {
                    // Adding −0 changes no number, not even the sign of a zero.
                    let mut elements = vec![-T::ZERO; length(form, param)];
                    if let Some(gradient) = gradient {
                        let rows = gradient.rows().expect("a list of rows is no wider than the sum");
                        place(form, rows, row_size(param), &mut elements);
                    }
                    T::write_bytes(&elements, &mut bytes);
                }
            }
        }
        bytes
    }

    /// The gradients in the parts of the list.
    fn gradients(&self, parts: &[Vec<u8>]) -> impl Iterator<Item = (&'a Param<T>, Gradient<T>)> {
        let mut parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).rev().collect();
        self.forms.iter().zip(self.parameters).filter_map(move |(form, (_, param))| {
            let count = length(form, param);
            let mut elements: Vec<T> = Vec::new();
            while elements.len() < count {
                let rest = parts.last_mut().expect("the parts have all elements");
                let taken = rest.split_off(..rest.len().min((count - elements.len()) * size_of::<T>()));
                match (T::read_bytes(taken.unwrap_or_default()), elements.is_empty()) {
                    (all, true) => elements = all,
                    (some, false) => elements.extend(some),
                }
                parts.pop_if(|rest| rest.is_empty());
            }
            let gradient = match form {
                Form::Absent => return None,
                Form::Dense => Gradient::Dense(Tensor::from_vec(elements, param.shape())),
                Form::Rows(indices) => {
                    Gradient::of_rows(SparseRows::from_parts(param.shape(), indices.clone(), elements))
                }
            };
            Some((*param, gradient))
        })
    }
}

/// Copies rows to their places in a gradient of a form with more rows.
fn place<T: Float>(form: &Form, rows: &SparseRows<T>, size: usize, elements: &mut [T]) {
    for (&index, row) in rows.indices().iter().zip(rows.values().as_slice().chunks_exact(size.max(1))) {
        let at = match form {
            Form::Rows(indices) => indices.partition_point(|&other| other < index),
            _ => index,
        };
        elements[at * size..][..size].copy_from_slice(row);
    }
}

/// The number of elements of a gradient of this form.
fn length<T: Float>(form: &Form, param: &Param<T>) -> usize {
    match form {
        Form::Absent => 0,
        Form::Rows(indices) => indices.len() * row_size(param),
        Form::Dense => param.value().len(),
    }
}

/// The number of elements of a row of a table.
fn row_size<T: Float>(param: &Param<T>) -> usize {
    param.shape()[1..].iter().product()
}
