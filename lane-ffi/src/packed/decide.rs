//! Deciding about a packed request, and packing the decision.

use lane_core::{
    BUFFER_BYTES, Change, Decision, FoundIn, Headers, Notes, Outcome, Reason, Recorded, Remember, Request, Source, explain::Explanation,
};
use lane_formats::{
    Bytes,
    chain::{TraceOptions, trace},
    decision::Report,
    request::{Ask, Place, Source as AskSource},
};
use serde::Serialize;

use super::{
    Ready, operation,
    read::{Pair, Question, Reader},
    split_scratch, status,
    write::Writer,
};

/// What `EXPLAIN_…` answers, and `lane route --explain --json` prints.
#[derive(Serialize)]
struct Explained<'e> {
    decision: &'e Report,
    explanation: &'e Explanation,
}

impl Ready {
    pub(super) fn decide(&self, operation: u8, mut reader: Reader<'_>, answer: &mut [u8]) -> Result<usize, i64> {
        let question = Question::read(&mut reader)?;
        if let operation::TRACE_INGRESS | operation::TRACE_HOP = operation {
            return self.trace(operation, &question, reader, answer);
        }
        reader.end()?;
        Ok(match &question.recorded {
            None => self.decide_with(operation, &question, &question.lines, answer),
            Some(names) => {
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                self.decide_with(operation, &question, &Recorded { headers: &question.lines, names: &names }, answer)
            }
        })
    }

    fn decide_with<H: Headers + ?Sized>(&self, operation: u8, question: &Question<'_>, headers: &H, answer: &mut [u8]) -> usize {
        let labels: Vec<_> = question.source_labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let remembered: Vec<_> = question.remembered.iter().map(|(group, lane)| (&**group, &**lane)).collect();
        let request = Request {
            method: question.method,
            authority: question.authority,
            path: question.path,
            headers,
            source: Source {
                service: question.source_service.as_deref(),
                labels: &labels,
                lane: question.source_lane.as_deref(),
                ip: question.source_address,
            },
            remembered: &remembered,
            roll: question.roll,
        };
        let Self { router, liveness, .. } = self;
        let place = &*question.place;
        let explained = match operation {
            operation::INGRESS => {
                return self.write_decision(router.ingress(place, &request, liveness), operation, place, &request, answer);
            }
            operation::HOP => return self.write_decision(router.hop(place, &request, liveness), operation, place, &request, answer),
            operation::EXPLAIN_INGRESS => router.explain_ingress(place, &request, liveness),
            operation::TRACE_IDS => {
                let mut writer = Writer::new(answer);
                router.trace_ids(&request, |group, trace_id| {
                    writer.u8(1);
                    writer.bytes(group.as_bytes());
                    writer.bytes(trace_id);
                });
                writer.u8(0);
                return writer.length();
            }
            operation::INBOUND => {
                let mut writer = Writer::new(answer);
                router.inbound(&request, |remember| write_remember(remember, &mut writer));
                writer.u8(0);
                return writer.length();
            }
            _ => router.explain_hop(place, &request, liveness),
        };
        let undetermined = undetermined(&explained);
        let called = (operation == operation::EXPLAIN_HOP).then_some(place);
        let decision = Report::new(router, &explained.decision, &request, called, undetermined);
        let mut writer = Writer::new(answer);
        writer.json(&Explained { decision: &decision, explanation: &explained });
        writer.length()
    }

    fn write_decision<H: Headers + ?Sized>(
        &self,
        decision: Decision,
        operation: u8,
        place: &str,
        request: &Request<'_, H>,
        answer: &mut [u8],
    ) -> usize {
        let router = &self.router;
        let (room, scratch) = split_scratch(answer);
        let mut writer = Writer::new(room);
        let found = decision.found.and_then(|found| Some((found, router.found_value(&decision, request)?)));
        writer.u8(outcome_code(decision.outcome));
        writer.u8(decision.reason.map_or(0, reason_code));
        writer.u8(found.as_ref().map_or(0, |(place, _)| found_code(*place)));
        writer.u8(u8::from(decision.subset.is_some()));
        writer.id(decision.group.map(lane_core::GroupId::index));
        writer.id(decision.rule.map(lane_core::RuleId::index));
        writer.id(decision.lane.map(lane_core::LaneId::index));
        writer.id(decision.service.map(lane_core::ServiceId::index));
        writer.id(decision.serving.map(lane_core::LaneId::index));
        if let Some((_, value)) = found {
            writer.bytes(&value);
        }
        let cookie = router.cookie(&decision);
        writer.u8(u8::from(cookie.is_some()));
        if let Some(cookie) = cookie {
            writer.bytes(cookie.name.as_bytes());
            writer.bytes(&cookie.value);
            writer.u32(usize::try_from(cookie.ttl_seconds).unwrap_or(usize::MAX));
        }
        if let Some(remember) = router.remember(&decision, request) {
            write_remember(remember, &mut writer);
        }
        writer.u8(0);
        let visit = |change: Change<'_>| match change {
            Change::Set { name, value } => {
                writer.u8(1);
                writer.bytes(name.as_bytes());
                writer.bytes(value);
            }
            Change::Remove { name } => {
                writer.u8(2);
                writer.bytes(name.as_bytes());
            }
        };
        let notes = match scratch {
            Some(scratch) => router.changes(&decision, request, scratch, visit),
            None => router.changes(&decision, request, &mut [0; BUFFER_BYTES], visit),
        };
        writer.u8(0);
        writer.u8(notes_code(decision.notes.and(notes)));
        // Only an explanation knows what an undetermined decision depends on.
        let undetermined = match (decision.outcome, operation) {
            (Outcome::Undetermined, operation::INGRESS) => undetermined(&router.explain_ingress(place, request, &self.liveness)),
            (Outcome::Undetermined, _) => undetermined(&router.explain_hop(place, request, &self.liveness)),
            _ => Vec::new(),
        };
        writer.u32(undetermined.len());
        for what in &undetermined {
            writer.bytes(what.as_bytes());
        }
        // An answer that runs into the scratch is asked for again, with room for both.
        if writer.is_complete() { writer.length() } else { writer.length().saturating_add(BUFFER_BYTES) }
    }

    fn trace(&self, operation: u8, question: &Question<'_>, mut reader: Reader<'_>, answer: &mut [u8]) -> Result<usize, i64> {
        let services = match reader.u8()? {
            0 => None,
            1 => Some((0..reader.u32()?).map(|_| Ok(reader.text()?.into_owned())).collect::<Result<Vec<_>, i64>>()?),
            _ => return Err(status::MALFORMED),
        };
        reader.end()?;
        let place = question.place.clone().into_owned();
        let owned =
            |texts: &[Pair<'_>]| texts.iter().map(|(name, value)| (name.clone().into_owned(), value.clone().into_owned())).collect();
        let ask = Ask {
            place: match operation {
                operation::TRACE_INGRESS => Place::Ingress { gateway: place },
                _ => Place::Hop { service: place },
            },
            method: question.method.map(Bytes::from),
            authority: question.authority.map(Bytes::from),
            path: question.path.map(Bytes::from),
            headers: question.lines.map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), Bytes::from(value))).collect(),
            source: AskSource {
                service: question.source_service.clone().map(Into::into),
                labels: owned(&question.source_labels),
                lane: question.source_lane.clone().map(Into::into),
                ip: question.source_address.map(|address| address.to_string()),
            },
            remembered: owned(&question.remembered),
            live: self.live_of_all(),
            roll: question.roll,
            recorded: question.recorded.as_ref().map(|names| names.iter().map(|name| name.clone().into_owned()).collect()),
        };
        let chain = trace(&self.router, &self.config, &TraceOptions { ask, services }).map_err(|_| status::UNKNOWN_ID)?;
        let mut writer = Writer::new(answer);
        writer.json(&chain);
        Ok(writer.length())
    }
}

fn undetermined(explained: &Explanation) -> Vec<String> {
    if explained.decision.outcome == Outcome::Undetermined { explained.undetermined.clone() } else { Vec::new() }
}

fn write_remember(remember: Remember<'_>, writer: &mut Writer<'_>) {
    writer.u8(1);
    writer.bytes(remember.group.as_bytes());
    writer.bytes(remember.trace_id);
    writer.bytes(remember.lane.as_bytes());
}

const fn outcome_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Routed => 0,
        Outcome::FellBack => 1,
        Outcome::Pass => 2,
        Outcome::NoRoute => 3,
        Outcome::Unavailable => 4,
        Outcome::Undetermined => 5,
    }
}

const fn reason_code(reason: Reason) -> u8 {
    match reason {
        Reason::NotInLane => 1,
        Reason::NoEndpoints => 2,
        Reason::NoneHealthy => 3,
        Reason::BelowMinHealthy => 4,
    }
}

const fn found_code(found: FoundIn) -> u8 {
    match found {
        FoundIn::Header => 1,
        FoundIn::Baggage => 2,
        FoundIn::Cookie => 3,
        FoundIn::Query => 4,
        FoundIn::TraceId => 5,
        FoundIn::Source => 6,
        FoundIn::Rule => 7,
    }
}

fn notes_code(notes: Notes) -> u8 {
    let bits = [(Notes::BELOW_MIN_HEALTHY, 1), (Notes::CONTEXT_FULL, 2), (Notes::NO_TRACE_ID, 4), (Notes::UNKNOWN_LANE, 8)];
    bits.into_iter().filter(|(note, _)| notes.has(*note)).map(|(_, bit)| bit).sum()
}
