//! The lane table: for every lane of a group, whose endpoints serve each service, with the lane's requests followed
//! from the first service to the last.

use lane_core::{
    Liveness, Outcome, Reason, Router,
    config::{Context, Group},
};
use serde::Serialize;

use super::{Walk, guiding_header};
use crate::{
    bytes::Bytes,
    decision::Report,
    request::{Ask, Place},
};

/// The lane table of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The group.
    pub group: String,
    /// The services' hosts, in document order: the columns.
    pub services: Vec<String>,
    /// One row a lane, in document order.
    pub rows: Vec<Row>,
}

/// One lane's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The lane.
    pub lane: String,
    /// Who serves each service.
    pub cells: Vec<Cell>,
}

/// Who serves a lane's request at one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// What becomes of the request.
    pub outcome: Outcome,
    /// The lane whose endpoints serve.
    pub lane: Option<String>,
    /// Whether that is another lane than the request's.
    pub fallback: bool,
    /// Why the lane itself does not serve.
    pub reason: Option<Reason>,
}

/// The lane table of a group. A call that nobody serves does not end a row: what comes after it is shown as if it had been left out.
#[must_use]
pub fn table(router: &Router, group: &Group, liveness: &Liveness) -> Table {
    let services: Vec<String> = group.services.iter().map(|service| service.host.clone()).collect();
    let rows = group.lanes.iter().map(|lane| row(router, group, &lane.name, &services, liveness)).collect();
    Table { group: group.name.clone(), services, rows }
}

fn row(router: &Router, group: &Group, lane: &str, services: &[String], liveness: &Liveness) -> Row {
    let mut walk = Walk::new(router, std::slice::from_ref(group), liveness, None);
    // As a gateway leaves it: the guiding header is set, and a trace has begun.
    let mut headers: Vec<(String, Bytes)> = vec![(guiding_header(group).to_owned(), lane.into())];
    if let Some(Context::TraceId(header)) = &group.context {
        headers.push((header.clone(), a_trace(header).into()));
    }
    let mut cells = Vec::with_capacity(services.len());
    for (position, service) in services.iter().enumerate() {
        let decision = if position == 0 {
            let ask = Ask { headers: headers.clone(), ..Ask::new(Place::Hop { service: service.clone() }) };
            let Some(decision) = ask.answer_with(router, liveness).decision() else { continue };
            walk.arrive(&headers, &decision);
            decision
        } else {
            let Some(hop) = walk.call(service) else { continue };
            hop.decision
        };
        cells.push(Cell::from(&decision));
    }
    Row { lane: lane.to_owned(), cells }
}

/// A trace header's value as a tracer would begin it.
fn a_trace(header: &str) -> &'static str {
    match header.to_ascii_lowercase().as_str() {
        "traceparent" => "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
        "b3" => "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1",
        _ => "80f198ee56343ba864fe8b2a57d3eff7",
    }
}

impl From<&Report> for Cell {
    fn from(decision: &Report) -> Self {
        Self {
            outcome: decision.outcome,
            lane: decision.subset.as_ref().map(|subset| subset.lane.clone()),
            fallback: decision.fallback.is_some(),
            reason: decision.reason,
        }
    }
}
