//! How large the gradients and the updates of a model are, by parameter.

use super::Module;
use crate::autograd::Gradients;
use crate::tensor::{Float, Tensor};
use std::fmt::{self, Display, Formatter};

/// The norms of parameters, of their gradients and of their updates, returned by [`Gradients::norms`]; `Display` prints a table.
///
/// A norm is the root of the sum of squares. The update of a step is about a thousandth of its parameter where training goes well; a
/// layer whose gradient is many times smaller than those of others does not learn.
#[derive(Clone, Debug)]
pub struct Norms<T: Float = f32> {
    rows: Vec<ParameterNorms>,
    values: Vec<Tensor<T>>,
}

/// The norms of one parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParameterNorms {
    /// The path of the parameter.
    pub path: String,
    /// The norm of its value before the update.
    pub value: f64,
    /// The norm of its gradient, if it has one.
    pub gradient: Option<f64>,
    /// The norm of its update, once it is known.
    pub update: Option<f64>,
}

impl<T: Float> Gradients<T> {
    /// The norms of the trainable parameters of a model and of these gradients. [`Norms::after`] adds those of an update.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let mut model: Linear = Linear::new(2, 1, Init::Constant(2.0), &mut wengert::rng(0));
    /// let loss = model.forward(&Tape::new().constant([[3.0, 4.0]])).sum();
    /// let gradients = loss.backward();
    /// let norms = gradients.norms(&model);
    /// Sgd::new(0.1).step(&mut model, &gradients);
    /// let norms = norms.after(&model);
    /// assert_eq!(norms.rows()[0].gradient, Some(5.0));
    /// println!("{norms}");
    /// // parameter     value  gradient    update  update / value
    /// // weight     2.828e0     5.000e0  5.000e-1        1.768e-1
    /// ```
    #[doc(alias = "grad_norm")]
    pub fn norms(&self, model: &(impl Module<T> + ?Sized)) -> Norms<T> {
        let parameters = model.parameters().into_iter().filter(|(_, param)| param.is_trainable());
        let row = |(path, param): (String, &crate::autograd::Param<T>)| {
            let gradient = self.get(param).map(|gradient| norm(gradient.iter().map(|x| x.to_f64())));
            let value = norm(param.value().iter().map(|x| x.to_f64()));
            (ParameterNorms { path, value, gradient, update: None }, param.value().clone())
        };
        let (rows, values) = parameters.map(row).unzip();
        Norms { rows, values }
    }
}

impl<T: Float> Norms<T> {
    /// Adds the norms of the update that the model has received since.
    ///
    /// # Panics
    /// If it has other parameters.
    #[track_caller]
    pub fn after(mut self, model: &(impl Module<T> + ?Sized)) -> Self {
        let parameters = model.parameters().into_iter().filter(|(_, param)| param.is_trainable());
        let values: Vec<&Tensor<T>> = parameters.map(|(_, param)| param.value()).collect();
        if !values.iter().map(|value| value.shape()).eq(self.values.iter().map(|value| value.shape())) {
            crate::panics::other_parameters(values.len(), self.values.len());
        }
        for (row, (before, after)) in self.rows.iter_mut().zip(self.values.iter().zip(values)) {
            row.update = Some(norm(before.iter().zip(after.iter()).map(|(a, b)| b.to_f64() - a.to_f64())));
        }
        self
    }

    /// The norms, in the order of the model.
    pub fn rows(&self) -> &[ParameterNorms] {
        &self.rows
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

impl<T: Float> Display for Norms<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3e}"));
        let width = self.rows.iter().map(|row| row.path.chars().count()).fold("parameter".len(), usize::max);
        writeln!(f, "{:<width$}  {:>9}  {:>9}  {:>9}  update / value", "parameter", "value", "gradient", "update")?;
        for ParameterNorms { path, value, gradient, update } in &self.rows {
            let share = number(update.filter(|_| *value > 0.0).map(|update| update / value));
            let [value, gradient, update] = [Some(*value), *gradient, *update].map(number);
            writeln!(f, "{path:<width$}  {value:>9}  {gradient:>9}  {update:>9}  {share:>14}")?;
        }
        Ok(())
    }
}
