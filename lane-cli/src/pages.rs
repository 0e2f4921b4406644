//! The page of every diagnostic, embedded from `lane-core/docs/codes`.

use lane_core::diagnostic::Code;

/// The page of a diagnostic, in Markdown.
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code.as_str()).map(|(_, page)| *page)
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
];

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        for code in Code::ALL {
            let page = page(*code).unwrap_or_else(|| panic!("{code} has no page"));
            let title = format!("# {code}: {}\n", code.title());
            assert!(page.starts_with(&title), "the page of {code} does not begin with {title:?}");
            let lines = page.lines().count();
            assert!((8..=25).contains(&lines), "the page of {code} has {lines} lines");
            assert!(page.contains("Why (S") || page.contains("Why (section "), "the page of {code} cites nothing");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lane-core/docs/codes");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let codes: Vec<_> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
        assert_eq!(files, codes);
        assert_eq!(PAGES.len(), codes.len());
    }
}
