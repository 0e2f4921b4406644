//! `lane explain`: the page of a diagnostic.

use clap::Args;
use lane_core::diagnostic::did_you_mean;

use crate::{
    failure::{Exit, Failure, Outcome},
    pages,
    paint::Paint,
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Says what a diagnostic means: a wrong example, the right one, and why the rule exists. The examples are fields of one \
    group with the services `cart` and `stock`, the baseline `v1` and the lane `v2`. Without a code, lists all of them.";

/// Arguments of `lane explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lane explain LANE0102")]
pub struct Explain {
    /// The code as `lane check` prints it; its number is enough
    code: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let paint = Paint(streams.colours.out);
        let Some(wanted) = &self.code else {
            for (code, title) in pages::codes() {
                writeln!(streams.out, "{}  {title}", paint.strong(code))?;
            }
            return Ok(Exit::Done);
        };
        let known = pages::parse(wanted).and_then(pages::page_named);
        let Some(page) = known else {
            let help = did_you_mean(wanted, pages::codes().map(|(code, _)| code));
            let help = help.unwrap_or_else(|| "`lane explain` without a code lists all of them".into());
            return Err(Failure::with_help(format!("`{wanted}` is no diagnostic"), Some(help)));
        };
        let mut example = false;
        for line in page.lines() {
            match line {
                "```yaml" => example = true,
                "```" => example = false,
                _ if example => writeln!(streams.out, "    {line}")?,
                _ => match line.strip_prefix("# ") {
                    Some(title) => writeln!(streams.out, "{}", paint.strong(title))?,
                    None => writeln!(streams.out, "{line}")?,
                },
            }
        }
        Ok(Exit::Done)
    }
}
