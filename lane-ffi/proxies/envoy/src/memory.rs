//! Lanes remembered for trace ids (S28). The listener towards the workload writes, the listener from the workload
//! reads; they are configured apart but run in one process, so tables are found by name.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Instant,
};

use lane_core::{Headers, Remember, Request, Router, TraceTable};

use crate::{
    abi::{Level, log},
    plans::Traced,
    settings::TraceTableSettings,
};

/// A shared table.
#[derive(Debug)]
pub struct Memory {
    settings: TraceTableSettings,
    table: Mutex<TraceTable>,
}

static MEMORIES: LazyLock<Mutex<HashMap<String, Arc<Memory>>>> = LazyLock::new(Mutex::default);
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since the first question.
fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Memory {
    /// The table of this name. Tables stay for the life of the process: a new configuration must not forget lanes.
    #[must_use]
    pub fn shared(settings: &TraceTableSettings) -> Arc<Self> {
        let mut memories = MEMORIES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = memories.get(&settings.name) {
            if memory.settings != *settings {
                let TraceTableSettings { name, capacity, ttl_seconds } = &memory.settings;
                let message = format!(
                    "lane: the trace table `{name}` keeps capacity {capacity} and ttl_seconds {ttl_seconds} until Envoy starts anew"
                );
                log(Level::Warn, &message);
            }
            return Arc::clone(memory);
        }
        let table = TraceTable::new(settings.capacity, u64::from(settings.ttl_seconds) * 1_000);
        let memory = Arc::new(Self { settings: settings.clone(), table: Mutex::new(table) });
        memories.insert(settings.name.clone(), Arc::clone(&memory));
        memory
    }

    /// Writes an association down.
    pub fn remember(&self, remember: &Remember<'_>) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.remember(remember.group, remember.trace_id, remember.lane, now());
    }

    /// The lanes that are remembered for the request's trace ids, as (group, lane).
    pub fn lanes<'r, H: Headers + ?Sized>(&self, router: &'r Router, traced: &'r [Traced], headers: &H) -> Vec<(&'r str, Cow<'r, str>)> {
        let mut lanes = Vec::new();
        for traced in traced {
            trace_id(router, traced, headers, |trace_id| {
                let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(lane) = table.lane(&traced.group, trace_id, now()) else { return };
                // Mostly the plan knows the lane, and its own spelling can be lent.
                let group = router.groups().find(|group| router.group_name(*group) == traced.group);
                let known = group.and_then(|group| router.lane_in(group, lane)).map(|lane| router.lane_name(lane));
                lanes.push((traced.group.as_str(), known.map_or_else(|| Cow::Owned(lane.to_owned()), Cow::Borrowed)));
            });
        }
        lanes
    }
}

/// Shows the request's trace id as the group reads it. The engine tells it only together with a lane (S26a), so it
/// is shown the request with the name of some lane in the guiding header.
fn trace_id<H: Headers + ?Sized>(router: &Router, traced: &Traced, headers: &H, visit: impl FnOnce(&[u8])) {
    let guided = Guided { headers, name: traced.guiding_header.as_bytes(), value: traced.lane.as_bytes() };
    let mut visit = Some(visit);
    router.inbound(&Request::new(&guided), |remember| {
        if remember.group == traced.group
            && let Some(visit) = visit.take()
        {
            visit(remember.trace_id);
        }
    });
}

/// Headers in which one has this value only.
struct Guided<'g, H: ?Sized> {
    headers: &'g H,
    name: &'g [u8],
    value: &'g [u8],
}

#[derive(Clone)]
struct GuidedLines<'l, L> {
    lines: L,
    name: &'l [u8],
    own: Option<(&'l [u8], &'l [u8])>,
}

impl<'l, L: Iterator<Item = (&'l [u8], &'l [u8])>> Iterator for GuidedLines<'l, L> {
    type Item = (&'l [u8], &'l [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.own.take().or_else(|| self.lines.by_ref().find(|(name, _)| !name.eq_ignore_ascii_case(self.name)))
    }
}

impl<H: Headers + ?Sized> Headers for Guided<'_, H> {
    type Lines<'l>
        = GuidedLines<'l, H::Lines<'l>>
    where
        Self: 'l;

    fn lines(&self) -> Self::Lines<'_> {
        GuidedLines { lines: self.headers.lines(), name: self.name, own: Some((self.name, self.value)) }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at what it does not expect")]
mod tests {
    use super::*;
    use crate::{plans::plan, settings::PlanText};

    #[test]
    fn what_arrives_is_remembered_for_what_is_called() {
        let text = include_str!("../../../../examples/trace-id.yaml").to_owned();
        let plan = plan(&PlanText { origin: "x".to_owned(), text, format: lane_formats::Format::Yaml }).expect("is right");
        let memory = Memory::shared(&TraceTableSettings { name: "test".to_owned(), ..TraceTableSettings::default() });
        let arrives = [("x-b3-traceid", "80f1"), ("x-lane", "gray")];
        plan.router.inbound(&Request::new(&arrives), |remember| memory.remember(&remember));
        let lanes = |headers: &[(&str, &str)]| memory.lanes(&plan.router, &plan.traced, headers);
        assert_eq!(lanes(&[("x-b3-traceid", "80f1")]), [("orders", Cow::Borrowed("gray"))]);
        // Whatever the workload says in the guiding header, the trace id is its own question.
        assert_eq!(lanes(&[("X-Lane", "nonsense"), ("x-b3-traceid", "80f1")]), [("orders", Cow::Borrowed("gray"))]);
        assert_eq!(lanes(&[("x-b3-traceid", "80f2")]), []);
        assert_eq!(lanes(&[]), []);
    }

    #[test]
    fn tables_are_found_by_name() {
        let settings = |name: &str| TraceTableSettings { name: name.to_owned(), ..TraceTableSettings::default() };
        let one = Memory::shared(&settings("one"));
        assert!(Arc::ptr_eq(&one, &Memory::shared(&TraceTableSettings { capacity: 1, ..settings("one") })));
        assert!(!Arc::ptr_eq(&one, &Memory::shared(&settings("two"))));
    }
}
