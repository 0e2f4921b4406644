//! What a decision does to the request's headers, and what it asks to be remembered (S18, S26, S26a). Only
//! what differs is set and only what is carried is removed, so a request that is right already is not touched.

use crate::{
    attribute::{Attributes, Value, names::HeaderId},
    context::baggage::{self, Encoded, Rewrite},
    decision::{Decision, Notes, Outcome, Place},
    intern::GroupId,
    pattern::Text,
    request::Headers,
    split,
};

use super::{Action, Context, Group, Named, Plan};

/// One change of a request's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// All lines of this header are replaced by one of this value. The name is spelled as configured.
    Set {
        /// The header.
        name: &'a str,
        /// Its value.
        value: &'a [u8],
    },
    /// All lines of this header go. The name is lower case.
    Remove {
        /// The header.
        name: &'a str,
    },
}

/// A lane to remember for a trace id, see [`TraceTable`](crate::TraceTable).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remember<'a> {
    /// The group.
    pub group: &'a str,
    /// The request's trace id.
    pub trace_id: &'a [u8],
    /// The lane.
    pub lane: &'a str,
}

/// A cookie to set for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// The cookie's name.
    pub name: &'a str,
    /// Its value: 16 lower-case hex digits.
    pub value: [u8; 16],
    /// How long the client keeps it, in seconds.
    pub ttl_seconds: u32,
}

/// Where changes go.
struct Sink<'b, V> {
    buffer: &'b mut [u8; crate::BUFFER_BYTES],
    visit: V,
    notes: Notes,
}

impl Plan {
    pub(crate) fn changes<H: Headers + ?Sized>(
        &self,
        decision: &Decision,
        attributes: &Attributes<'_, '_, H>,
        buffer: &mut [u8; crate::BUFFER_BYTES],
        visit: impl FnMut(Change<'_>),
    ) -> Notes {
        let mut sink = Sink { buffer, visit, notes: Notes::NONE };
        match decision.place {
            _ if decision.outcome == Outcome::Undetermined => {}
            Place::Gateway(gateway) => self.ingress_changes(decision, gateway, attributes, &mut sink),
            Place::Hop => self.hop_changes(decision, attributes, &mut sink),
        }
        sink.notes
    }

    /// Context is set for the deciding group and removed for all others (S18).
    fn ingress_changes<H: Headers + ?Sized>(
        &self,
        decision: &Decision,
        gateway: Option<u32>,
        attributes: &Attributes<'_, '_, H>,
        sink: &mut Sink<'_, impl FnMut(Change<'_>)>,
    ) {
        let deciding = decision.group.filter(|_| decision.serves());
        let trusts = |id: GroupId| {
            let group = self.group(id);
            group.trust_client && self.holds_at(group, gateway)
        };
        // Whether some group that does not trust the client claims what these groups claim.
        let removes = |claimants: &[GroupId]| claimants.iter().any(|group| !trusts(*group));

        let own = deciding.map(|id| self.group(id));
        if let (Some(group), Some(lane)) = (own, decision.lane) {
            let lane = self.str(self.lane(lane).name);
            self.set_guiding_header(group, lane, attributes, sink);
        }

        let set = own.zip(decision.lane).and_then(|(group, lane)| match group.context {
            Context::Baggage(key) => Some((key, self.lane(lane).name)),
            _ => None,
        });
        let dropped = |key: &[u8]| self.claims.keys.get(key).is_some_and(|claimants| removes(claimants));
        self.rewrite_baggage(set, dropped, attributes, sink);

        for (header, claimants) in self.carried_guiding_headers(attributes) {
            if own.is_none_or(|group| group.guiding.header != header) && removes(claimants) {
                (sink.visit)(Change::Remove { name: self.names.name(header) });
            }
        }
    }

    /// The guiding headers, of whatever group, that the request carries; each once.
    fn carried_guiding_headers<'p, H: Headers + ?Sized>(
        &'p self,
        attributes: &Attributes<'_, '_, H>,
    ) -> impl Iterator<Item = (HeaderId, &'p [GroupId])> {
        let lines = attributes.request.headers.lines().enumerate();
        lines.filter_map(move |(position, (name, _))| {
            let header = self.names.id(name)?;
            let claimants = self.claims.headers.get(&header)?;
            attributes.lines(header).next()?;
            let mut before = attributes.request.headers.lines().take(position);
            let first = !before.any(|(name, _)| self.names.id(name) == Some(header));
            first.then_some((header, &**claimants))
        })
    }

    /// The lane is passed on, and headers are restored from the baggage (S26).
    fn hop_changes<H: Headers + ?Sized>(
        &self,
        decision: &Decision,
        attributes: &Attributes<'_, '_, H>,
        sink: &mut Sink<'_, impl FnMut(Change<'_>)>,
    ) {
        let (true, Some(group), Some(lane)) = (decision.serves(), decision.group, decision.lane) else { return };
        let group = self.group(group);
        // A request without a lane stays so.
        if decision.found.is_some() {
            let lane = self.lane(lane).name;
            self.set_guiding_header(group, self.str(lane), attributes, sink);
            if let Context::Baggage(key) = group.context {
                self.rewrite_baggage(Some((key, lane)), |_| false, attributes, sink);
            }
        }
        for restored in &group.restore {
            self.restore(*restored, attributes, sink);
        }
    }

    fn set_guiding_header<H: Headers + ?Sized>(
        &self,
        group: &Group,
        lane: &str,
        attributes: &Attributes<'_, '_, H>,
        sink: &mut Sink<'_, impl FnMut(Change<'_>)>,
    ) {
        let present = attributes.guide(group.guiding.header).present();
        if present != Some(crate::attribute::Guide::Name(lane.as_bytes())) {
            (sink.visit)(Change::Set { name: self.str(group.guiding.spelled), value: lane.as_bytes() });
        }
    }

    fn rewrite_baggage<H: Headers + ?Sized>(
        &self,
        set: Option<(Text, Text)>,
        dropped: impl Fn(&[u8]) -> bool,
        attributes: &Attributes<'_, '_, H>,
        sink: &mut Sink<'_, impl FnMut(Change<'_>)>,
    ) {
        const NAME: &str = "baggage";
        let bytes = |text| self.patterns.pool.bytes(text);
        let set = set.map(|(key, value)| (bytes(key), bytes(value)));
        let rewritten = baggage::rewrite(attributes.lines(HeaderId::BAGGAGE), set, dropped, sink.buffer);
        if rewritten.full {
            sink.notes = sink.notes.and(Notes::CONTEXT_FULL);
        }
        match rewritten.result {
            Rewrite::Unchanged => {}
            Rewrite::Line(length) => (sink.visit)(Change::Set { name: NAME, value: sink.buffer.get(..length).unwrap_or_default() }),
            Rewrite::Gone => (sink.visit)(Change::Remove { name: NAME }),
        }
    }

    /// Sets a header from the baggage member of its name where it is absent and the value may stand in a header.
    fn restore<H: Headers + ?Sized>(
        &self,
        restored: Named,
        attributes: &Attributes<'_, '_, H>,
        sink: &mut Sink<'_, impl FnMut(Change<'_>)>,
    ) {
        if attributes.lines(restored.header).next().is_some() {
            return;
        }
        let name = self.str(restored.spelled);
        let Some(value) = baggage::find(attributes.lines(HeaderId::BAGGAGE), name.as_bytes()) else { return };
        let value = match Value::baggage(value) {
            Value::Plain(value) => value,
            Value::Encoded(Encoded(encoded)) => {
                let mut length = 0;
                for byte in Encoded(encoded).bytes() {
                    // A value that does not fit is longer than a line that the engine may write.
                    let Some(room) = sink.buffer.get_mut(length) else { return };
                    *room = byte;
                    length += 1;
                }
                sink.buffer.get(..length).unwrap_or_default()
            }
        };
        if is_restorable(value) {
            (sink.visit)(Change::Set { name, value });
        }
    }

    pub(crate) fn remember<'a, H: Headers + ?Sized>(
        &'a self,
        decision: &Decision,
        attributes: &Attributes<'_, 'a, H>,
    ) -> Option<Remember<'a>> {
        let id = decision.group.filter(|_| decision.serves())?;
        let group = self.group(id);
        let Context::TraceId(header) = group.context else { return None };
        let trace_id = attributes.trace_id(header).present()?;
        let lane = match decision.place {
            Place::Gateway(_) => decision.lane?,
            Place::Hop => self.lane_of_guide(id, attributes.guide(group.guiding.header).present()?)?,
        };
        Some(Remember { group: self.str(group.name), trace_id, lane: self.str(self.lane(lane).name) })
    }

    pub(crate) fn inbound<'a, H: Headers + ?Sized>(&'a self, attributes: &Attributes<'_, 'a, H>, mut visit: impl FnMut(Remember<'a>)) {
        for (index, group) in self.groups.iter().enumerate() {
            let Context::TraceId(header) = group.context else { continue };
            let guide = attributes.guide(group.guiding.header).present();
            let lane = guide.and_then(|guide| self.lane_of_guide(GroupId::of(crate::intern::dense(index)), guide));
            if let (Some(lane), Some(trace_id)) = (lane, attributes.trace_id(header).present()) {
                visit(Remember { group: self.str(group.name), trace_id, lane: self.str(self.lane(lane).name) });
            }
        }
    }

    pub(crate) fn trace_ids<'a, H: Headers + ?Sized>(
        &'a self,
        attributes: &Attributes<'_, 'a, H>,
        mut visit: impl FnMut(&'a str, &'a [u8]),
    ) {
        for group in &self.groups {
            if let Context::TraceId(header) = group.context
                && let Some(trace_id) = attributes.trace_id(header).present()
            {
                visit(self.str(group.name), trace_id);
            }
        }
    }

    pub(crate) fn cookie(&self, decision: &Decision) -> Option<Cookie<'_>> {
        let roll = decision.cookie?;
        let Action::Split(split) = self.rule(decision.rule?).action else { return None };
        let generate = self.splits.get(split as usize)?.sticky.as_ref()?.generate?;
        Some(Cookie { name: self.str(generate.cookie), value: split::cookie_value(roll), ttl_seconds: generate.ttl_seconds })
    }
}

/// Whether a decoded value may be set as a header: not empty, no outer blanks, and legal (RFC 9110, 5.5): no control characters but HTAB.
fn is_restorable(value: &[u8]) -> bool {
    let is_legal = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    !value.is_empty() && baggage::trim(value).len() == value.len() && value.iter().all(is_legal)
}
