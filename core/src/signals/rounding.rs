//! How ratios are rounded.

/// `part / whole`, rounded to 8 decimals as every ratio is; `None` if the whole is 0.
pub fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole != 0).then(|| round8(part as f64 / whole as f64))
}

/// Rounds to 8 decimals, half to even on the exact binary value: the same as printing and parsing back.
///
/// Multiplying first is off by at most one part in 2^53, so it decides unless the product is next to a half.
pub fn round8(value: f64) -> f64 {
    let scaled = value * 1e8;
    if scaled.abs() < 1e15 && ((scaled - scaled.floor()) - 0.5).abs() > scaled.abs().max(1.0) * 1e-15 {
        return scaled.round_ties_even() / 1e8;
    }
    format!("{value:.8}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::round8;

    #[test]
    fn rounding_is_printing_and_parsing_back() {
        for i in 0..20_000_u64 {
            let value = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) as f64 / u64::MAX as f64
                * if i % 2 == 0 { 1.0 } else { 40.0 };
            assert_eq!(round8(value), format!("{value:.8}").parse::<f64>().unwrap());
        }
        assert_eq!(round8(0.000_000_005), format!("{:.8}", 0.000_000_005).parse::<f64>().unwrap());
        assert_eq!((round8(1.0 / 512.0), round8(3.0 / 512.0)), (0.001_953_12, 0.005_859_38)); // exact halves
    }
}
