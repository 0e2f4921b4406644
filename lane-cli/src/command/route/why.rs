//! An explanation for people: what was done, step by step, in the order in which it was done.

use lane_core::{
    Reason, Router,
    config::Method,
    explain::{By, Drawn, Explanation, Failure as Failed, Place, RuleResult, Step},
};

use crate::{
    failure::Failure,
    paint::{Paint, Shown},
    streams::Streams,
};

/// Writes the steps, one or more lines each.
pub(crate) fn write(explanation: &Explanation, router: &Router, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let paint = Paint(streams.colours.out);
    writeln!(streams.out, "{}", paint.strong("why"))?;
    for line in lines(explanation, router, paint) {
        writeln!(streams.out, "  {line}")?;
    }
    if explanation.steps.is_empty() {
        writeln!(streams.out, "  there was nothing to try")?;
    }
    Ok(())
}

/// The lines of an explanation.
pub fn lines(explanation: &Explanation, router: &Router, paint: Paint) -> Vec<String> {
    // One group needs no naming.
    let several = router.groups().len() > 1;
    let of = |group: &str| if several { format!(" of group `{}`", Shown(group)) } else { String::new() };
    let mut lines = Vec::new();
    for step in &explanation.steps {
        match step {
            Step::Rule { group, rule, result } => {
                let rule = format!("rule `{}`{}", Shown(rule), of(group));
                match result {
                    RuleResult::Holds => lines.push(format!("{rule} {}", paint.good("holds"))),
                    RuleResult::Undetermined => lines.push(format!("{rule} {}", paint.doubtful("may or may not hold"))),
                    RuleResult::Failed(failures) => {
                        lines.push(format!("{rule} does not hold"));
                        lines.extend(failures.iter().map(|failed| format!("    {}", condition(failed))));
                    }
                }
            }
            Step::Look { group, place, found, unseen } => {
                let found = match (found, unseen) {
                    (Some(name), _) => paint.good(format!("`{}`", Shown(name))).to_string(),
                    (None, true) => paint.doubtful("not recorded").to_string(),
                    (None, false) => "nothing".into(),
                };
                lines.push(format!("looked for a lane in {}{}: {found}", place_name(*place), of(group)));
            }
            Step::Draw { rule, by, shares, lane } => {
                lines.push(format!(
                    "the split of rule `{}` was drawn by {}: lane {}",
                    Shown(rule),
                    drawn_by(by),
                    paint.good(format!("`{}`", Shown(lane)))
                ));
                lines.extend(shares.iter().map(|share| format!("    {}", part(share, share.lane == *lane, by))));
            }
            Step::Candidate { service, lane, passed_over } => {
                let who = format!("lane `{}` for `{}`", Shown(lane), Shown(service));
                lines.push(match passed_over {
                    None => format!("{who} {}", paint.good("serves")),
                    Some(reason) => format!("{who} is passed over: {}", reason_text(*reason)),
                });
            }
        }
    }
    if !explanation.undetermined.is_empty() {
        lines.push(format!("{}: {}", paint.doubtful("it depends on what is not known"), explanation.undetermined.join(", ")));
    }
    lines
}

/// A condition that failed: what was wanted and what there was.
fn condition(failed: &Failed) -> String {
    let Failed { attribute, wanted, actual } = failed;
    let actual = actual.as_ref().map_or_else(|| "there is none".into(), |actual| format!("it is \"{}\"", Shown(actual)));
    format!("{}: wanted {}, and {actual}", Shown(attribute), Shown(wanted))
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::GuidingHeader => "the guiding header",
        Place::Context => "the context",
        Place::Source => "the caller's own lane",
    }
}

/// Why a candidate was passed over, in words.
pub(super) fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::NotInLane => "the lane does not contain the service",
        Reason::NoEndpoints => "it has no endpoints",
        Reason::NoneHealthy => "none of its endpoints is healthy",
        Reason::BelowMinHealthy => "too few of its endpoints are healthy",
    }
}

fn drawn_by(by: &By) -> String {
    match by {
        By::OnlyWeight => "its only weight".into(),
        By::Roll { value, total } => format!("the roll ({value} of {total})"),
        By::Key { key, method: Method::Rendezvous, .. } => format!("{} (rendezvous, smallest score wins)", Shown(key)),
        By::Key { key, method: Method::Ranges, value } => {
            let value = value.map(|value| format!(", hash {value}")).unwrap_or_default();
            format!("{} (ranges{value})", Shown(key))
        }
    }
}

fn part(share: &Drawn, drawn: bool, by: &By) -> String {
    let mark = if drawn { "->" } else { "  " };
    let how = match (share.range, share.score, by) {
        (_, _, By::OnlyWeight) => String::new(),
        (_, Some(score), _) => format!(", score {score:.6}"),
        (Some((start, end)), ..) if start < end => format!(", {start} to {}", end - 1),
        _ => String::new(),
    };
    format!("{mark} `{}` weight {}{how}", Shown(&share.lane), share.weight)
}
