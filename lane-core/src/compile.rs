//! From configuration to router: checks everything, reports every problem at once, resolves names to ids and
//! builds the index. Nothing else in the crate knows about this room.

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};

use crate::{
    condition::{Attribute, Conditions},
    config::{self, Config},
    diagnostic::{Code, CompileError, Diagnostic, FieldPath, Here, Severity, did_you_mean},
    index::{Index, SCANNED},
    intern::{GroupId, Ids, LaneId, Map, ServiceId, dense},
    pattern::{Patterns, Text, host::HostPattern, regex::Pending},
    router::{Action, Callees, Claims, Gateways, Group, Labels, Lane, LaneNames, Plan, Router, Rule, Service},
    split::Split,
};

mod conditions;
mod groups;
mod lint;
mod names;
mod rules;

/// How to compile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// What a configuration may ask for at most.
    pub limits: Limits,
    /// How rules are found.
    pub indexing: Indexing,
}

/// How rules are found. The answers are the same; tests and benchmarks compare the ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indexing {
    /// By the index, but one by one where a host has so few that this is faster.
    #[default]
    Auto,
    /// By the index, however few there are.
    Always,
    /// One by one.
    Never,
}

/// What a configuration may ask for at most (S6). Beyond a limit it is refused, so that a hostile one costs bounded time and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Rules in all.
    pub rules: usize,
    /// Bytes of all regular expressions' automata.
    pub automata_bytes: usize,
    /// Bytes of one regular expression's automaton.
    pub regex_bytes: usize,
    /// Lanes of a group.
    pub lanes: usize,
    /// Services of a group.
    pub services: usize,
    /// Groups.
    pub groups: usize,
    /// Subsets in all: the sum over all lanes of the services that they contain.
    pub subsets: usize,
    /// Levels of conditions inside conditions.
    pub condition_levels: usize,
    /// Bytes of a document; text is read by `lane-formats`, which honours this.
    pub document_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rules: 100_000,
            automata_bytes: 64 << 20,
            regex_bytes: 2 << 20,
            lanes: 10_000,
            services: 10_000,
            groups: 1_000,
            subsets: 16 << 20,
            condition_levels: 64,
            document_bytes: 16 << 20,
        }
    }
}

/// A router, and what is doubtful about its configuration.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The router.
    pub router: Router,
    /// Warnings, in document order.
    pub warnings: Vec<Diagnostic>,
}

impl Router {
    /// Compiles a configuration.
    ///
    /// # Errors
    ///
    /// All errors of the configuration together, with the warnings beside them.
    pub fn compile(config: &Config, options: &Options) -> Result<Compiled, CompileError> {
        let mut compiler = Compiler::new(options);
        let path = Here::ROOT;
        if config.version != 1 {
            let problem = Diagnostic::new(Code::Version, path.field("version"), format!("schema version {} is not known", config.version));
            compiler.report(problem.help("write `version: 1`"));
        }
        let groups = path.field("groups");
        compiler.limit(config.groups.len(), options.limits.groups, "groups", &groups);
        let rules = config.groups.iter().map(|group| group.rules.len()).sum();
        compiler.limit(rules, options.limits.rules, "rules in all", &groups);
        if compiler.problems.is_empty() {
            compiler.groups(config, &groups);
            compiler.compile_regexes();
        }
        lint::check(config, &mut compiler);
        compiler.finish()
    }
}

/// More problems than this are counted, not listed.
const MOST_PROBLEMS: usize = 10_000;
/// So many names are compared at most to find what was meant.
const MOST_COMPARISONS: usize = 200_000;

/// The plan while it is built, and every problem found so far.
struct Compiler<'c> {
    options: &'c Options,
    problems: Vec<Diagnostic>,
    /// Problems that were counted only, and whether an error is among them.
    unreported: usize,
    has_errors: bool,
    /// Names compared so far to find what was meant.
    compared: usize,
    patterns: Patterns,
    conditions: Conditions,
    names: crate::attribute::names::NamesBuilder,
    hosts: Vec<HostPattern>,
    /// Where the host patterns of earlier rules stand: most rules have the same as others.
    known_hosts: Map<Box<[HostPattern]>, Ids>,
    groups: Vec<Group>,
    services: Vec<Service>,
    lanes: Vec<Lane>,
    members: Vec<ServiceId>,
    fallbacks: Vec<LaneId>,
    labels: Vec<((LaneId, ServiceId), Labels)>,
    rules: Vec<Rule>,
    splits: Vec<Split>,
    subsets: usize,
    gateways: Map<crate::intern::Name, u32>,
    callees: Map<String, Vec<ServiceId>>,
    /// Texts that are the same wherever they are written, so that what they name is told by the id alone.
    texts: Map<String, Text>,
    /// Regular expressions by pattern: equal ones share an automaton.
    regexes: Map<String, u32>,
    /// Those that wait to be compiled, by the attribute over which they were first met.
    pending: Map<Attribute, Vec<(Pending, FieldPath)>>,
    /// Where in `pending` a pattern waits.
    behind: Map<String, (Attribute, usize)>,
}

/// What the names of one group stand for.
struct Scope<'c> {
    group: GroupId,
    config: &'c config::Group,
    /// By lower-case host.
    services: Map<String, ServiceId>,
    /// Aliases, to tell who writes one where a host is wanted.
    aliases: Map<String, String>,
    lanes: Map<&'c str, LaneId>,
}

impl<'c> Compiler<'c> {
    fn new(options: &'c Options) -> Self {
        Self {
            options,
            problems: Vec::new(),
            unreported: 0,
            has_errors: false,
            compared: 0,
            patterns: Patterns::default(),
            conditions: Conditions::default(),
            names: crate::attribute::names::NamesBuilder::new(),
            hosts: Vec::new(),
            known_hosts: Map::default(),
            groups: Vec::new(),
            services: Vec::new(),
            lanes: Vec::new(),
            members: Vec::new(),
            fallbacks: Vec::new(),
            labels: Vec::new(),
            rules: Vec::new(),
            splits: Vec::new(),
            subsets: 0,
            gateways: Map::default(),
            callees: Map::default(),
            texts: Map::default(),
            regexes: Map::default(),
            pending: Map::default(),
            behind: Map::default(),
        }
    }

    /// A text in the pool; one and the same for equal texts.
    fn name(&mut self, name: &str) -> Text {
        if let Some(text) = self.texts.get(name) {
            return *text;
        }
        let text = self.patterns.pool.add(name);
        self.texts.insert(name.into(), text);
        text
    }

    /// Notes a problem; beyond any number that a person reads they are only counted.
    fn report(&mut self, problem: Diagnostic) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.unreported += 1;
            self.has_errors |= problem.severity() == Severity::Error;
        }
    }

    /// The declared name that was probably meant. Looking for it compares with every name, so it is done only so often.
    fn suggest<'n>(&mut self, wanted: &str, names: impl ExactSizeIterator<Item = &'n str>) -> Option<String> {
        self.compared = self.compared.saturating_add(names.len());
        if self.compared > MOST_COMPARISONS { None } else { did_you_mean(wanted, names) }
    }

    fn error(&mut self, code: Code, path: &Here<'_>, message: impl Into<String>) {
        self.report(Diagnostic::new(code, path, message));
    }

    fn limit(&mut self, count: usize, limit: usize, what: &str, path: &Here<'_>) {
        if count > limit {
            let problem = Diagnostic::new(Code::Limit, path, format!("{count} {what}, and at most {limit} are allowed"));
            self.report(problem.help("split the configuration, or raise the limit where the router is compiled"));
        }
    }

    /// Reports an empty list; returns whether it was one.
    fn empty_list(&mut self, list: Option<usize>, path: &Here<'_>, help: &str) {
        if list == Some(0) {
            self.report(Diagnostic::new(Code::EmptyList, path, "the list is empty").help(help));
        }
    }

    fn finish(mut self) -> Result<Compiled, CompileError> {
        if self.has_errors {
            // Errors are among those that were only counted: the configuration must not pass.
            let message = format!("{} more problems are not listed", self.unreported);
            self.problems.push(Diagnostic::new(Code::Limit, FieldPath::root(), message).help("mend those that are, and check again"));
        }
        if self.has_errors() {
            return Err(CompileError { diagnostics: self.problems });
        }
        let callees = self.callees();
        let lane_names = self.lane_names();
        let claims = self.claims();
        self.rules.shrink_to_fit();
        self.hosts.shrink_to_fit();
        self.lanes.shrink_to_fit();
        self.fallbacks.shrink_to_fit();
        let mut plan = Plan {
            patterns: self.patterns,
            conditions: self.conditions,
            names: self.names.build(),
            hosts: self.hosts,
            groups: self.groups,
            services: self.services,
            lanes: self.lanes,
            members: self.members,
            fallbacks: self.fallbacks,
            labels: self.labels,
            rules: self.rules,
            splits: self.splits,
            subsets: dense(self.subsets),
            gateways: Gateways::of(self.gateways),
            callees,
            lane_names,
            claims,
            index: Index::default(),
            indexed: self.options.indexing != Indexing::Never,
        };
        aim(&mut plan);
        plan.index = Index::build(&mut plan, if self.options.indexing == Indexing::Always { 0 } else { SCANNED });
        plan.patterns.pool.shrink();
        plan.conditions.finish();
        Ok(Compiled { router: Router(Arc::new(plan)), warnings: self.problems })
    }

    fn has_errors(&self) -> bool {
        self.has_errors || self.problems.iter().any(|problem| problem.severity() == Severity::Error)
    }

    /// The table of called names.
    fn callees(&mut self) -> Callees {
        let mut names: Vec<_> = core::mem::take(&mut self.callees).into_iter().collect();
        // The map's order is of no meaning; the router's is the same at every compile.
        names.sort_unstable();
        let names: Vec<_> = names.into_iter().map(|(name, services)| (self.patterns.pool.add(&name), services)).collect();
        Callees::of(names, &self.patterns.pool)
    }

    fn lane_names(&self) -> LaneNames {
        let mut names = LaneNames::default();
        for (index, lane) in self.lanes.iter().enumerate() {
            names.insert(lane.group, lane.name, LaneId::of(dense(index)), &self.patterns.pool);
        }
        names
    }

    /// Who claims which header and baggage key as lane context.
    fn claims(&self) -> Claims {
        let mut headers: Map<_, Vec<GroupId>> = Map::default();
        let mut keys: Map<alloc::boxed::Box<[u8]>, Vec<GroupId>> = Map::default();
        for (index, group) in self.groups.iter().enumerate() {
            let id = GroupId::of(dense(index));
            headers.entry(group.guiding.header).or_default().push(id);
            let key = match group.context {
                crate::router::Context::Baggage(key) => Some(key),
                _ => None,
            };
            for text in key.into_iter().chain(group.restore.iter().map(|restored| restored.spelled)) {
                keys.entry(self.patterns.pool.bytes(text).into()).or_default().push(id);
            }
        }
        let boxed = |(header, groups): (_, Vec<GroupId>)| (header, groups.into_boxed_slice());
        Claims {
            headers: headers.into_iter().map(boxed).collect(),
            keys: keys.into_iter().map(|(key, groups)| (key, groups.into_boxed_slice())).collect(),
        }
    }
}

impl Scope<'_> {
    /// The lane that is referred to, or a problem.
    fn lane(&self, name: &str, path: &Here<'_>, compiler: &mut Compiler<'_>) -> Option<LaneId> {
        let lane = self.lanes.get(name).copied();
        if lane.is_none() {
            let message = format!("group `{}` has no lane `{name}`", self.config.name);
            let help = compiler.suggest(name, self.lanes.keys().copied()).unwrap_or_else(|| String::from("declare the lane under `lanes`"));
            compiler.report(Diagnostic::new(Code::UnknownReference, path, message).help(help));
        }
        lane
    }

    /// The service that is referred to by its host, or a problem.
    fn service(&self, host: &str, path: &Here<'_>, compiler: &mut Compiler<'_>) -> Option<ServiceId> {
        let wanted = host.to_ascii_lowercase();
        let service = self.services.get(&wanted).copied();
        if service.is_none() {
            let message = format!("group `{}` has no service `{host}`", self.config.name);
            let help = match self.aliases.get(&wanted) {
                Some(host) => format!("references use hosts: write `{host}`"),
                None => compiler
                    .suggest(host, self.services.keys().map(String::as_str))
                    .unwrap_or_else(|| String::from("declare the service under `services`")),
            };
            compiler.report(Diagnostic::new(Code::UnknownReference, path, message).help(help));
        }
        service
    }
}

/// A range of ids that was just filled.
fn ids(first: usize, end: usize) -> Ids {
    Ids { first: dense(first), count: dense(end - first) }
}

/// Notes the endpoints to which rules lead that name their lanes.
fn aim(plan: &mut Plan) {
    let (mut rules, mut splits) = (core::mem::take(&mut plan.rules), core::mem::take(&mut plan.splits));
    for rule in &mut rules {
        match &mut rule.action {
            Action::Lane(target) => *target = plan.target(rule.service, target.lane),
            Action::Split(split) => {
                if let Some(split) = splits.get_mut(*split as usize) {
                    split.aim(|lane| plan.target(rule.service, lane));
                }
            }
            Action::From(_) => {}
        }
    }
    (plan.rules, plan.splits) = (rules, splits);
}
