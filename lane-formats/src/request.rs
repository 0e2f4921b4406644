//! One request of section 8 as data that owns itself: what files, logs, tests and command lines hand over. The
//! engine borrows from it.

use serde_json::{Map, Value, json};

use crate::{bytes::Bytes, place::Finding};
use lane_core::diagnostic::FieldPath;

mod answer;
pub(crate) mod read;

/// One request, with everything that the decision may depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Where the decision is made.
    pub place: Place,
    /// The method.
    pub method: Option<Bytes>,
    /// The authority, with or without port.
    pub authority: Option<Bytes>,
    /// The path as received.
    pub path: Option<Bytes>,
    /// The header lines, in order.
    pub headers: Vec<(String, Bytes)>,
    /// Who calls.
    pub source: Source,
    /// The lanes remembered for the request's trace id, as (group, lane).
    pub remembered: Vec<(String, String)>,
    /// Endpoint counts; what is not listed counts as live.
    pub live: Vec<Live>,
    /// The roll.
    pub roll: Option<u64>,
    /// The headers that the recorder could see; none where it saw them all.
    pub recorded: Option<Vec<String>>,
}

/// Where a decision is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a gateway.
    Ingress {
        /// Its name.
        gateway: String,
    },
    /// At a call inside the chain.
    Hop {
        /// The called name.
        service: String,
    },
    /// Nowhere: the request arrives at its workload (S26a).
    Inbound,
}

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The calling service.
    pub service: Option<String>,
    /// Labels of the calling workload.
    pub labels: Vec<(String, String)>,
    /// The lane of the calling workload.
    pub lane: Option<String>,
    /// The caller's address; what is none counts as absent.
    pub ip: Option<String>,
}

/// Endpoint counts of one subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The service's host.
    pub service: String,
    /// The lane.
    pub lane: String,
    /// How many endpoints there are.
    pub endpoints: u32,
    /// How many of them are healthy.
    pub healthy: u32,
}

/// Why a request could not be read, or not be asked of this router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskError {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field at fault.
    pub path: FieldPath,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl core::fmt::Display for AskError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            if !problem.path.steps().is_empty() {
                write!(f, "`{}`: ", problem.path)?;
            }
            f.write_str(&problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for AskError {}

impl From<Vec<Finding>> for AskError {
    fn from(findings: Vec<Finding>) -> Self {
        let problem = |finding: Finding| Problem { path: finding.path, message: finding.message, help: finding.help };
        Self { problems: findings.into_iter().map(problem).collect() }
    }
}

impl Ask {
    /// A request at this place of which nothing else is known.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self {
            place,
            method: None,
            authority: None,
            path: None,
            headers: Vec::new(),
            source: Source::default(),
            remembered: Vec::new(),
            live: Vec::new(),
            roll: None,
            recorded: None,
        }
    }

    /// The request as JSON, which [`from_value`](Self::from_value) reads back.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let (name, place) = match &self.place {
            Place::Ingress { gateway } => ("ingress", json!({ "gateway": gateway })),
            Place::Hop { service } => ("hop", json!({ "service": service })),
            Place::Inbound => ("inbound", json!({})),
        };
        map.insert(name.into(), place);
        for (name, value) in [("method", &self.method), ("authority", &self.authority), ("path", &self.path)] {
            if let Some(value) = value {
                map.insert(name.into(), json!(value));
            }
        }
        let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>();
        let mut source = Map::new();
        for (name, value) in [("service", &self.source.service), ("lane", &self.source.lane), ("ip", &self.source.ip)] {
            if let Some(value) = value {
                source.insert(name.into(), json!(value));
            }
        }
        if !self.source.labels.is_empty() {
            source.insert("labels".into(), pairs(&self.source.labels).into());
        }
        if !source.is_empty() {
            map.insert("source".into(), source.into());
        }
        if !self.remembered.is_empty() {
            map.insert("remembered".into(), pairs(&self.remembered).into());
        }
        if !self.headers.is_empty() {
            map.insert("headers".into(), json!(self.headers));
        }
        if let Some(roll) = self.roll {
            // As text: JSON numbers of this size do not survive JavaScript.
            map.insert("roll".into(), json!(roll.to_string()));
        }
        let mut live: Map<String, Value> = Map::new();
        for count in &self.live {
            let lanes = live.entry(count.service.clone()).or_insert_with(|| json!({}));
            if let Some(lanes) = lanes.as_object_mut() {
                lanes.insert(count.lane.clone(), json!([count.endpoints, count.healthy]));
            }
        }
        if !live.is_empty() {
            map.insert("live".into(), live.into());
        }
        if let Some(names) = &self.recorded {
            map.insert("recorded".into(), json!({ "headers": names }));
        }
        map.into()
    }
}

#[cfg(test)]
mod tests;
