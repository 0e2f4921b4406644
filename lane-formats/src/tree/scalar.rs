//! What an unquoted YAML scalar is: the core schema of YAML 1.2.2, section 10.3.2, and nothing else. So `yes`,
//! `1_000` and `2024-01-01` are text here.

use super::Value;

/// Resolves a plain scalar.
pub(crate) fn resolve(plain: &str) -> Value {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(plain) => Value::Number(plain.into()),
        _ => Value::Text(plain.into()),
    }
}

fn is_number(plain: &str) -> bool {
    let all = |digits: &str, is_digit: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(is_digit);
    if let Some(digits) = plain.strip_prefix("0x") {
        return all(digits, u8::is_ascii_hexdigit);
    }
    if let Some(digits) = plain.strip_prefix("0o") {
        return all(digits, |byte| (b'0'..=b'7').contains(byte));
    }
    if matches!(plain, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_or_none = |digits: &str| digits.as_bytes().iter().all(u8::is_ascii_digit);
    digits_or_none(whole)
        && digits_or_none(places)
        && !(whole.is_empty() && places.is_empty())
        && exponent.is_none_or(|exponent| all(exponent, u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_and_nothing_else() {
        for number in [
            "0",
            "-1",
            "+5",
            "012",
            "0x1F",
            "0o17",
            "1.10",
            ".5",
            "5.",
            "1e3",
            "-1.5E-7",
            ".inf",
            "-.INF",
            ".nan",
            "12345678901234567890123",
        ] {
            assert!(matches!(resolve(number), Value::Number(_)), "{number}");
        }
        for text in [
            "yes",
            "No",
            "on",
            "1_000",
            "2024-01-01",
            "22:22",
            "0x",
            "0o8",
            "1e",
            "e3",
            ".",
            "-",
            "+",
            "--1",
            "1.2.3",
            "+.nan",
            "nULL",
            "tRUE",
            "0x1G",
            "v1",
        ] {
            assert!(matches!(resolve(text), Value::Text(_)), "{text}");
        }
        for null in ["", "~", "null", "Null", "NULL"] {
            assert!(matches!(resolve(null), Value::Null), "{null}");
        }
        assert!(matches!(resolve("True"), Value::Bool(true)));
        assert!(matches!(resolve("FALSE"), Value::Bool(false)));
    }

    #[test]
    fn numbers_are_brought_into_one_notation() {
        use super::super::plain_number;
        let pairs = [
            ("0x1F", "31"),
            ("0o17", "15"),
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1.50", "1.50"),
            ("-3", "-3"),
            (".inf", ".inf"),
            ("+.inf", ".inf"),
        ];
        for (written, plain) in pairs {
            assert_eq!(plain_number(written), plain);
        }
    }
}
