//! Result columns: the names of a router are written down once, and every row is a key into them.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray, UInt16Array, builder::StringBuilder, types::Int32Type};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use lane_core::{Decision, FoundIn, Outcome, Reason, Router};

use crate::decision::word;

/// What a result column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Result {
    Outcome,
    Status,
    Group,
    Rule,
    Lane,
    Service,
    Subset,
    Reason,
    Found,
    Notes,
    Undetermined,
}

impl Result {
    pub(super) const ALL: [(&'static str, Self); 11] = [
        ("outcome", Self::Outcome),
        ("status", Self::Status),
        ("group", Self::Group),
        ("rule", Self::Rule),
        ("lane", Self::Lane),
        ("service", Self::Service),
        ("subset", Self::Subset),
        ("reason", Self::Reason),
        ("found", Self::Found),
        ("notes", Self::Notes),
        ("undetermined", Self::Undetermined),
    ];

    /// What a table gets where nothing else is asked for.
    pub(super) const USUAL: [Self; 6] = [Self::Outcome, Self::Status, Self::Lane, Self::Subset, Self::Rule, Self::Reason];

    /// The result of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, result)| *result)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, result)| *result == self).map_or("", |(name, _)| name)
    }

    /// Its column's type.
    pub(super) fn field(self, name: String, dictionary: bool) -> Field {
        let kind = match (self, dictionary) {
            (Self::Status, _) => DataType::UInt16,
            (_, true) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            (_, false) => DataType::Utf8,
        };
        Field::new(name, kind, !matches!(self, Self::Status | Self::Outcome))
    }
}

const OUTCOMES: [Outcome; 6] =
    [Outcome::Routed, Outcome::FellBack, Outcome::Pass, Outcome::NoRoute, Outcome::Unavailable, Outcome::Undetermined];
const REASONS: [Reason; 4] = [Reason::NotInLane, Reason::NoEndpoints, Reason::NoneHealthy, Reason::BelowMinHealthy];
const PLACES: [FoundIn; 7] =
    [FoundIn::Header, FoundIn::Baggage, FoundIn::Cookie, FoundIn::Query, FoundIn::TraceId, FoundIn::Source, FoundIn::Rule];

/// No key: null.
const NONE: i32 = -1;

/// The names of one kind of thing: each once, and the key of every id.
pub(super) struct Names {
    values: ArrayRef,
    keys: Vec<i32>,
}

impl Names {
    fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut unique: Vec<&str> = Vec::new();
        let mut positions = HashMap::new();
        let keys = names.map(|name| {
            *positions.entry(name).or_insert_with(|| {
                unique.push(name);
                i32::try_from(unique.len() - 1).unwrap_or(NONE)
            })
        });
        let keys = keys.collect();
        Self { values: Arc::new(StringArray::from(unique)), keys }
    }

    fn words<T: serde::Serialize + Copy>(all: &[T]) -> Self {
        let words: Vec<String> = all.iter().map(|one| word(*one)).collect();
        Self::of(words.iter().map(String::as_str))
    }

    #[inline]
    fn key(&self, id: Option<usize>) -> i32 {
        id.and_then(|id| self.keys.get(id).copied()).unwrap_or(NONE)
    }
}

/// The names of a router, as columns refer to them.
pub(super) struct Dictionaries {
    outcomes: Names,
    groups: Names,
    rules: Names,
    lanes: Names,
    services: Names,
    reasons: Names,
    places: Names,
}

impl Dictionaries {
    pub(super) fn of(router: &Router) -> Self {
        let groups = || router.groups();
        Self {
            outcomes: Names::words(&OUTCOMES),
            groups: Names::of(groups().map(|group| router.group_name(group))),
            rules: Names::of(groups().flat_map(|group| router.rules(group)).map(|rule| router.rule_name(rule))),
            lanes: Names::of(groups().flat_map(|group| router.lanes(group)).map(|lane| router.lane_name(lane))),
            services: Names::of(groups().flat_map(|group| router.services(group)).map(|service| router.service_host(service))),
            reasons: Names::words(&REASONS),
            places: Names::words(&PLACES),
        }
    }
}

/// One result column while it is filled.
pub(super) enum Column<'d> {
    Keys(Result, &'d Names, Vec<i32>),
    Status(Vec<u16>),
    /// Texts that are not names of the router, each written down once a batch.
    Texts {
        keys: Vec<i32>,
        unique: Vec<String>,
        positions: HashMap<String, i32>,
    },
}

impl<'d> Column<'d> {
    pub(super) fn new(result: Result, names: &'d Dictionaries, rows: usize) -> Self {
        let names = match result {
            Result::Status => return Self::Status(Vec::with_capacity(rows)),
            Result::Notes | Result::Undetermined => {
                return Self::Texts { keys: Vec::with_capacity(rows), unique: Vec::new(), positions: HashMap::new() };
            }
            Result::Outcome => &names.outcomes,
            Result::Group => &names.groups,
            Result::Rule => &names.rules,
            Result::Lane | Result::Subset => &names.lanes,
            Result::Service => &names.services,
            Result::Reason => &names.reasons,
            Result::Found => &names.places,
        };
        Self::Keys(result, names, Vec::with_capacity(rows))
    }

    /// Adds a decision; `text` is that of a column of texts.
    #[inline]
    pub(super) fn push(&mut self, decision: &Decision, text: impl FnOnce() -> Option<String>) {
        match self {
            Self::Status(statuses) => statuses.push(decision.outcome.status()),
            Self::Keys(result, names, keys) => {
                let id = match result {
                    Result::Outcome => Some(decision.outcome as usize),
                    Result::Group => decision.group.map(lane_core::GroupId::index),
                    Result::Rule => decision.rule.map(lane_core::RuleId::index),
                    Result::Lane => decision.lane.map(lane_core::LaneId::index),
                    Result::Service => decision.service.map(lane_core::ServiceId::index),
                    Result::Subset => decision.subset.and(decision.serving).map(lane_core::LaneId::index),
                    Result::Reason => decision.reason.map(|reason| reason as usize),
                    Result::Found => decision.found.map(|found| found as usize),
                    Result::Status | Result::Notes | Result::Undetermined => None,
                };
                keys.push(names.key(id));
            }
            Self::Texts { keys, unique, positions } => {
                let key = text().map_or(NONE, |text| {
                    *positions.entry(text).or_insert_with_key(|text| {
                        unique.push(text.clone());
                        i32::try_from(unique.len() - 1).unwrap_or(NONE)
                    })
                });
                keys.push(key);
            }
        }
    }

    /// The column as Arrow has it.
    pub(super) fn finish(self, dictionary: bool) -> core::result::Result<ArrayRef, ArrowError> {
        let (keys, values): (Vec<i32>, ArrayRef) = match self {
            Self::Status(statuses) => return Ok(Arc::new(UInt16Array::from(statuses))),
            Self::Keys(_, names, keys) => (keys, names.values.clone()),
            Self::Texts { keys, unique, .. } => (keys, Arc::new(StringArray::from(unique))),
        };
        if !dictionary {
            return Ok(Arc::new(spelled(&keys, &values)));
        }
        let has_nulls = keys.contains(&NONE);
        let nulls = has_nulls.then(|| {
            let valid = BooleanBuffer::collect_bool(keys.len(), |row| keys.get(row).is_some_and(|key| *key != NONE));
            NullBuffer::new(valid)
        });
        let keys = Int32Array::try_new(ScalarBuffer::from(keys), nulls)?;
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
    }
}

/// The keys' texts written out.
fn spelled(keys: &[i32], values: &ArrayRef) -> StringArray {
    let mut texts = StringBuilder::with_capacity(keys.len(), keys.len() * 8);
    let values = values.as_any().downcast_ref::<StringArray>();
    for key in keys {
        let text = usize::try_from(*key).ok().zip(values).filter(|(key, values)| *key < values.len());
        texts.append_option(text.map(|(key, values)| values.value(key)));
    }
    texts.finish()
}
