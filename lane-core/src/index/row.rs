//! Rules as rows of the index: each entry of a rule's `match` is a row, and its conditions are told apart into
//! the path, values that can be looked up, and the rest.

use alloc::{vec, vec::Vec};

use crate::{
    condition::{Attribute, Condition, ConditionId},
    intern::RuleId,
    pattern::{Kind, Text},
    router::Plan,
};

use super::value;

/// One entry of a rule's `match`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) rule: RuleId,
    /// What the path must be; none where the entry does not say, or not in a way that can be looked up. In a tree of
    /// other beginnings: what the value must begin with.
    pub(super) path: Option<PathKey>,
    /// Values that can be looked up.
    pub(super) keys: Vec<Key>,
    /// Conditions that are left to check.
    pub(super) rest: Vec<ConditionId>,
    /// Whether a tree of other beginnings than paths finds the row.
    pub(super) in_tree: bool,
}

/// A literal that the path must be, or begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PathKey {
    pub(super) text: Text,
    pub(super) reach: Reach,
    /// The condition that finding the literal proves.
    pub(super) proves: Option<ConditionId>,
}

/// What may follow the literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Nothing.
    Exact,
    /// Nothing, or a slash and more.
    Below,
    /// Anything.
    Prefix,
}

/// A value that a row demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) asked: Asked,
    pub(super) value: Text,
    /// The condition that the key proves.
    pub(super) condition: ConditionId,
}

/// What is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Asked {
    /// The value of an attribute.
    Value(Attribute),
    /// Whether there is one, whatever it is.
    Presence(Attribute),
}

impl Row {
    /// The rows of a rule.
    pub(super) fn of(rule: RuleId, plan: &Plan) -> Vec<Self> {
        let Some(condition) = plan.rule(rule).condition else {
            return vec![Self { rule, path: None, keys: Vec::new(), rest: Vec::new(), in_tree: false }];
        };
        let entries = match plan.conditions.node(condition) {
            Some(Condition::Any { first, count }) => plan.conditions.children(first, count),
            _ => core::slice::from_ref(&condition),
        };
        entries.iter().filter_map(|entry| Self::of_entry(rule, *entry, plan)).collect()
    }

    /// A row of which nothing is proved.
    pub(super) fn unproved(rule: RuleId, plan: &Plan) -> Self {
        Self { rule, path: None, keys: Vec::new(), rest: plan.rule(rule).condition.into_iter().collect(), in_tree: false }
    }

    /// The row of an entry; none where no path can be what it demands.
    fn of_entry(rule: RuleId, entry: ConditionId, plan: &Plan) -> Option<Self> {
        let mut row = Self { rule, path: None, keys: Vec::new(), rest: Vec::new(), in_tree: false };
        row.take(entry, plan);
        let beyond_path = row.path.is_some_and(|path| plan.str(path.text).contains(['?', '#']));
        (!beyond_path).then_some(row)
    }

    /// Sorts a condition that must hold into path, keys and rest.
    fn take(&mut self, id: ConditionId, plan: &Plan) {
        match plan.conditions.node(id) {
            Some(Condition::All { first, count }) => {
                for child in plan.conditions.children(first, count) {
                    self.take(*child, plan);
                }
            }
            Some(Condition::Test { attribute: Attribute::Path, matcher }) if !matcher.not && !matcher.or_missing => {
                let (text, reach, proved) = match matcher.kind {
                    Kind::Exact { text, fold: false } => (text, Reach::Exact, true),
                    Kind::Prefix { text, fold: false } => (text, Reach::Prefix, true),
                    // Of `/` nothing is left but that the path begins with it, which the test itself says.
                    Kind::Segments(text) if !plan.str(text).is_empty() => (text, Reach::Below, true),
                    Kind::Regex(regex) => match plan.patterns.regexes.literals(regex).map(|texts| texts.prefix) {
                        Some(prefix) if !plan.str(prefix).is_empty() => (prefix, Reach::Prefix, false),
                        _ => return self.rest.push(id),
                    },
                    _ => return self.rest.push(id),
                };
                if !proved || self.path.is_some() {
                    // Of two conditions on the path one is enough to look up.
                    self.rest.push(id);
                }
                self.path = self.path.or(Some(PathKey { text, reach, proves: proved.then_some(id) }));
            }
            Some(Condition::Test { attribute, matcher }) if !matcher.not && !matcher.or_missing && attribute != Attribute::Path => {
                match matcher.kind {
                    Kind::Exact { text, fold: false } if plan.str(text).len() <= value::LONGEST => {
                        self.keys.push(Key { asked: Asked::Value(attribute), value: text, condition: id });
                    }
                    Kind::Present(true) => self.keys.push(Key { asked: Asked::Presence(attribute), value: Text::EMPTY, condition: id }),
                    _ => self.rest.push(id),
                }
            }
            _ => self.rest.push(id),
        }
    }
}
