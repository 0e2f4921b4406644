//! The results of cases, for people.

use lane_core::Router;

use super::{
    Tested,
    coverage::Coverage,
    run::{Ran, Verdict},
};
use crate::{
    command::route::why,
    failure::Failure,
    paint::{Paint, Shown, count},
    shares::percent,
    streams::Streams,
};

/// One case: a line where it passed; where it did not, what was wanted, what came, and why.
pub(super) fn case(file: &str, ran: &Ran, router: &Router, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let paint = Paint(streams.colours.out);
    let name = Shown(&ran.name);
    let place = paint.faint(format!("{file}:{}", ran.line)).to_string();
    match ran.verdict {
        Verdict::Passed => return Ok(writeln!(streams.out, "{} {name}", paint.good("pass"))?),
        Verdict::Failed => writeln!(streams.out, "{} {name}  {place}", paint.error("FAIL"))?,
        Verdict::Broken => writeln!(streams.out, "{} {name}  {place}", paint.error("ERROR"))?,
    }
    if let Some(error) = &ran.error {
        writeln!(streams.out, "    {}", Shown(error))?;
    }
    for difference in &ran.differences {
        writeln!(
            streams.out,
            "    {}: wanted {}, got {}",
            Shown(&difference.key),
            paint.good(&difference.wanted),
            paint.error(&difference.actual)
        )?;
    }
    for (call, explanation) in &ran.explanations {
        match call {
            None => writeln!(streams.out, "    why:")?,
            Some(call) => writeln!(streams.out, "    why, at the call of {}:", Shown(call))?,
        }
        for line in why::lines(explanation, router, paint) {
            writeln!(streams.out, "      {line}")?;
        }
    }
    Ok(())
}

/// The totals, and the rules that no case was decided by where they are asked for.
pub(super) fn totals(
    tested: &[Tested],
    skipped: usize,
    coverage: &Coverage,
    listed: Option<Option<u8>>,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let paint = Paint(streams.colours.out);
    let number = |verdict: Verdict| tested.iter().flat_map(|file| &file.ran).filter(|ran| ran.verdict == verdict).count();
    let (passed, failed, broken) = (number(Verdict::Passed), number(Verdict::Failed), number(Verdict::Broken));
    let (covered, all) = coverage.totals();
    if let Some(wanted) = listed {
        for (config, group, rule) in coverage.missing() {
            writeln!(
                streams.out,
                "{} no case was decided by rule `{}` of group `{}` ({config})",
                paint.doubtful("not covered:"),
                Shown(rule),
                Shown(group)
            )?;
        }
        if let Some(wanted) = wanted.filter(|wanted| !coverage.reaches(*wanted)) {
            writeln!(streams.out, "{} {covered} of {} covered, and {wanted} % are wanted", paint.error("too little:"), count(all, "rule"))?;
        }
    }
    let mut parts = vec![paint.good(format!("{passed} passed")).to_string()];
    for (number, what) in [(failed, "failed"), (broken, "broken")] {
        if number > 0 {
            parts.push(paint.error(format!("{number} {what}")).to_string());
        }
    }
    if skipped > 0 {
        parts.push(format!("{skipped} not run"));
    }
    let covered_percent = percent(covered as u64, all as u64);
    writeln!(
        streams.out,
        "{}: {}; rules covered: {covered} of {all} ({covered_percent})",
        count(passed + failed + broken, "case"),
        parts.join(", ")
    )?;
    Ok(())
}
