//! The sum of gradients over all ranks.

use crate::autograd::Param;
use crate::autograd::gradient::Gradient;
use crate::distributed::message::{self, Announcement, Form, Parameters, put, take};
use crate::distributed::{Communicator, part};
use crate::panics;
use crate::tensor::{Float, SparseRows, Tensor};
use crate::transform::parallel::{self, Sum};
use crate::transform::tree::{self, Node};
use std::hash::{DefaultHasher, Hash, Hasher};

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

    /// Adds up the gradients of all ranks: each rank those of one part of the list, which it then passes on.
    fn exchange(
        &self,
        communicator: &dyn Communicator,
        count: usize,
        sums: &[Node<Sum<T>>],
        announcements: &[Vec<Node<Announcement<T>>>],
    ) -> Vec<T> {
        let lists: Vec<Vec<T>> = sums.iter().map(|sum| self.list(&sum.value)).collect();
        let for_rank = |rank: usize| {
            let mut bytes = Vec::new();
            lists.iter().for_each(|list| T::write_bytes(&list[self.part(communicator, rank)], &mut bytes));
            bytes
        };
        let messages: Vec<Vec<u8>> = (0..communicator.size()).map(for_rank).collect();
        drop(lists);
        let received = communicator.exchange(&messages.iter().map(Vec::as_slice).collect::<Vec<_>>());
        drop(messages);

        let size = self.part(communicator, communicator.rank()).len();
        let nodes = announcements.iter().zip(&received).flat_map(|(nodes, bytes)| {
            nodes.iter().enumerate().map(move |(k, node)| {
                let bytes = &bytes[k * size * size_of::<T>()..][..size * size_of::<T>()];
                node.with(Tensor::from_vec(T::read_bytes(bytes), [size]))
            })
        });
        let add = |mut a: Tensor<T>, b: Tensor<T>| {
            a += &b;
            a
        };
        let total = tree::reduce(nodes, count, add).pop().expect("there are shards").value;
        let mut bytes = Vec::new();
        T::write_bytes(total.as_slice(), &mut bytes);
        communicator.all_gather(&bytes).iter().flat_map(|bytes| T::read_bytes(bytes)).collect()
    }

    /// The part of the list that a rank adds up.
    fn part(&self, communicator: &dyn Communicator, rank: usize) -> std::ops::Range<usize> {
        part(rank, communicator.size(), self.length)
    }

    /// The gradients of a sum in their places. The others are −0: adding it changes no number, not even the sign of a zero.
    fn list(&self, (_, gradients): &Sum<T>) -> Vec<T> {
        let mut list = Vec::with_capacity(self.length);
        for (form, (_, param)) in self.forms.iter().zip(self.parameters) {
            let start = list.len();
            match (form, gradients.of_param(param)) {
                (Form::Dense, Some(Gradient::Dense(gradient))) => list.extend_from_slice(gradient.as_slice()),
                (_, None) => list.resize(start + length(form, param), -T::ZERO),
                (_, Some(gradient)) => {
                    list.resize(start + length(form, param), -T::ZERO);
                    let rows = gradient.rows().expect("a list of rows is no wider than the sum");
                    let size = row_size(param);
                    for (&index, row) in rows.indices().iter().zip(rows.values().as_slice().chunks_exact(size.max(1))) {
                        let at = match form {
                            Form::Rows(indices) => indices.partition_point(|&other| other < index),
                            _ => index,
                        };
                        list[start + at * size..][..size].copy_from_slice(row);
                    }
                }
            }
        }
        list
    }

    /// The gradients in a list.
    fn gradients(&self, mut list: &[T]) -> impl Iterator<Item = (&'a Param<T>, Gradient<T>)> {
        self.forms.iter().zip(self.parameters).filter_map(move |(form, (_, param))| {
            let (elements, rest) = list.split_at(length(form, param));
            list = rest;
            let gradient = match form {
                Form::Absent => return None,
                Form::Dense => Gradient::Dense(Tensor::from_vec(elements.to_vec(), param.shape())),
                Form::Rows(indices) => {
                    Gradient::of_rows(SparseRows::from_parts(param.shape(), indices.clone(), elements.to_vec()))
                }
            };
            Some((*param, gradient))
        })
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
