//! The page of every diagnostic, embedded from `lane-core/docs/codes`.

use lane_core::diagnostic::Code;
use lane_formats::mesh;

/// The page of a diagnostic, in Markdown.
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    page_named(code.as_str())
}

/// The page of the code that is printed so.
#[must_use]
pub fn page_named(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code).map(|(_, page)| *page)
}

/// Every code as printed, and its title: those of configurations, then those of export and import.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_configurations = Code::ALL.iter().map(|code| (code.as_str(), code.title()));
    of_configurations.chain(mesh::Code::ALL.iter().map(|code| (code.as_str(), code.title())))
}

/// The code of this text, in any case, with or without `LANE` before the number.
#[must_use]
pub fn parse(text: &str) -> Option<&'static str> {
    Code::parse(text).map(Code::as_str).or_else(|| mesh::Code::parse(text).map(mesh::Code::as_str))
}

macro_rules! pages {
    ($($number:literal,)*) => {
        &[$((concat!("LANE", $number), include_str!(concat!("../../lane-core/docs/codes/LANE", $number, ".md"))),)*]
    };
}

#[rustfmt::skip] // a table of numbers, ten a line
const PAGES: &[(&str, &str)] = pages![
    "0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0101", "0102",
    "0103", "0104", "0105", "0106", "0107", "0108", "0109", "0110", "0201", "0202",
    "0203", "0204", "0205", "0206", "0207", "0301", "0302", "0303", "0304", "0305",
    "0306", "0307", "0401", "0402", "0403", "0404", "0405", "0406", "0407", "0501",
    "0502", "0601", "0602", "0603", "0604", "0605", "0606", "0607", "0608", "0609",
    "0701", "0702", "0703", "0704", "0711", "0712", "0713", "0714", "0715", "0716",
    "0717", "0718", "0719",
];

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        for (code, title) in codes() {
            let page = page_named(code).unwrap_or_else(|| panic!("{code} has no page"));
            let title = format!("# {code}: {title}\n");
            assert!(page.starts_with(&title), "the page of {code} does not begin with {title:?}");
            let lines = page.lines().count();
            assert!((8..=25).contains(&lines), "the page of {code} has {lines} lines");
            assert!(page.contains("Why (S") || page.contains("Why (section "), "the page of {code} cites nothing");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lane-core/docs/codes");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let codes: Vec<_> = codes().map(|(code, _)| format!("{code}.md")).collect();
        assert_eq!(files, codes);
        assert_eq!(PAGES.len(), codes.len());
    }
}
