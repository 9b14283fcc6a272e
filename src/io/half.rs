//! Conversions of the two formats of half precision.

/// The number with these bits of a `bfloat16`: the upper half of an `f32`.
pub(super) fn f32_from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The bits of the nearest `bfloat16`, ties to even; beyond its range infinity.
pub(super) fn bf16_from(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        // A quiet NaN, because the bits that make it one could all be in the lower half.
        return (bits >> 16) as u16 | 0x40;
    }
    // Adds a little less than half a unit, and a bit more if the result would be odd.
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The number with these bits of an IEEE 754 `binary16`.
pub(super) fn f32_from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1f), u32::from(bits & 0x3ff));
    let magnitude = match exponent {
        // Subnormal: units of 2⁻²⁴, all of them normal in single precision.
        0 => (fraction as f32 * 2f32.powi(-24)).to_bits(),
        0x1f => 0x7f80_0000 | fraction << 13,
        // The bias of the exponent is 15 here and 127 there.
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// The bits of the nearest `binary16`, ties to even; from 65520 on infinity.
pub(super) fn f16_from(x: f32) -> u16 {
    let sign = (x.to_bits() >> 16 & 0x8000) as u16;
    let bits = x.abs().to_bits();
    let magnitude = match bits {
        // A quiet NaN keeps the upper bits of its payload.
        0x7f80_0001.. => 0x7e00 | bits >> 13 & 0x3ff,
        // Half a unit above the largest number.
        0x477f_f000.. => 0x7c00,
        // Normal numbers, from 2⁻¹⁴ on: the same rounding as to `bfloat16`, after a change of the bias.
        0x3880_0000.. => (bits - (112 << 23) + 0xfff + (bits >> 13 & 1)) >> 13,
        // In units of 2⁻²⁴; the sum with 2²³ is rounded to a whole number by the processor.
        _ => (x.abs() * 2f32.powi(24) + 2f32.powi(23)).to_bits() - 2f32.powi(23).to_bits(),
    };
    sign | magnitude as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    type Format = (fn(u16) -> f32, fn(f32) -> u16);
    const FORMATS: [Format; 2] = [(f32_from_f16, f16_from), (f32_from_bf16, bf16_from)];

    #[test]
    fn every_number_survives_a_round_trip() {
        for (read, write) in FORMATS {
            for bits in 0..=u16::MAX {
                let x = read(bits);
                assert!(x.is_nan() && read(write(x)).is_nan() || write(x) == bits, "{bits:#x}: {x}");
            }
        }
        assert_eq!([0x3c00, 0xc000, 0x0001, 0x7bff].map(f32_from_f16), [1.0, -2.0, 2f32.powi(-24), 65504.0]);
        assert_eq!([0x3f80, 0xc000].map(f32_from_bf16), [1.0, -2.0]);
    }

    #[test]
    fn numbers_between_two_are_rounded_to_the_nearest_and_ties_to_even() {
        for (read, write) in FORMATS {
            // Neighbors, from zero to the largest finite number.
            for low in (0..u16::MAX >> 1).take_while(|&bits| read(bits + 1).is_finite()) {
                let [a, b] = [low, low + 1].map(|bits| f64::from(read(bits)));
                let middle = ((a + b) / 2.0) as f32;
                assert_eq!(f64::from(middle), (a + b) / 2.0);
                assert_eq!(write(middle), low + low % 2);
                assert_eq!([middle.next_down(), middle.next_up()].map(write), [low, low + 1]);
                assert_eq!(write(-middle), 0x8000 | (low + low % 2));
            }
        }
        assert_eq!([65519.9, 65520.0, f32::INFINITY].map(f16_from), [0x7bff, 0x7c00, 0x7c00]);
        assert_eq!([f32::MAX, f32::INFINITY].map(bf16_from), [0x7f80, 0x7f80]);
        assert_eq!([1e-30, f32::from_bits(1)].map(f16_from), [0, 0]);
    }
}
