//! The results of cases as JUnit XML, which every CI reads.

use std::{
    fmt::{self, Display, Write},
    time::Duration,
};

use super::{
    Tested,
    run::{Ran, Verdict},
};

/// The report on all files.
pub(super) fn report(tested: &[Tested]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _written = all(tested, &mut xml);
    xml
}

fn all(tested: &[Tested], xml: &mut String) -> fmt::Result {
    let ran = || tested.iter().flat_map(|file| &file.ran);
    writeln!(xml, "<testsuites {}>", Totals(&ran().collect::<Vec<_>>()))?;
    for file in tested {
        let totals = file.ran.iter().collect::<Vec<_>>();
        writeln!(xml, "  <testsuite name=\"{}\" {}>", Escaped(&file.name), Totals(&totals))?;
        for ran in &file.ran {
            case(&file.name, ran, xml)?;
        }
        writeln!(xml, "  </testsuite>")?;
    }
    writeln!(xml, "</testsuites>")
}

fn case(file: &str, ran: &Ran, xml: &mut String) -> fmt::Result {
    let (name, file, line, time) = (Escaped(&ran.name), Escaped(file), ran.line, Seconds(ran.took));
    write!(xml, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\" time=\"{time}\"")?;
    match ran.verdict {
        Verdict::Passed => writeln!(xml, "/>"),
        Verdict::Failed => {
            let lines: Vec<_> =
                ran.differences.iter().map(|one| format!("{}: wanted {}, got {}", one.key, one.wanted, one.actual)).collect();
            let first = lines.first().map(String::as_str).unwrap_or_default();
            writeln!(xml, ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>", Escaped(first), Escaped(&lines.join("\n")))
        }
        Verdict::Broken => {
            let error = ran.error.as_deref().unwrap_or_default();
            writeln!(xml, ">\n      <error message=\"{0}\">{0}</error>\n    </testcase>", Escaped(error))
        }
    }
}

struct Totals<'r>(&'r [&'r Ran]);

impl Display for Totals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |verdict: Verdict| self.0.iter().filter(|ran| ran.verdict == verdict).count();
        let time = Seconds(self.0.iter().map(|ran| ran.took).sum());
        write!(
            f,
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{time}\"",
            self.0.len(),
            number(Verdict::Failed),
            number(Verdict::Broken)
        )
    }
}

struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0.as_secs_f64())
    }
}

/// Text inside XML, also inside an attribute. What XML 1.0 cannot hold is replaced.
struct Escaped<'t>(&'t str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' => f.write_str("&#10;")?,
                '\t' => f.write_str("&#9;")?,
                '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                _ if letter.is_control() => f.write_char('\u{fffd}')?,
                _ => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_what_xml_cannot_hold_is_replaced() {
        assert_eq!(Escaped("a<b>&\"c\"\n\u{1b}\u{0}é").to_string(), "a&lt;b&gt;&amp;&quot;c&quot;&#10;\u{fffd}\u{fffd}é");
    }
}
