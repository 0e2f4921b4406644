//! A decision for people: one line that says it all, then what it is made of.

use std::fmt::Display;

use lane_core::{
    FoundIn, Outcome,
    config::{Config, Key, Rule},
};
use lane_formats::{
    Bytes, Loaded,
    decision::{Answer, Remembered, Report},
    request::{Ask, Place},
};

use super::why::reason_text;
use crate::{
    failure::Failure,
    paint::{Paint, Shown},
    shares::percent,
    streams::Streams,
};

/// Writes a decision about a request.
pub(super) fn write(ask: &Ask, answer: &Answer, loaded: &Loaded, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let paint = Paint(streams.colours.out);
    let mut lines = Vec::new();
    match answer {
        Answer::Decision(report) => {
            writeln!(streams.out, "{}", headline(ask, report, paint))?;
            parts(report, &loaded.config, &mut lines);
        }
        Answer::Inbound { remember } => {
            let count = remember.len();
            writeln!(streams.out, "{}", paint.strong(format!("inbound: {count} to remember")))?;
            lines.extend(remember.iter().map(|remembered| ("remember", remembered_text(remembered))));
        }
    }
    for (name, text) in lines {
        writeln!(streams.out, "  {} {text}", paint.faint(format!("{name:<9}")))?;
    }
    Ok(())
}

fn headline(ask: &Ask, report: &Report, paint: Paint) -> String {
    let Report { status, lane, service, fallback, .. } = report;
    let name = |name: &Option<String>| format!("`{}`", Shown(name.as_deref().unwrap_or_default()));
    let service = name(service);
    match (report.outcome, &ask.place) {
        (Outcome::Routed, _) => format!("{}: lane {} serves {service}", paint.good(format!("{status} routed")), name(lane)),
        (Outcome::FellBack, _) => {
            let to = fallback.as_ref().map(|fallback| fallback.to.clone());
            format!("{}: lane {} serves {service} in place of {}", paint.doubtful(format!("{status} fell_back")), name(&to), name(lane))
        }
        (Outcome::Pass, Place::Hop { .. }) => format!("{}: the call of {service} is not touched", paint.strong(format!("{status} pass"))),
        (Outcome::Pass, _) => {
            let host =
                ask.authority.as_ref().map_or_else(|| "none, as no host is given".into(), |host| format!("`{}`", Shown(&host.to_string())));
            format!("{}: no rule at this gateway is for the request's host ({host})", paint.strong(format!("{status} pass")))
        }
        (Outcome::NoRoute, Place::Hop { .. }) => {
            format!("{}: no lane takes the call of {service}", paint.error(format!("{status} no_route")))
        }
        (Outcome::NoRoute, _) => {
            format!("{}: there are rules for this host, and none of them holds", paint.error(format!("{status} no_route")))
        }
        (Outcome::Unavailable, _) => {
            format!("{}: nothing can serve {service} for lane {}", paint.error(format!("{status} unavailable")), name(lane))
        }
        (Outcome::Undetermined, _) => {
            format!("{}: it depends on {}", paint.doubtful("undetermined"), report.undetermined.join(", "))
        }
    }
}

fn parts(report: &Report, config: &Config, lines: &mut Vec<(&'static str, String)>) {
    let mut part = |name, text: String| lines.push((name, text));
    let names = [("group", &report.group), ("rule", &report.rule), ("lane", &report.lane), ("service", &report.service)];
    for (name, value) in names {
        if let Some(value) = value {
            part(name, Shown(value).to_string());
        }
    }
    if let Some(found) = &report.found {
        part("found", format!("`{}` {}", shown(&found.value), found_in(found.place)));
    }
    if let Some(subset) = &report.subset {
        let labels: Vec<_> = subset.labels.iter().map(|(name, value)| format!("{}={}", Shown(name), Shown(value))).collect();
        part("subset", format!("{}  {}", Shown(&subset.lane), labels.join(",")));
    }
    if let Some(fallback) = &report.fallback {
        part("fallback", format!("{} -> {}", Shown(&fallback.from), Shown(&fallback.to)));
    }
    if let Some(reason) = report.reason {
        part("reason", reason_text(reason).into());
    }
    for (name, value) in &report.set_headers {
        part("set", format!("{}: {}", Shown(name), shown(value)));
    }
    for name in &report.remove_headers {
        part("remove", Shown(name).to_string());
    }
    if let Some(cookie) = &report.set_cookie {
        part("cookie", format!("{}={}; Max-Age={}", Shown(&cookie.name), Shown(&cookie.value), cookie.ttl_seconds));
    }
    for remembered in &report.remember {
        part("remember", remembered_text(remembered));
    }
    for note in &report.notes {
        part("note", format!("{note}: {}", note_text(note)));
    }
    if report.undetermined.iter().any(|attribute| attribute == "roll") {
        if let Some(shares) = split_of(report, config) {
            part("shares", shares);
        }
        let keys = rule_of(report, config)
            .and_then(|rule| rule.sticky.as_ref()?.keys.as_ref())
            .map(|keys| keys.iter().map(key_name).collect::<Vec<_>>());
        let keys = keys.map(|keys| format!(", a key ({}) draws the client's own", keys.join(", "))).unwrap_or_default();
        part("help", format!("`--roll NUMBER` draws one lane{keys}; `lane trace` sends many requests"));
    }
}

/// The rule that decided.
fn rule_of<'c>(report: &Report, config: &'c Config) -> Option<&'c Rule> {
    let group = config.groups.iter().find(|group| Some(&group.name) == report.group.as_ref())?;
    group.rules.iter().find(|rule| Some(&rule.name) == report.rule.as_ref())
}

/// The shares of the rule on whose split a decision depends.
fn split_of(report: &Report, config: &Config) -> Option<String> {
    let split = rule_of(report, config)?.split.as_ref()?;
    let total: u64 = split.iter().map(|share| u64::from(share.weight)).sum();
    let shares = split.iter().map(|share| format!("{} {}", Shown(&share.lane), percent(u64::from(share.weight), total)));
    Some(shares.collect::<Vec<_>>().join(", "))
}

/// Where a key stands, for example `cookie uid`.
fn key_name(key: &Key) -> String {
    match key {
        Key::Cookie(name) => format!("cookie {}", Shown(name)),
        Key::Header(name) => format!("header {}", Shown(name)),
        Key::Query(name) => format!("query {}", Shown(name)),
        Key::Baggage(name) => format!("baggage {}", Shown(name)),
        Key::TraceId(name) => format!("trace id in {}", Shown(name)),
        Key::SourceIp(_) => "the caller's address".into(),
    }
}

fn remembered_text(remembered: &Remembered) -> String {
    format!("lane `{}` of group `{}` for trace id `{}`", Shown(&remembered.lane), Shown(&remembered.group), shown(&remembered.trace_id))
}

fn shown(bytes: &Bytes) -> impl Display {
    Shown(&bytes.to_string()).to_string()
}

fn found_in(place: FoundIn) -> &'static str {
    match place {
        FoundIn::Header => "in a header",
        FoundIn::Baggage => "in baggage",
        FoundIn::Cookie => "in a cookie",
        FoundIn::Query => "in the query",
        FoundIn::TraceId => "remembered for the trace id",
        FoundIn::Source => "as the caller's own lane",
        FoundIn::Rule => "by a rule",
    }
}

fn note_text(note: &str) -> &'static str {
    match note {
        "unknown_lane" => "the name that was found is no lane of the group",
        "below_min_healthy" => "it serves although fewer of its endpoints are healthy than the service asks for",
        "context_full" => "the baggage has no room for the lane",
        "no_trace_id" => "the group remembers lanes by trace id, and the request has none",
        _ => "see the decision's notes",
    }
}
