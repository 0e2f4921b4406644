//! Parts of a whole in percent, as people write them.

/// A part of a whole in percent: two decimal places at most, and none that say nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".into();
    }
    // In hundredths of a percent, rounded half up; u128 because weights times ten thousand may be large.
    let hundredths = (u128::from(part) * 10_000 * 2 + u128::from(whole)) / (u128::from(whole) * 2);
    let (units, places) = (hundredths / 100, hundredths % 100);
    match (places, places % 10) {
        (0, _) => format!("{units} %"),
        (_, 0) => format!("{units}.{} %", places / 10),
        _ => format!("{units}.{places:02} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_short() {
        let shown: Vec<_> =
            [(40, 100), (1, 3), (1, 8), (1, 1000), (2, 3), (5, 5), (0, 5), (0, 0)].map(|(part, whole)| percent(part, whole)).into();
        assert_eq!(shown, ["40 %", "33.33 %", "12.5 %", "0.1 %", "66.67 %", "100 %", "0 %", "0 %"]);
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }
}
