//! What a trace shows: the ways of the requests, the lane table, the shares.

use std::{collections::HashMap, net::IpAddr};

use lane_core::Outcome;
use lane_formats::{
    Loaded,
    chain::{Cell, Chain, Table},
    decision::Report,
};
use serde_json::{Value, json};

use super::tally::Tally;
use crate::{
    failure::Failure,
    paint::{Paint, Shown},
    shares::percent,
    streams::Streams,
};

/// So many requests are shown one by one; more are counted.
pub(super) const EACH: u32 = 20;

/// The label that marks a lane's endpoints in a group that names none.
const DEFAULT_TAG_LABEL: &str = "ASM_TRAFFIC_TAG";

/// The names under which services and versions are shown.
pub(super) struct Names<'n> {
    loaded: &'n Loaded,
    /// How often a short name stands for a host of the configuration.
    short: HashMap<&'n str, usize>,
}

impl<'n> Names<'n> {
    pub(super) fn new(loaded: &'n Loaded) -> Self {
        let mut hosts: Vec<_> =
            loaded.config.groups.iter().flat_map(|group| &group.services).map(|service| service.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let mut short = HashMap::new();
        for host in hosts {
            *short.entry(first_label(host)).or_default() += 1;
        }
        Self { loaded, short }
    }

    /// The first label of a host, where no other host has the same.
    fn service<'s>(&self, host: &'s str) -> &'s str {
        let short = first_label(host);
        if self.short.get(short).is_none_or(|count| *count == 1) { short } else { host }
    }

    /// The value of the tag label of the endpoints that serve; of endpoints that are told apart otherwise, their lane.
    fn version<'r>(&self, report: &'r Report) -> Option<&'r str> {
        let subset = report.subset.as_ref()?;
        let tag = self.tag_label(report.group.as_deref()?);
        Some(subset.labels.get(tag).unwrap_or(&subset.lane))
    }

    fn tag_label(&self, group: &str) -> &str {
        let group = self.loaded.config.groups.iter().find(|candidate| candidate.name == group);
        group.and_then(|group| group.tag_label.as_deref()).unwrap_or(DEFAULT_TAG_LABEL)
    }

    /// The way of a request: `-> mocka(version: v2)-> mockb(version: v1)`.
    pub(super) fn line(&self, chain: &Chain) -> String {
        let hops = chain.hops.iter().map(|hop| (Some(hop.service.as_str()), &hop.decision));
        let steps = chain.ingress.iter().map(|report| (None, report)).chain(hops);
        steps.map(|(called, report)| self.step(called, report)).collect()
    }

    fn step(&self, called: Option<&str>, report: &Report) -> String {
        let service = report.service.as_deref().or(called).map(|host| Shown(self.service(host)).to_string());
        match (report.outcome, service, self.version(report)) {
            (Outcome::Routed | Outcome::FellBack, Some(service), Some(version)) => format!("-> {service}(version: {})", Shown(version)),
            (Outcome::Pass, Some(service), _) => format!("-> {service}"),
            (Outcome::Undetermined, ..) => "-> undetermined".into(),
            _ => format!("-> {} {}", report.status, outcome(report.outcome)),
        }
    }

    /// A cell of the lane table, and whether it is as the lane itself would have it.
    fn cell(&self, group: &str, service: &str, cell: &Cell) -> (String, bool) {
        let Some(lane) = &cell.lane else {
            return (format!("{} {}", cell.outcome.status(), outcome(cell.outcome)), false);
        };
        let version = self.tag(group, service, lane).map_or_else(|| Shown(lane).to_string(), |tag| Shown(&tag).to_string());
        if cell.fallback { (format!("{version} (falls back)"), false) } else { (version, true) }
    }

    fn tag(&self, group: &str, service: &str, lane: &str) -> Option<String> {
        let router = &self.loaded.router;
        let group_id = router.groups().find(|id| router.group_name(*id) == group)?;
        let (service, lane) = (router.service_in(group_id, service)?, router.lane_in(group_id, lane)?);
        let tag_label = self.tag_label(group);
        router.subset_labels(service, lane).find(|(name, _)| *name == tag_label).map(|(_, value)| value.to_owned())
    }
}

fn first_label(host: &str) -> &str {
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() { host } else { host.split('.').next().unwrap_or(host) }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Routed => "routed",
        Outcome::FellBack => "fell_back",
        Outcome::Pass => "pass",
        Outcome::NoRoute => "no_route",
        Outcome::Unavailable => "unavailable",
        Outcome::Undetermined => "undetermined",
    }
}

/// Shows a trace to people.
pub(super) fn write(tally: &Tally, table: Option<&Table>, names: &Names<'_>, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let paint = Paint(streams.colours.out);
    if tally.lines.is_empty() {
        let width = tally.requests.to_string().len();
        for way in tally.by_count() {
            writeln!(streams.out, "{:>width$} x {}", way.count, way.line)?;
        }
    } else {
        for line in &tally.lines {
            writeln!(streams.out, "{line}")?;
        }
    }
    for (note, count) in &tally.notes {
        writeln!(streams.out, "{} {note} ({count} of {})", paint.doubtful("note:"), tally.requests)?;
    }
    if tally.ways.iter().any(|way| way.first.ingress.as_ref().is_some_and(|report| report.outcome == Outcome::Pass)) {
        let help = "no rule at this gateway is for the request's host; give a URL with the host, or `--host`";
        writeln!(streams.out, "{} {help}{}", paint.hint("help:"), known_hosts(names.loaded))?;
    }
    if let Some(table) = table {
        writeln!(streams.out)?;
        let head = std::iter::once("lane").chain(table.services.iter().map(|host| names.service(host)));
        let mut rows = vec![head.map(|name| (Shown(name).to_string(), true)).collect::<Vec<_>>()];
        for row in &table.rows {
            let cells = table.services.iter().zip(&row.cells).map(|(service, cell)| names.cell(&table.group, service, cell));
            rows.push(std::iter::once((Shown(&row.lane).to_string(), true)).chain(cells).collect());
        }
        grid(&rows, paint, streams)?;
    }
    let rows = shares(tally);
    if rows.len() > 1 {
        writeln!(streams.out)?;
        grid(&rows, paint, streams)?;
    }
    Ok(())
}

/// The hosts for which rules hold, as far as they are few.
fn known_hosts(loaded: &Loaded) -> String {
    let mut hosts: Vec<_> =
        loaded.config.groups.iter().flat_map(|group| &group.rules).filter_map(|rule| rule.hosts.as_ref()).flatten().collect();
    hosts.sort_unstable();
    hosts.dedup();
    let shown: Vec<_> = hosts.iter().take(5).map(|host| format!("`{}`", Shown(host))).collect();
    match (shown.is_empty(), hosts.len() > 5) {
        (true, _) => String::new(),
        (false, more) => format!(" (there are rules for {}{})", shown.join(", "), if more { " …" } else { "" }),
    }
}

/// The shares as rows of a table: exactly, and as they were observed.
fn shares(tally: &Tally) -> Vec<Vec<(String, bool)>> {
    let cells = |texts: [String; 3]| texts.into_iter().map(|text| (text, true)).collect::<Vec<_>>();
    let observed = |lane: &str| {
        let count = tally.lanes.get(lane).copied().unwrap_or_default();
        format!("{count} of {} ({})", tally.requests, percent(count, tally.requests))
    };
    let mut rows = vec![cells(["lane".into(), "share".into(), "observed".into()])];
    match &tally.shares {
        Some(split) => rows.extend(split.iter().map(|share| {
            let exact = format!("{share} ({})", percent(share.numerator, share.denominator));
            cells([Shown(&share.lane).to_string(), exact, observed(&share.lane)])
        })),
        None => rows.extend(tally.lanes.keys().map(|lane| cells([Shown(lane).to_string(), "no split".into(), observed(lane)]))),
    }
    rows
}

/// A table with a head, also one for Markdown. Cells that are out of the ordinary stand out.
fn grid(rows: &[Vec<(String, bool)>], paint: Paint, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..columns).map(width).collect();
    for (position, row) in rows.iter().enumerate() {
        for ((text, ordinary), width) in row.iter().zip(&widths) {
            let padded = format!("{text:<width$}");
            match (position, ordinary) {
                (0, _) => write!(streams.out, "| {} ", paint.strong(padded))?,
                (_, true) => write!(streams.out, "| {padded} ")?,
                (_, false) => write!(streams.out, "| {} ", paint.doubtful(padded))?,
            }
        }
        writeln!(streams.out, "|")?;
        if position == 0 {
            let rule: String = widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))).collect();
            writeln!(streams.out, "{rule}|")?;
        }
    }
    Ok(())
}

/// A trace as one JSON object.
pub(super) fn json(tally: &Tally, table: Option<Table>, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let ways: Vec<_> = tally
        .by_count()
        .into_iter()
        .map(|way| json!({"count": way.count, "line": way.line, "complete": way.first.complete, "ingress": way.first.ingress, "hops": way.first.hops}))
        .collect();
    let observed = |lane: &str| tally.lanes.get(lane).copied().unwrap_or_default();
    let shares: Option<Vec<Value>> = tally.shares.as_ref().map(|split| {
        let share = |share: &lane_formats::chain::Share| {
            json!({"lane": share.lane, "weight": share.weight, "numerator": share.numerator, "denominator": share.denominator, "observed": observed(&share.lane)})
        };
        split.iter().map(share).collect()
    });
    let trace =
        json!({"requests": tally.requests, "ways": ways, "lanes": tally.lanes, "notes": tally.notes, "table": table, "shares": shares});
    streams.json(&trace)
}
