//! Compiled plans. Many routes of one Envoy carry the same plan: each text is compiled once, and the names of its
//! clusters are written out once for each template, for as long as some route uses them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use lane_core::{
    Liveness, Options, Router, SubsetId,
    config::{Config, Context},
};
use lane_formats::{Format, load};

use crate::{
    abi::{Level, log},
    settings::PlanText,
};

/// A compiled plan.
#[derive(Debug)]
pub struct Plan {
    /// The router.
    pub router: Router,
    /// The lower-case names of all headers that carry a lane, `baggage` among them: what a gateway may set or remove.
    pub context_headers: Vec<String>,
    /// Whether some group's context is a trace id.
    pub remembers: bool,
    /// Whether some rule asks for the client's address.
    pub asks_source_ip: bool,
}

/// Names of clusters by subset, and what Envoy said about their endpoints last.
#[derive(Debug)]
pub struct Clusters {
    /// The plan.
    pub plan: Arc<Plan>,
    names: Vec<Box<str>>,
    /// Shared by all threads and routes: what one finds out about a cluster holds for the others.
    pub liveness: Liveness,
}

impl Clusters {
    /// The cluster of a subset.
    #[must_use]
    pub fn name(&self, subset: SubsetId) -> &str {
        self.names.get(subset.index()).map_or("", |name| name)
    }
}

type Cache<K, V> = LazyLock<Mutex<HashMap<K, Weak<V>>>>;

static PLANS: Cache<(Format, String), Plan> = LazyLock::new(Mutex::default);
static CLUSTERS: Cache<(usize, String), Clusters> = LazyLock::new(Mutex::default);

/// What the cache has for the key, or what `make` makes.
fn cached<K: Eq + Hash, V, E>(cache: &Cache<K, V>, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
    // Held while compiling: Envoy loads its configuration on one thread.
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = cache.get(&key).and_then(Weak::upgrade) {
        return Ok(known);
    }
    let made = Arc::new(make()?);
    cache.retain(|_, entry| entry.strong_count() > 0);
    cache.insert(key, Arc::downgrade(&made));
    Ok(made)
}

/// The compiled plan of a text.
///
/// # Errors
///
/// Everything that is wrong with the text, a line each, with place and remedy.
pub fn plan(text: &PlanText) -> Result<Arc<Plan>, String> {
    cached(&PLANS, (text.format, text.text.clone()), || compile(text))
}

fn compile(text: &PlanText) -> Result<Plan, String> {
    let loaded = load(&text.text, text.format, &Options::default()).map_err(|refused| {
        let findings: Vec<String> = refused.findings.iter().map(|finding| format!("{}:{finding}", text.origin)).collect();
        findings.join("\n")
    })?;
    for warning in &loaded.warnings {
        log(Level::Warn, &format!("lane: {}:{warning}", text.origin));
    }
    Ok(Plan {
        context_headers: context_headers(&loaded.config),
        remembers: loaded.config.groups.iter().any(|group| matches!(group.context, Some(Context::TraceId(_)))),
        asks_source_ip: serde_json::to_value(&loaded.config).is_ok_and(|config| asks_source_ip(&config)),
        router: loaded.router,
    })
}

/// The guiding header of a group that names none (specification, section 1).
const GUIDING_HEADER: &str = "x-asm-prefer-tag";

fn context_headers(config: &Config) -> Vec<String> {
    let guiding = config.groups.iter().map(|group| group.guiding_header.as_deref().unwrap_or(GUIDING_HEADER).to_ascii_lowercase());
    let mut names: Vec<String> = guiding.chain(["baggage".to_owned()]).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a condition or a key of the plan is about the caller's address.
fn asks_source_ip(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| {
            let here = name == "source_ip" || (name == "source" && value.get("ip").is_some_and(|ip| !ip.is_null()));
            here || asks_source_ip(value)
        }),
        serde_json::Value::Array(items) => items.iter().any(asks_source_ip),
        _ => false,
    }
}

/// The clusters of a plan, named by a template.
///
/// # Errors
///
/// The template has an unknown placeholder, or cannot tell subsets apart.
pub fn clusters(plan: &Arc<Plan>, template: &str) -> Result<Arc<Clusters>, String> {
    let pieces = parse(template)?;
    // Clusters keep their plan alive, so its address stands for no other plan while they live.
    cached(&CLUSTERS, (Arc::as_ptr(plan) as usize, template.to_owned()), || Ok(named(plan, &pieces)))
}

/// A part of a template.
#[derive(Clone, Copy, Debug)]
enum Piece<'t> {
    Text(&'t str),
    Service,
    Lane,
    Tag,
    Group,
}

fn parse(template: &str) -> Result<Vec<Piece<'_>>, String> {
    const KNOWN: &str = "`{service}`, `{lane}`, `{tag}` and `{group}`";
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        pieces.push(Piece::Text(text));
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("cluster: `{template}` has a `{{` without `}}`"));
        };
        pieces.push(match name {
            "service" => Piece::Service,
            "lane" => Piece::Lane,
            "tag" => Piece::Tag,
            "group" => Piece::Group,
            _ => return Err(format!("cluster: `{{{name}}}` is not known; there are {KNOWN}")),
        });
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    let has = |wanted: fn(&Piece<'_>) -> bool| pieces.iter().any(wanted);
    if !has(|piece| matches!(piece, Piece::Service)) || !has(|piece| matches!(piece, Piece::Lane | Piece::Tag)) {
        return Err(format!(
            "cluster: `{template}` names the same cluster for different subsets; use `{{service}}` and `{{lane}}` or `{{tag}}`"
        ));
    }
    Ok(pieces)
}

fn named(plan: &Arc<Plan>, pieces: &[Piece<'_>]) -> Clusters {
    let router = &plan.router;
    let mut names = Vec::new();
    for group in router.groups() {
        for lane in router.lanes(group) {
            for service in router.services(group) {
                let Some(subset) = router.subset(service, lane) else { continue };
                let word = |piece: &Piece<'_>| match *piece {
                    Piece::Text(text) => text.to_owned(),
                    Piece::Service => router.service_host(service).to_owned(),
                    Piece::Lane => router.lane_name(lane).to_owned(),
                    Piece::Tag => router.service_tag(lane).to_owned(),
                    Piece::Group => router.group_name(group).to_owned(),
                };
                names.push((subset.index(), pieces.iter().map(word).collect::<String>().into_boxed_str()));
            }
        }
    }
    // Ids of subsets are dense; this is their order.
    names.sort_unstable_by_key(|(subset, _)| *subset);
    Clusters { plan: Arc::clone(plan), names: names.into_iter().map(|(_, name)| name).collect(), liveness: router.liveness() }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at what it does not expect")]
mod tests {
    use super::*;

    fn text(text: &str) -> PlanText {
        PlanText { origin: "lanes.yaml".to_owned(), text: text.to_owned(), format: Format::Yaml }
    }

    const PLAN: &str = include_str!("../../../../examples/permissive.yaml");

    #[test]
    fn a_text_is_compiled_once_while_it_is_used() {
        let first = plan(&text(PLAN)).expect("is right");
        let second = plan(&PlanText { origin: "elsewhere".to_owned(), ..text(PLAN) }).expect("is right");
        assert!(Arc::ptr_eq(&first, &second));
        let names = clusters(&first, "{service}|{tag}").expect("is right");
        assert!(Arc::ptr_eq(&names, &clusters(&second, "{service}|{tag}").expect("is right")));
        assert!(!Arc::ptr_eq(&names, &clusters(&second, "{tag}.{service}").expect("is right")));
    }

    #[test]
    fn every_subset_has_its_cluster() {
        let plan = plan(&text(PLAN)).expect("is right");
        let clusters = clusters(&plan, "outbound|80|{tag}|{service}~{group}").expect("is right");
        let group = plan.router.groups().next().expect("one");
        let mut seen = 0;
        for lane in plan.router.lanes(group) {
            for service in plan.router.services(group) {
                let Some(subset) = plan.router.subset(service, lane) else { continue };
                let wanted = format!("outbound|80|{}|{}~mock", plan.router.lane_name(lane), plan.router.service_host(service));
                assert_eq!(clusters.name(subset), wanted);
                seen += 1;
            }
        }
        assert_eq!(seen, 7);
    }

    #[test]
    fn a_template_that_cannot_tell_subsets_apart_is_refused() {
        assert!(parse("{service}").expect_err("no lane").contains("`{lane}` or `{tag}`"));
        assert!(parse("x{lane}").expect_err("no service").contains("`{service}`"));
        assert!(parse("{service}{version}").expect_err("unknown").contains("`{version}` is not known"));
        assert!(parse("{service}|{lane").expect_err("open").contains("without"));
    }

    #[test]
    fn a_refused_plan_is_told_line_by_line() {
        let errors = plan(&text("version: 2\ngroups:\n  - {name: a, mode: strict, service: x}\n")).expect_err("wrong");
        assert!(errors.lines().count() >= 2, "{errors}");
        assert!(errors.lines().all(|line| line.starts_with("lanes.yaml:") && line.contains("LANE")), "{errors}");
    }

    #[test]
    fn what_carries_a_lane_and_who_asks_for_an_address() {
        let permissive = plan(&text(PLAN)).expect("is right");
        assert_eq!(permissive.context_headers, ["baggage", "version"]);
        assert!(!permissive.remembers && !permissive.asks_source_ip);
        let traced = plan(&text(include_str!("../../../../examples/trace-id.yaml"))).expect("is right");
        assert!(traced.remembers && !traced.asks_source_ip);
        assert_eq!(traced.context_headers, ["baggage", "x-lane"]);
        let with = |rule: &str| {
            let head = "version: 1\ngroups:\n  - name: g\n    mode: strict\n    services: [{host: a}]\n    lanes: [{name: x}, {name: y}]\n";
            plan(&text(&format!("{head}    rules:\n      - {{name: r, service: a, {rule}}}\n"))).expect("is right").asks_source_ip
        };
        assert!(with("lane: x, match: [{source: {ip: [10.0.0.0/8]}}]"));
        assert!(with("split: [{lane: x, weight: 1}, {lane: y, weight: 1}], sticky: {keys: [{source_ip: true}]}"));
        assert!(!with("lane: x, match: [{source: {service: {exact: a}}}]"));
    }
}
