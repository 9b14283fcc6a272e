//! Logarithmic axes.

use crate::support::number::number;
use crate::support::scale::Scale;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// A logarithmic axis, with ticks in every decade, and with several if there is only part of one.
pub struct Log(pub Range<f64>);

impl Log {
    /// Ticks from dense to sparse: evenly spaced ones within a decade, then some in each decade, then one in several.
    fn candidates(&self) -> impl Iterator<Item = Vec<f64>> {
        let Range { start, end } = self.0;
        let unit = start.log10().floor() as i32;
        let multiples = move |step: f64| {
            ((start / step).ceil() as i64..=(end / step).floor() as i64).map(|k| k as f64 * step).collect()
        };
        let decades = move |every: usize, digits: &[f64]| {
            let powers = (unit..=end.log10().ceil() as i32).filter(|power| power % every as i32 == 0);
            let ticks = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)));
            ticks.filter(|tick| (start..=end).contains(tick)).collect()
        };
        let within = (end < 10.0 * start).then_some([1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0]).into_iter().flatten();
        let dense = [&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0][..], &[1.0, 2.0, 5.0]];
        let dense: Vec<Vec<f64>> = dense.into_iter().map(|digits| decades(1, digits)).collect();
        let within = within.map(move |step| multiples(step * 10f64.powi(unit)));
        within.chain(dense).chain((1..100).map(move |every| decades(every, &[1.0])))
    }
}

impl Scale for Log {
    fn share(&self, value: f64) -> f64 {
        (value / self.0.start).ln() / (self.0.end / self.0.start).ln()
    }
}

impl Ranged for Log {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        (f64::from(from) + self.share(*value) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let closest = 1.0 / hint.max_num_points() as f64;
        let fits = |ticks: &Vec<f64>| ticks.windows(2).all(|pair| self.share(pair[1]) - self.share(pair[0]) >= closest);
        self.candidates().find(fits).unwrap_or_default()
    }

    fn range(&self) -> Range<f64> {
        self.0.clone()
    }
}

impl ValueFormatter<f64> for Log {
    fn format_ext(&self, value: &f64) -> String {
        number(value)
    }
}
