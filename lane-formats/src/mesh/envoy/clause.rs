//! What a route of Envoy asks for: a list of tests that must all hold. Alternatives are several routes, so a condition
//! becomes a list of clauses of which one must hold.

use serde_json::{Map, Value, json};

/// Tests that must all hold; without any, every request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Clause {
    /// The path specifier, and the same as a test of the header `:path` where a second one comes.
    path: Option<PathTest>,
    headers: Vec<Value>,
    query_parameters: Vec<Value>,
    cookies: Vec<Value>,
    dynamic_metadata: Vec<Value>,
    filter_state: Vec<Value>,
}

/// A test of the path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathTest {
    /// As the route's path specifier.
    pub(super) specifier: Map<String, Value>,
    /// As a matcher of the header `:path`, which holds the query too.
    pub(super) header: Option<Value>,
}

/// One test.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Path(PathTest),
    Header(Value),
    Query(Value),
    Cookie(Value),
    Metadata(Value),
    State(Value),
}

impl Clause {
    /// The route's `match`.
    pub(super) fn to_match(&self) -> Value {
        let mut matches = self.path.as_ref().map_or_else(|| object(json!({ "prefix": "/" })), |path| path.specifier.clone());
        let lists = [
            ("headers", &self.headers),
            ("query_parameters", &self.query_parameters),
            ("cookies", &self.cookies),
            ("dynamic_metadata", &self.dynamic_metadata),
            ("filter_state", &self.filter_state),
        ];
        for (name, list) in lists {
            if !list.is_empty() {
                matches.insert(name.into(), json!(list));
            }
        }
        Value::Object(matches)
    }

    /// Both; none where two tests of the path cannot stand beside each other.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        let lists = [
            (&mut both.headers, &other.headers),
            (&mut both.query_parameters, &other.query_parameters),
            (&mut both.cookies, &other.cookies),
            (&mut both.dynamic_metadata, &other.dynamic_metadata),
            (&mut both.filter_state, &other.filter_state),
        ];
        for (own, more) in lists {
            for value in more {
                if !own.contains(value) {
                    own.push(value.clone());
                }
            }
        }
        match (&self.path, &other.path) {
            (None, path) => both.path.clone_from(path),
            (Some(own), Some(more)) if own != more => match (&own.header, &more.header) {
                (_, Some(header)) => both.headers.push(header.clone()),
                (Some(header), None) => {
                    both.headers.push(header.clone());
                    both.path = Some(more.clone());
                }
                (None, None) => return None,
            },
            _ => {}
        }
        Some(both)
    }
}

impl From<Test> for Clause {
    fn from(test: Test) -> Self {
        let mut clause = Self::default();
        match test {
            Test::Path(path) => clause.path = Some(path),
            Test::Header(value) => clause.headers.push(value),
            Test::Query(value) => clause.query_parameters.push(value),
            Test::Cookie(value) => clause.cookies.push(value),
            Test::Metadata(value) => clause.dynamic_metadata.push(value),
            Test::State(value) => clause.filter_state.push(value),
        }
        clause
    }
}

/// The most routes that one rule may become for one lane.
const MOST: usize = 128;

/// Clauses of which one must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clauses(pub(super) Vec<Clause>);

/// Why a condition has no clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There would be too many.
    TooMany,
    /// Envoy tests a path with one regular expression only.
    SecondPath,
}

impl Clauses {
    pub(super) fn always() -> Self {
        Self(vec![Clause::default()])
    }

    pub(super) fn never() -> Self {
        Self(Vec::new())
    }

    pub(super) fn one(test: Test) -> Self {
        Self(vec![test.into()])
    }

    pub(super) fn when(holds: bool) -> Self {
        if holds { Self::always() } else { Self::never() }
    }

    pub(super) fn and(&self, other: &Self) -> Result<Self, Refusal> {
        if self.0.len().saturating_mul(other.0.len()) > MOST {
            return Err(Refusal::TooMany);
        }
        let pairs = self.0.iter().flat_map(|one| other.0.iter().map(move |more| one.and(more)));
        pairs.collect::<Option<Vec<Clause>>>().map(Self).ok_or(Refusal::SecondPath).and_then(Self::tidied)
    }

    pub(super) fn or(mut self, other: Self) -> Result<Self, Refusal> {
        self.0.extend(other.0);
        self.tidied()
    }

    /// Without repetition, and without what stands behind a clause that always holds.
    fn tidied(self) -> Result<Self, Refusal> {
        let mut clauses: Vec<Clause> = Vec::new();
        for clause in self.0 {
            if clause == Clause::default() {
                return Ok(Self::always());
            }
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        if clauses.len() > MOST { Err(Refusal::TooMany) } else { Ok(Self(clauses)) }
    }
}

/// The fields of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
