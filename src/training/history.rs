//! The history of a training run.

use std::fmt::Write;

/// What happened in each epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    epochs: Vec<Epoch>,
}

/// One epoch of a [`History`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// The number of steps since the beginning of training.
    pub steps: usize,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The mean loss over the steps; 0 if there were none.
    pub loss: f64,
    /// The value on validation data, if there was one.
    pub validation: Option<f64>,
}

impl History {
    /// The epochs in order.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    pub(super) fn begin(&mut self) {
        let (steps, learning_rate) = self.epochs.last().map_or((0, 0.0), |last| (last.steps, last.learning_rate));
        self.epochs.push(Epoch { steps, learning_rate, ..Epoch::default() });
    }

    #[track_caller]
    pub(super) fn current(&mut self) -> &mut Epoch {
        self.epochs.last_mut().expect("`next_epoch` is called before the first step")
    }

    /// A table with a line for each epoch, counted from 1; numbers are written so that they read back exactly.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("epoch,step,learning_rate,loss,validation\n");
        for (k, epoch) in self.epochs.iter().enumerate() {
            let Epoch { steps, learning_rate, loss, validation } = epoch;
            let validation = validation.map_or(String::new(), |value| value.to_string());
            _ = writeln!(csv, "{},{steps},{learning_rate},{loss},{validation}", k + 1);
        }
        csv
    }

    /// A list with an object for each epoch, as [`to_csv`](History::to_csv); a value that JSON does not have is `null`.
    pub fn to_json(&self) -> String {
        let number = |value: f64| if value.is_finite() { value.to_string() } else { "null".into() };
        let epochs: Vec<String> = (1..)
            .zip(&self.epochs)
            .map(|(k, epoch)| {
                let (learning_rate, loss) = (number(epoch.learning_rate), number(epoch.loss));
                let validation = epoch.validation.map_or("null".into(), number);
                format!(
                    r#"{{"epoch":{k},"step":{},"learning_rate":{learning_rate},"loss":{loss},"validation":{validation}}}"#,
                    epoch.steps
                )
            })
            .collect();
        format!("[{}]\n", epochs.join(",\n"))
    }
}
