//! Perplexity and bits per character.

use wengert::metrics::{bits_per_byte, bits_per_character, perplexity};

#[test]
fn scores_of_a_uniform_model() {
    for n in [1.0f64, 2.0, 65.0, 50257.0] {
        let loss = n.ln();
        assert!((perplexity(loss) / n - 1.0).abs() < 1e-12);
        assert!((2f64.powf(bits_per_character(loss)) / n - 1.0).abs() < 1e-12);
        assert!((bits_per_byte(loss, 30, 120) - n.log2() / 4.0).abs() < 1e-12);
    }
    assert!(perplexity(f32::NAN).is_nan());
    assert_eq!(perplexity(0.0f32), 1.0);
}
