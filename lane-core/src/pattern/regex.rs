//! Regular expressions as dense DFAs: the whole value must match, in one pass, without allocation or lock. A
//! shared `regex::Regex` would allocate on a thread's first search and under contention.
//!
//! Expressions over one attribute share automata: one pass over a value then tells which of hundreds match,
//! and an expression costs some hundred bytes instead of some thousand. Sharing is tried within a budget and
//! given up where expressions make each other large; then each has an automaton of its own.

use alloc::{string::String, vec::Vec};

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson,
    util::{primitives::StateID, start, syntax},
};

use super::{Pool, Text};

/// Most expressions in one automaton.
const CHUNK: usize = 512;
/// Most in a second try, after a chunk turned out too large.
const SMALL_CHUNK: usize = 32;
/// After so many tries in vain the expressions of an attribute are taken one by one.
const MOST_FAILURES: usize = 4;
/// What a shared automaton may cost: this, and as much again for each expression.
const SHARED_BYTES: usize = 64 << 10;
const SHARED_BYTES_EACH: usize = 1 << 10;

/// The texts of an expression.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literals {
    /// As written.
    pub(crate) written: Text,
    /// The text with which every match begins.
    pub(crate) prefix: Text,
    /// A text that every match holds.
    pub(crate) required: Text,
}

/// An expression in [`Regexes`].
#[derive(Clone, Copy, Debug)]
struct Entry {
    literals: Literals,
    /// Whether the automaton is for what stands behind the prefix.
    is_apart: bool,
    automaton: u32,
    /// The expression's number in the automaton.
    number: u32,
}

/// All expressions of a router.
#[derive(Debug, Default)]
pub(crate) struct Regexes {
    entries: Vec<Entry>,
    automata: Vec<dense::DFA<Vec<u32>>>,
}

/// Expressions that wait to be compiled.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Those that have this pattern, perhaps each behind a prefix of its own.
    pub(crate) regexes: Vec<u32>,
    /// As the library is to read it.
    pub(crate) pattern: String,
    /// Whether it may share an automaton.
    pub(crate) shares: bool,
}

/// What the automata may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Bytes of one expression's automaton.
    pub(crate) each: usize,
    /// Bytes that are left for all.
    pub(crate) all: usize,
}

/// Why an expression has no automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooLarge {
    /// Its own would be beyond the limit of one.
    Alone,
    /// Nothing was left of the limit of all.
    Together,
}

impl Regexes {
    const NONE: u32 = u32::MAX;

    /// Adds an expression that is compiled later; until then it matches nothing.
    pub(crate) fn add(&mut self, literals: Literals, is_apart: bool) -> u32 {
        self.entries.push(Entry { literals, is_apart, automaton: Self::NONE, number: 0 });
        crate::intern::dense(self.entries.len() - 1)
    }

    /// Compiles the expressions of one attribute, in their order; reports each that is too large.
    pub(crate) fn compile(&mut self, pending: &[Pending], budget: &mut Budget, mut refuse: impl FnMut(&Pending, TooLarge)) {
        let mut failures = 0;
        let mut shared = |regexes: &mut Self, chunk: &[Pending], budget: &mut Budget| {
            let worth_a_try = chunk.len() > 1 && failures < MOST_FAILURES;
            let shared = worth_a_try && regexes.share(chunk, budget);
            failures += usize::from(worth_a_try && !shared);
            shared
        };
        for run in pending.chunk_by(|one, next| one.shares && next.shares) {
            for chunk in run.chunks(CHUNK) {
                if shared(self, chunk, budget) {
                    continue;
                }
                for chunk in chunk.chunks(SMALL_CHUNK) {
                    if shared(self, chunk, budget) {
                        continue;
                    }
                    for one in chunk {
                        let Err(why) = self.alone(one, budget) else { continue };
                        refuse(one, why);
                        // Nothing is left for those that follow either: saying so once is enough.
                        if why == TooLarge::Together {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Compiles several expressions into one automaton, if that stays within the budget.
    fn share(&mut self, chunk: &[Pending], budget: &mut Budget) -> bool {
        let limit = (SHARED_BYTES + SHARED_BYTES_EACH * chunk.len()).min(budget.all);
        let patterns: Vec<&str> = chunk.iter().map(|pending| &*pending.pattern).collect();
        let Some(dfa) = build(&patterns, limit) else { return false };
        budget.all -= dfa.memory_usage().min(budget.all);
        self.enter(chunk, dfa);
        true
    }

    fn alone(&mut self, pending: &Pending, budget: &mut Budget) -> Result<(), TooLarge> {
        let limit = budget.each.min(budget.all);
        let Some(dfa) = build(&[&pending.pattern], limit) else {
            let why = if budget.all < budget.each { TooLarge::Together } else { TooLarge::Alone };
            // A try in vain costs as much time as one that succeeds, so it is paid for: many such end soon.
            budget.all -= limit;
            return Err(why);
        };
        budget.all -= dfa.memory_usage().min(budget.all);
        self.enter(core::slice::from_ref(pending), dfa);
        Ok(())
    }

    fn enter(&mut self, chunk: &[Pending], dfa: dense::DFA<Vec<u32>>) {
        let automaton = crate::intern::dense(self.automata.len());
        self.automata.push(dfa);
        for (number, pending) in chunk.iter().enumerate() {
            for regex in &pending.regexes {
                if let Some(entry) = self.entries.get_mut(*regex as usize) {
                    entry.automaton = automaton;
                    entry.number = crate::intern::dense(number);
                }
            }
        }
    }

    /// Whether the expression matches the whole value; texts are in `pool`.
    pub(crate) fn matches(&self, regex: u32, pool: &Pool, mut value: impl Iterator<Item = u8>) -> bool {
        let Some(entry) = self.entries.get(regex as usize) else { return false };
        if entry.is_apart && !pool.bytes(entry.literals.prefix).iter().all(|byte| value.next() == Some(*byte)) {
            return false;
        }
        self.matching(entry.automaton, value).any(|number| number == entry.number)
    }

    /// The numbers of the expressions in an automaton that match the whole value.
    pub(crate) fn matching(&self, automaton: u32, value: impl Iterator<Item = u8>) -> impl Iterator<Item = u32> {
        let dfa = self.automata.get(automaton as usize);
        let state = dfa.and_then(|dfa| Some((dfa, run(dfa, value)?)));
        state.into_iter().flat_map(|(dfa, state)| (0..dfa.match_len(state)).map(move |at| dfa.match_pattern(state, at).as_u32()))
    }

    /// The automaton of an expression, and its number there; none where only what stands behind a prefix is.
    pub(crate) fn place(&self, regex: u32) -> Option<(u32, u32)> {
        self.entries.get(regex as usize).filter(|entry| !entry.is_apart).map(|entry| (entry.automaton, entry.number))
    }

    /// The expression's texts.
    pub(crate) fn literals(&self, regex: u32) -> Option<Literals> {
        self.entries.get(regex as usize).map(|entry| entry.literals)
    }

    /// How many expressions and automata there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.entries.len(), self.automata.len())
    }

    /// What the automata cost in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        let automata = self.automata.iter().map(|dfa| dfa.memory_usage() + size_of_val(dfa));
        automata.sum::<usize>() + self.entries.capacity() * size_of::<Entry>()
    }
}

fn build(patterns: &[&str], limit: usize) -> Option<dense::DFA<Vec<u32>>> {
    // All matches are kept, not only the leftmost-first one: after `/a` the alternative `/ab` of `/a|/ab` must stay alive.
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(limit))
        .determinize_size_limit(Some(limit.saturating_mul(4)));
    dense::Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(limit.saturating_mul(4))))
        .build_many(patterns)
        .ok()
}

/// The state after the whole value and its end, if it is one in which something matches.
fn run(dfa: &dense::DFA<Vec<u32>>, value: impl Iterator<Item = u8>) -> Option<StateID> {
    // Only a DFA with Unicode word boundaries or quit bytes has no start state; ours has neither.
    let mut state = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
    for byte in value {
        state = dfa.next_state(state, byte);
        if dfa.is_special_state(state) && dfa.is_dead_state(state) {
            return None;
        }
    }
    let state = dfa.next_eoi_state(state);
    dfa.is_match_state(state).then_some(state)
}
