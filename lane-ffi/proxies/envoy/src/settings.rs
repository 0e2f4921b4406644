//! What an operator writes for one use of the module: as a `Struct` or as JSON or YAML text inside Envoy's own
//! configuration. Reading it, and saying what is wrong with it.

use std::{collections::BTreeMap, net::IpAddr};

use lane_formats::Format;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Which decision is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A request enters at a gateway (S16).
    Gateway,
    /// The workload beside this proxy calls a service (S21).
    Outbound,
    /// A request arrives at the workload beside this proxy (S26a): nothing is decided, lanes are remembered for trace ids.
    Inbound,
    /// Of a cluster specifier: the HTTP filter before it decides.
    Filter,
}

/// The workload beside this proxy: the caller in the role `outbound`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Its service, by host or alias.
    pub service: Option<String>,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its lane, where it is known by name.
    pub lane: Option<String>,
    /// Its address.
    pub ip: Option<IpAddr>,
}

/// The table of lanes remembered for trace ids (S28).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceTableSettings {
    /// All uses of the module in one Envoy that give the same name share one table.
    pub name: String,
    /// How many associations it holds at most; the oldest write leaves first.
    pub capacity: usize,
    /// After how many seconds an association is dead.
    pub ttl_seconds: u32,
}

impl Default for TraceTableSettings {
    fn default() -> Self {
        Self { name: "default".to_owned(), capacity: 65_536, ttl_seconds: 300 }
    }
}

/// The document; `P` is how the parser hands over the plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<P> {
    role: Role,
    gateway: Option<String>,
    plan: Option<P>,
    plan_file: Option<String>,
    cluster: Option<String>,
    pass_cluster: Option<String>,
    cluster_header: Option<String>,
    service: Option<String>,
    #[serde(default)]
    workload: Workload,
    #[serde(default = "yes")]
    health: bool,
    #[serde(default)]
    trace_table: TraceTableSettings,
    /// Any text. Envoy reads a plan file when its own configuration changes, and a changed revision is a change.
    #[serde(default, rename = "revision")]
    _revision: Option<String>,
    #[cfg(feature = "probe")]
    #[serde(default)]
    probe: bool,
}

const fn yes() -> bool {
    true
}

/// A plan as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanText {
    /// Where it stands, for messages.
    pub origin: String,
    /// The text.
    pub text: String,
    /// Its language.
    pub format: Format,
}

/// One use of the module, checked as far as it can be without compiling the plan.
#[derive(Debug)]
pub struct Settings {
    /// Which decision is made.
    pub role: Role,
    /// The gateway's name; empty in other roles.
    pub gateway: String,
    /// The plan.
    pub plan: PlanText,
    /// The template of cluster names, with `{service}`, `{lane}`, `{tag}` and `{group}`.
    pub cluster: String,
    /// The cluster of requests that lane leaves alone, where a specifier names it; role `inbound`: that of the workload.
    pub pass_cluster: Option<String>,
    /// The header by which the HTTP filter tells the route which cluster is meant; lower case.
    pub cluster_header: String,
    /// The called service, where it is not the request's authority.
    pub service: Option<String>,
    /// The caller in the role `outbound`.
    pub workload: Workload,
    /// Whether endpoint counts of clusters are asked for.
    pub health: bool,
    /// The table for trace ids.
    pub trace_table: TraceTableSettings,
    /// Whether requests may make hooks panic and give the roll.
    #[cfg(feature = "probe")]
    pub probe: bool,
}

const DEFAULT_CLUSTER: &str = "{service}|{lane}";
const DEFAULT_CLUSTER_HEADER: &str = "x-lane-cluster";

impl Settings {
    /// Reads settings: JSON where the text begins with `{`, else YAML.
    ///
    /// # Errors
    ///
    /// What is wrong, in words that name the place or the field.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = core::str::from_utf8(bytes).map_err(|error| format!("the text is not UTF-8: byte {}", error.valid_up_to()))?;
        if text.trim().is_empty() {
            return Err("there is none; write at least `role` and `plan` or `plan_file`".to_owned());
        }
        if text.trim_start().starts_with('{') {
            let document: Document<Box<RawValue>> = serde_json::from_str(text).map_err(|error| error.to_string())?;
            return document.check(|plan| {
                // A JSON string holds a text; anything else is the plan itself, kept as it was written.
                serde_json::from_str(plan.get()).map_or_else(|_| (plan.get().to_owned(), Format::Json), |text| (text, Format::Yaml))
            });
        }
        let document: Document<serde_json::Value> = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        document.check(|plan| match plan {
            serde_json::Value::String(text) => (text, Format::Yaml),
            plan => (plan.to_string(), Format::Json),
        })
    }
}

impl<P> Document<P> {
    fn check(self, text_of: impl FnOnce(P) -> (String, Format)) -> Result<Settings, String> {
        let plan = match (self.plan, self.plan_file) {
            (None, None) if self.role == Role::Filter => PlanText { origin: String::new(), text: String::new(), format: Format::Json },
            _ if self.role == Role::Filter => return Err("in the role `filter` the plan is the filter's".to_owned()),
            (Some(plan), None) => {
                let (text, format) = text_of(plan);
                PlanText { origin: "plan".to_owned(), text, format }
            }
            (None, Some(path)) => {
                let text = std::fs::read_to_string(&path).map_err(|error| format!("plan_file: `{path}` cannot be read: {error}"))?;
                PlanText { format: Format::of_path(&path), origin: path, text }
            }
            (Some(_), Some(_)) => return Err("`plan` and `plan_file` exclude each other".to_owned()),
            (None, None) => return Err("there is no plan; write `plan` or `plan_file`".to_owned()),
        };
        let given = |field: &str, is_given: bool, roles: &[Role], place: &str| {
            if is_given && !roles.contains(&self.role) { Err(format!("`{field}` has a meaning only in {place}")) } else { Ok(()) }
        };
        given("gateway", self.gateway.is_some(), &[Role::Gateway], "the role `gateway`")?;
        given("service", self.service.is_some(), &[Role::Outbound], "the role `outbound`")?;
        given("workload", self.workload != Workload::default(), &[Role::Outbound], "the role `outbound`")?;
        given("cluster", self.cluster.is_some(), &[Role::Gateway, Role::Outbound], "the roles `gateway` and `outbound`")?;
        let gateway = match (self.role, self.gateway) {
            (Role::Gateway, None) => return Err("the role `gateway` needs `gateway`, the name by which groups list it".to_owned()),
            (_, gateway) => gateway.unwrap_or_default(),
        };
        let cluster_header = self.cluster_header.unwrap_or_else(|| DEFAULT_CLUSTER_HEADER.to_owned()).to_ascii_lowercase();
        if cluster_header.is_empty() || !cluster_header.bytes().all(is_token) {
            return Err(format!("cluster_header: `{cluster_header}` is no header name"));
        }
        if self.pass_cluster.as_deref() == Some("") {
            return Err("pass_cluster: an empty name is no cluster".to_owned());
        }
        Ok(Settings {
            role: self.role,
            gateway,
            plan,
            cluster: self.cluster.unwrap_or_else(|| DEFAULT_CLUSTER.to_owned()),
            pass_cluster: self.pass_cluster,
            cluster_header,
            service: self.service,
            workload: self.workload,
            health: self.health,
            trace_table: self.trace_table,
            #[cfg(feature = "probe")]
            probe: self.probe,
        })
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at what it does not expect")]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"version": 1, "groups": []}"#;

    fn refused(text: &str) -> String {
        Settings::read(text.as_bytes()).expect_err("must be refused")
    }

    #[test]
    fn a_plan_may_be_a_tree_or_a_text_in_json_and_yaml() {
        let read = |text: String| Settings::read(text.as_bytes()).expect("is right").plan;
        let tree = read(format!(r#"{{"role": "gateway", "gateway": "g", "plan": {PLAN}}}"#));
        assert_eq!((tree.text.as_str(), tree.format), (PLAN, Format::Json));
        let text = read(r#"{"role": "outbound", "plan": "version: 1\ngroups: []\n"}"#.to_owned());
        assert_eq!((text.text.as_str(), text.format), ("version: 1\ngroups: []\n", Format::Yaml));
        let block = read("role: inbound\nplan: |\n  version: 1\n  groups: []\n".to_owned());
        assert_eq!((block.text.as_str(), block.format), ("version: 1\ngroups: []\n", Format::Yaml));
        let tree = read("role: inbound\nplan:\n  version: 1\n  groups: []\n".to_owned());
        assert_eq!((tree.text.as_str(), tree.format), (r#"{"version":1,"groups":[]}"#, Format::Json));
    }

    #[test]
    fn a_plan_in_json_keeps_what_is_wrong_with_it() {
        let twice = r#"{"version": 1, "version": 1, "groups": []}"#;
        let settings = Settings::read(format!(r#"{{"role": "inbound", "plan": {twice}}}"#).as_bytes()).expect("is right");
        assert_eq!(settings.plan.text, twice);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(refused("").contains("`role`"));
        assert!(refused("{\"rol\": 1}").contains("unknown field `rol`"));
        assert!(refused("role: gate\nplan: x\n").contains("unknown variant `gate`"), "{}", refused("role: gate\nplan: x\n"));
        assert!(refused("role: gateway\nplan: x\n").contains("needs `gateway`"));
        assert!(refused("role: outbound\n").contains("no plan"));
        assert!(refused("role: outbound\nplan: x\nplan_file: y\n").contains("exclude each other"));
        assert!(refused("role: outbound\nplan_file: /no/such/file\n").contains("`/no/such/file` cannot be read"));
        assert!(refused("role: outbound\nplan: x\ngateway: g\n").contains("`gateway` has a meaning only in the role `gateway`"));
        assert!(refused("role: filter\nplan: x\n").contains("the plan is the filter's"));
        assert!(refused("role: inbound\nplan: x\nworkload: {lane: v1}\n").contains("`workload`"));
        assert!(refused("role: outbound\nplan: x\ncluster_header: 'a b'\n").contains("`a b` is no header name"));
        assert!(
            refused("role: outbound\nrole: inbound\nplan: x\n").contains("duplicate"),
            "{}",
            refused("role: outbound\nrole: inbound\nplan: x\n")
        );
        assert!(Settings::read(b"\xff\xfe").expect_err("no text").contains("not UTF-8"));
    }
}
