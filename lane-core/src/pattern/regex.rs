//! Regular expressions as dense DFAs: the whole value must match, in one pass, without allocation or lock. A
//! shared `regex::Regex` would allocate on a thread's first search and under contention.

use alloc::vec::Vec;

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson,
    util::{start, syntax},
};

use super::Text;

/// One compiled expression.
#[derive(Debug)]
pub(crate) struct Regex {
    dfa: dense::DFA<Vec<u32>>,
    /// The expression as written.
    pub(crate) pattern: Text,
}

impl Regex {
    /// Compiles an expression that [`re2::check`](super::re2::check) has let pass; none where its automaton needs more than `limit` bytes.
    pub(crate) fn compile(pattern: &str, written: Text, limit: usize) -> Option<Self> {
        // All matches are kept, not only the leftmost-first one: after `/a` the alternative `/ab` of `/a|/ab` must stay alive.
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(StartKind::Anchored)
            .accelerate(false)
            .dfa_size_limit(Some(limit))
            .determinize_size_limit(Some(limit.saturating_mul(4)));
        let dfa = dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(limit)))
            .build(pattern)
            .ok()?;
        Some(Self { dfa, pattern: written })
    }

    /// Whether the expression matches the whole value.
    pub(crate) fn matches(&self, value: impl Iterator<Item = u8>) -> bool {
        // Only a DFA with Unicode word boundaries or quit bytes has no start state; ours has neither.
        let Ok(mut state) = self.dfa.start_state(&start::Config::new().anchored(Anchored::Yes)) else { return false };
        for byte in value {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_special_state(state) && self.dfa.is_dead_state(state) {
                return false;
            }
        }
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    /// What the automaton costs in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.dfa.memory_usage()
    }
}
