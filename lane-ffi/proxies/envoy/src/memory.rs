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
    pub fn lanes<'r, H: Headers + ?Sized>(&self, router: &'r Router, request: &Request<'_, H>) -> Vec<(&'r str, Cow<'r, str>)> {
        let mut lanes = Vec::new();
        router.trace_ids(request, |group, trace_id| {
            let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(lane) = table.lane(group, trace_id, now()) else { return };
            // Mostly the plan knows group and lane, and its own names can be lent.
            let Some(id) = router.groups().find(|id| router.group_name(*id) == group) else { return };
            let known = router.lane_in(id, lane).map(|lane| router.lane_name(lane));
            lanes.push((router.group_name(id), known.map_or_else(|| Cow::Owned(lane.to_owned()), Cow::Borrowed)));
        });
        lanes
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
        let lanes = |headers: &[(&str, &str)]| memory.lanes(&plan.router, &Request::new(headers));
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
