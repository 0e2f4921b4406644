//! Configurations as text.

use lane_core::{Options, diagnostic::Severity};
use lane_formats::{Format, Located, load, load_bytes};

/// The last bit of the first byte chooses the language, the rest is the text.
///
/// # Panics
///
/// A promise is broken: see the crate's table.
pub fn config_text(bytes: &[u8]) {
    let Some((choice, text)) = bytes.split_first() else { return };
    let format = if choice & 1 == 0 { Format::Yaml } else { Format::Json };
    let mut options = Options::default();
    // Small limits are met sooner, and no input may cost much.
    options.limits.document_bytes = 64 << 10;
    options.limits.regex_bytes = 64 << 10;
    options.limits.automata_bytes = 256 << 10;
    let findings = match load_bytes(text, format, &options) {
        Err(refused) => {
            assert!(refused.findings.iter().any(|finding| finding.severity == Severity::Error), "refused without an error");
            refused.findings
        }
        Ok(loaded) => {
            assert!(loaded.warnings.iter().all(|finding| finding.severity == Severity::Warning), "accepted with an error");
            let written = serde_json::to_string(&loaded.config).unwrap();
            let again =
                load(&written, Format::Json, &Options::default()).unwrap_or_else(|refused| panic!("not read again:\n{refused}\n{written}"));
            assert_eq!(again.config, loaded.config, "read otherwise the second time");
            loaded.warnings
        }
    };
    findings.iter().for_each(|finding| place_is_right(finding, text));
}

/// The place of a finding lies in the text.
fn place_is_right(finding: &Located, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let lines = 1 + text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    assert!((1..=lines).contains(&finding.line), "line {} of {lines}: {finding}", finding.line);
    assert!(finding.column >= 1 && finding.column <= text.len() + 1, "column {}: {finding}", finding.column);
    assert!(
        finding.range.start <= finding.range.end && finding.range.end <= text.len(),
        "{:?} of {}: {finding}",
        finding.range,
        text.len()
    );
    assert!(!finding.message.is_empty() && finding.code.as_str().starts_with("LANE"));
}
