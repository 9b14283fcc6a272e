//! What a rank tells the others about the sums over its shards before the gradients themselves are exchanged.

use crate::autograd::Param;
use crate::autograd::gradient::Gradient;
use crate::tensor::Float;
use crate::transform::parallel::Sum;
use crate::transform::tree::Node;

/// The parameters of a model, with their paths.
pub(super) type Parameters<'a, T> = [(String, &'a Param<T>)];

/// A sum over shards without the elements of its gradients.
pub(super) struct Announcement<T> {
    pub(super) loss: f64,
    /// Of each parameter of the model.
    pub(super) forms: Vec<Form>,
    /// Of each parameter of the model, the pending updates, as decay and value.
    pub(super) updates: Vec<Vec<(f64, Vec<T>)>>,
}

/// How a gradient is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Absent,
    /// A list of rows, with their indices.
    Rows(Vec<usize>),
    Dense,
}

impl Form {
    fn of<T: Float>(gradient: Option<&Gradient<T>>) -> Self {
        match gradient {
            None => Form::Absent,
            Some(Gradient::Dense(_)) => Form::Dense,
            Some(Gradient::Rows { rows, .. }) => Form::Rows(rows.indices().to_vec()),
        }
    }

    /// The form of the sum with a gradient of another form.
    pub(super) fn with(&self, other: &Form) -> Form {
        match (self, other) {
            (Form::Dense, _) | (_, Form::Dense) => Form::Dense,
            (Form::Absent, form) | (form, Form::Absent) => form.clone(),
            (Form::Rows(a), Form::Rows(b)) => {
                let mut indices = [&a[..], b].concat();
                indices.sort_unstable();
                indices.dedup();
                Form::Rows(indices)
            }
        }
    }
}

/// The bytes of an announcement of each sum.
pub(super) fn write<T: Float>(parameters: &Parameters<T>, sums: &[Node<Sum<T>>], bytes: &mut Vec<u8>) {
    for Node { level, index, value: (loss, gradients) } in sums {
        put(bytes, [u64::from(*level), *index as u64, loss.to_bits()]);
        for (_, param) in parameters {
            match Form::of(gradients.of_param(param)) {
                Form::Absent => put(bytes, [0]),
                Form::Dense => put(bytes, [1]),
                Form::Rows(indices) => {
                    put(bytes, [2, indices.len() as u64]);
                    put(bytes, indices.into_iter().map(|index| index as u64));
                }
            }
            put(bytes, [gradients.updates_of(param).count() as u64]);
            for (decay, value) in gradients.updates_of(param) {
                put(bytes, [decay.to_bits()]);
                T::write_bytes(value.as_slice(), bytes);
            }
        }
    }
}

/// The announcements that [`write`] wrote; the model of the sender has the same shapes.
pub(super) fn read<T: Float>(parameters: &Parameters<T>, mut bytes: &[u8]) -> Vec<Node<Announcement<T>>> {
    let mut announcements = Vec::new();
    while !bytes.is_empty() {
        let (level, index) = (take(&mut bytes) as u32, take(&mut bytes) as usize);
        let loss = f64::from_bits(take(&mut bytes));
        let (mut forms, mut updates) = (Vec::new(), Vec::new());
        for (_, param) in parameters {
            forms.push(match take(&mut bytes) {
                0 => Form::Absent,
                1 => Form::Dense,
                _ => Form::Rows((0..take(&mut bytes)).map(|_| take(&mut bytes) as usize).collect()),
            });
            let size = param.value().len() * size_of::<T>();
            let count = take(&mut bytes);
            let update = |_| {
                let decay = f64::from_bits(take(&mut bytes));
                let (value, rest) = bytes.split_at(size);
                bytes = rest;
                (decay, T::read_bytes(value))
            };
            updates.push((0..count).map(update).collect());
        }
        announcements.push(Node { level, index, value: Announcement { loss, forms, updates } });
    }
    announcements
}

/// Appends numbers.
pub(super) fn put(bytes: &mut Vec<u8>, numbers: impl IntoIterator<Item = u64>) {
    bytes.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
}

/// The number at the beginning, which is removed.
pub(super) fn take(bytes: &mut &[u8]) -> u64 {
    let (number, rest) = bytes.split_first_chunk().expect("the ranks run the same program");
    *bytes = rest;
    u64::from_le_bytes(*number)
}
