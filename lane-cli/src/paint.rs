//! The few styles of the command's output, and text of strangers made fit for a terminal.

use std::fmt::{self, Display, Write as _};

use clap::builder::styling::{AnsiColor, Style};

/// Paints text, or leaves it plain.
#[derive(Clone, Copy, Debug)]
pub struct Paint(pub bool);

impl Paint {
    /// What a reader looks for first.
    pub fn strong(self, text: impl Display) -> impl Display {
        self.paint(Style::new().bold(), text)
    }

    /// What is well.
    pub fn good(self, text: impl Display) -> impl Display {
        self.paint(AnsiColor::Green.on_default().bold(), text)
    }

    /// What may be well.
    pub fn doubtful(self, text: impl Display) -> impl Display {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// What is wrong.
    pub fn error(self, text: impl Display) -> impl Display {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// What helps on.
    pub fn hint(self, text: impl Display) -> impl Display {
        self.paint(AnsiColor::Cyan.on_default().bold(), text)
    }

    /// What is there for completeness.
    pub fn faint(self, text: impl Display) -> impl Display {
        self.paint(Style::new().dimmed(), text)
    }

    fn paint(self, style: Style, text: impl Display) -> impl Display {
        Painted { style: if self.0 { style } else { Style::new() }, text }
    }
}

struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style)?;
        self.text.fmt(f)?;
        write!(f, "{:#}", self.style)
    }
}

/// Text from a request or a configuration: control characters are escaped, so that nothing in it moves the cursor.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'t>(pub &'t str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            // Bidirectional controls reorder what follows them on the screen.
            if letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// `1 error`, `2 errors`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_escaped_and_letters_are_not() {
        assert_eq!(Shown("a\u{1b}[31mé\n\u{202e}").to_string(), "a\\u{1b}[31mé\\n\\u{202e}");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!((count(1, "error"), count(0, "error"), count(2, "error")), ("1 error".into(), "0 errors".into(), "2 errors".into()));
    }

    #[test]
    fn plain_paint_adds_nothing() {
        assert_eq!(format!("{:>5}", Paint(false).error("ab").to_string()), "   ab");
        assert_ne!(Paint(true).error("ab").to_string(), "ab");
    }
}
