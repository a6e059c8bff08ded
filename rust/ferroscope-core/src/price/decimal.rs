//! Decimal numbers as scaled integers: prices in nano-USD, counts in millionths, amounts in atto-USD.

/// The number of decimal places of a price.
pub const NANO: u32 = 9;
/// The number of decimal places of a count, because seconds and billed units may be fractions.
pub const MICRO: u32 = 6;
/// The number of decimal places of an amount.
pub const ATTO: u32 = 18;

/// One whole unit of a count.
pub const ONE: i128 = 1_000_000;

/// Parses a JSON or plain decimal number as an integer scaled by `10^digits`, rounded half to even. Returns `None` if
/// it
/// is not a number or overflows.
#[must_use]
pub fn parse(text: &str, digits: u32) -> Option<i128> {
    // Most counts are whole numbers that fit into 64 bits, whose arithmetic is faster.
    if (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = text.bytes().fold(0_u64, |value, byte| value * 10 + u64::from(byte - b'0'));
        return i128::from(value).checked_mul(10_i128.checked_pow(digits)?);
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    let shift = i64::from(digits) + exponent - i64::try_from(fraction.len()).ok()?;
    let value = if shift >= 0 {
        if value == 0 { 0 } else { value.checked_mul(10_i128.checked_pow(u32::try_from(shift).ok()?)?)? }
    } else {
        match u32::try_from(-shift).ok().and_then(|s| 10_i128.checked_pow(s)) {
            Some(divisor) => divide(value, divisor),
            None => 0,
        }
    };
    Some(if negative { -value } else { value })
}

/// Parses a number like [`parse`], but returns `None` if digits would be lost: for numbers written by people.
#[must_use]
pub fn parse_exact(text: &str, digits: u32) -> Option<i128> {
    let value = parse(text, digits)?;
    let finer = parse(text, digits + 9)?;
    (value.checked_mul(1_000_000_000)? == finer).then_some(value)
}

/// Returns `value / divisor`, rounded half to even. The divisor is positive.
#[must_use]
pub fn divide(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(divisor), value.rem_euclid(divisor));
    match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

/// Returns the number in plain notation, without trailing zeros.
#[must_use]
pub fn format(value: i128, digits: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let width = digits as usize;
    let text = value.unsigned_abs().to_string();
    let text = format!("{text:0>width$}", width = width + 1);
    let (whole, fraction) = text.split_at(text.len() - width);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Returns the double nearest to an amount.
#[must_use]
pub fn nearest(atto: i128) -> f64 {
    // All integers up to 2^53 and also 10^18 are exact doubles, so only the division rounds. For bigger amounts, parse
    // the
    // text, which every platform rounds correctly.
    if atto.unsigned_abs() <= 1 << 53 {
        return atto as f64 / 1e18;
    }
    format(atto, ATTO).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_their_scale() {
        for (text, digits, expected) in [
            ("3", NANO, Some(3_000_000_000)),
            ("0.0375", NANO, Some(37_500_000)),
            ("1.575e-05", ATTO, Some(15_750_000_000_000)),
            ("1E3", MICRO, Some(1_000_000_000)),
            ("-7", MICRO, Some(-7_000_000)),
            ("0.0000005", MICRO, Some(0)),
            ("0.0000015", MICRO, Some(2)),
            ("0e99999", MICRO, Some(0)),
            ("1e99999", MICRO, None),
            ("1e-99999", MICRO, Some(0)),
            ("", MICRO, None),
            (".", MICRO, None),
            ("NaN", MICRO, None),
            ("1.2.3", MICRO, None),
        ] {
            assert_eq!(parse(text, digits), expected, "{text}");
        }
    }

    #[test]
    fn a_written_price_may_not_lose_digits() {
        assert_eq!(parse_exact("0.123456789", NANO), Some(123_456_789));
        assert_eq!(parse_exact("0.1234567891", NANO), None);
    }

    #[test]
    fn amounts_are_written_plainly() {
        for (value, digits, expected) in [
            (0, ATTO, "0"),
            (1_000_000_000_000_000_000, ATTO, "1"),
            (7_680_000_000_000, ATTO, "0.00000768"),
            (-1_500_000, MICRO, "-1.5"),
            (10_000_000_000, NANO, "10"),
        ] {
            assert_eq!(format(value, digits), expected);
        }
    }

    #[test]
    fn a_division_rounds_half_to_even() {
        for (value, divisor, expected) in [(5, 2, 2), (7, 2, 4), (6, 4, 2), (1, 3, 0), (2, 3, 1), (-5, 2, -2)]
        {
            assert_eq!(divide(value, divisor), expected, "{value}/{divisor}");
        }
    }

    #[test]
    fn the_double_is_the_nearest_one() {
        assert_eq!(nearest(6_417_500_000_000_000), 0.006_417_5);
        assert_eq!(nearest(22_775_000_000_000_000), 0.022_775);
        assert_eq!(nearest(23_943_123_456_789_012_345_678), 23_943.123_456_789_012);
    }
}
