//! Numbers as short text.

/// A number without rounding errors, such as 0.3, and with an exponent where that is shorter.
pub fn number(value: &f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(*value);
    match rounded.abs() {
        0.0 | 1e-4..1e5 => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}
