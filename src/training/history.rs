//! The history of a training run.

use crate::io::quoted;
use crate::metrics::Mean;
use std::fmt::{self, Display, Formatter, Write};

/// The name of the loss among the metrics of an epoch, and of the value on validation data.
pub(super) const LOSS: &str = "loss";
pub(super) const VALIDATION: &str = "validation";

/// What happened in each epoch.
#[derive(Clone, Debug, Default)]
pub struct History {
    epochs: Vec<Epoch>,
}

/// One epoch of a [`History`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Epoch {
    /// The number of steps since the beginning of training.
    pub steps: usize,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The seconds from the beginning of the epoch to its last step, interruptions not counted.
    pub seconds: f64,
    metrics: Vec<(String, Mean)>,
}

impl Epoch {
    /// The mean loss over the steps; NaN if there were none.
    pub fn loss(&self) -> f64 {
        self.metric(LOSS).unwrap_or(f64::NAN)
    }

    /// The value on validation data, if there is one.
    pub fn validation(&self) -> Option<f64> {
        self.metric(VALIDATION)
    }

    /// The mean of a metric, if there is one of that name.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics().find(|metric| metric.0 == name).map(|metric| metric.1)
    }

    /// The names and means of all metrics, in the order in which they came.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, f64)> {
        self.metrics.iter().map(|(name, mean)| (name.as_str(), mean.value()))
    }

    /// The running mean of a metric.
    pub(super) fn mean(&mut self, name: &str) -> &mut Mean {
        let at = self.metrics.iter().position(|metric| metric.0 == name).unwrap_or_else(|| {
            self.metrics.push((name.into(), Mean::new()));
            self.metrics.len() - 1
        });
        &mut self.metrics[at].1
    }
}

/// The numbers in one line, for a log.
impl Display for Epoch {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "step {}  learning_rate {:.3e}", self.steps, self.learning_rate)?;
        self.metrics().try_for_each(|(name, value)| write!(f, "  {name} {value:.4}"))
    }
}

impl History {
    /// The epochs in order, the current one included.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The names of all metrics, in the order in which they came.
    pub fn metrics(&self) -> Vec<&str> {
        let mut names = vec![LOSS];
        for (name, _) in self.epochs.iter().flat_map(Epoch::metrics) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    pub(super) fn begin(&mut self) {
        let (steps, learning_rate) = self.epochs.last().map_or((0, 0.0), |last| (last.steps, last.learning_rate));
        self.epochs.push(Epoch { steps, learning_rate, ..Epoch::default() });
    }

    #[track_caller]
    pub(super) fn current(&mut self) -> &mut Epoch {
        self.epochs.last_mut().expect("`next_epoch` is called before the first step")
    }

    /// A table with a line for each epoch, counted from 1; numbers are written so that they read back exactly, and what an epoch
    /// lacks is left empty.
    pub fn to_csv(&self) -> String {
        let names = self.metrics();
        // A name with a comma or quotation mark is quoted.
        let field = |name: &&str| match name.contains([',', '"', '\n']) {
            true => format!("\"{}\"", name.replace('"', "\"\"")),
            false => name.to_string(),
        };
        let mut csv = format!("epoch,step,learning_rate,{}\n", names.iter().map(field).collect::<Vec<_>>().join(","));
        for (k, epoch) in (1..).zip(&self.epochs) {
            _ = write!(csv, "{k},{},{}", epoch.steps, epoch.learning_rate);
            for name in &names {
                _ = write!(csv, ",{}", epoch.metric(name).map_or(String::new(), |value| value.to_string()));
            }
            csv.push('\n');
        }
        csv
    }

    /// A list with an object for each epoch, as [`to_csv`](History::to_csv); a value that is missing or that JSON does not have is
    /// `null`.
    pub fn to_json(&self) -> String {
        let number =
            |value: Option<f64>| value.filter(|value| value.is_finite()).map_or("null".into(), |x| x.to_string());
        let object = |(k, epoch): (usize, &Epoch)| {
            let mut object = format!(r#"{{"epoch":{k},"step":{},"learning_rate":"#, epoch.steps);
            object += &number(Some(epoch.learning_rate));
            for name in self.metrics() {
                _ = write!(object, ",{}:{}", quoted(name), number(epoch.metric(name)));
            }
            object + "}"
        };
        format!("[{}]\n", (1..).zip(&self.epochs).map(object).collect::<Vec<_>>().join(",\n"))
    }

    /// The history as numbers, for a checkpoint: the names of the metrics, three numbers for each epoch, and the states of its
    /// metrics.
    pub(super) fn to_numbers(&self) -> (Vec<&str>, Vec<f64>, Vec<f64>) {
        let names = self.metrics();
        let own = self.epochs.iter().flat_map(|epoch| [epoch.steps as f64, epoch.learning_rate, epoch.seconds]);
        let state = |epoch: &Epoch, name: &str| {
            let metric = epoch.metrics.iter().find(|metric| metric.0 == name);
            metric.map_or([0.0; 4], |metric| metric.1.state())
        };
        let states = self.epochs.iter().flat_map(|epoch| names.iter().flat_map(move |name| state(epoch, name)));
        (names.clone(), own.collect(), states.collect())
    }

    /// The history with these [numbers](History::to_numbers); `None` if the numbers of steps are none.
    pub(super) fn from_numbers(names: &[&str], own: &[f64], states: &[f64]) -> Option<Self> {
        let own: Vec<[f64; 3]> = own.as_chunks().0.to_vec();
        let is_count = |steps: f64| steps >= 0.0 && steps.fract() == 0.0 && steps < 1e15;
        if !own.iter().all(|epoch| is_count(epoch[0])) || !own.is_sorted_by_key(|epoch| epoch[0]) {
            return None;
        }
        let mut states = states.as_chunks().0.iter();
        let epoch = |[steps, learning_rate, seconds]: [f64; 3]| {
            let states = names.iter().zip(states.by_ref());
            let metrics = states.filter(|(_, state)| **state != [0.0; 4]);
            let metrics = metrics.map(|(name, state)| (name.to_string(), Mean::from_state(*state))).collect();
            Epoch { steps: steps as usize, learning_rate, seconds, metrics }
        };
        Some(History { epochs: own.into_iter().map(epoch).collect() })
    }
}
