//! Single routes: where a lane's requests go, what is set and removed on the way, and how a split draws.

use lane_core::config::{Key, Method, Rule, Share};
use serde_json::{Map, Value, json};

use super::{
    clause::{Clauses, object},
    condition::key_present,
    filters::Filters,
};

/// Text that stands in a value as it is: a `%` would begin a command of Envoy's.
pub(super) fn verbatim(text: &str) -> String {
    text.replace('%', "%%")
}

/// What a route does to the headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    add: Vec<Value>,
    remove: Vec<String>,
    respond: Vec<Value>,
}

impl Edits {
    /// All lines of the header are replaced by one; an empty value does nothing.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.add.push(json!({ "header": { "key": name, "value": value }, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" }));
    }

    /// The header is set where the request does not carry it.
    pub(super) fn set_if_absent(&mut self, name: &str, value: &str) {
        self.add.push(json!({ "header": { "key": name, "value": value }, "append_action": "ADD_IF_ABSENT" }));
    }

    pub(super) fn remove(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if !self.remove.contains(&name) {
            self.remove.push(name);
        }
    }

    fn write(&self, target: &mut Map<String, Value>) {
        if !self.add.is_empty() {
            target.insert("request_headers_to_add".into(), json!(self.add));
        }
        if !self.remove.is_empty() {
            target.insert("request_headers_to_remove".into(), json!(self.remove));
        }
        if !self.respond.is_empty() {
            target.insert("response_headers_to_add".into(), json!(self.respond));
        }
    }
}

/// Where a lane's requests go, and what they carry then. Without a cluster nothing can serve them.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    pub(super) cluster: Option<String>,
    pub(super) edits: Edits,
}

/// Routes in the making.
#[derive(Debug, Default)]
pub(super) struct Routes(pub(super) Vec<Value>);

impl Routes {
    fn push(&mut self, name: &str, clauses: &Clauses, action: &Map<String, Value>, edits: &Edits) {
        for clause in &clauses.0 {
            let mut route = object(json!({ "name": name, "match": clause.to_match() }));
            route.extend(action.clone());
            edits.write(&mut route);
            self.0.push(Value::Object(route));
        }
    }

    /// Requests go where the lane lands; `common` is done to all of them.
    pub(super) fn lane(&mut self, name: &str, clauses: &Clauses, landing: Landing, common: &Edits) {
        let Some(cluster) = landing.cluster else {
            return self.respond(name, clauses, 503);
        };
        let mut edits = landing.edits;
        edits.add.extend(common.add.iter().cloned());
        edits.remove.extend(common.remove.iter().cloned());
        self.push(name, clauses, &object(json!({ "route": { "cluster": cluster } })), &edits);
    }

    /// Requests are answered with this status.
    pub(super) fn respond(&mut self, name: &str, clauses: &Clauses, status: u16) {
        self.push(name, clauses, &object(json!({ "direct_response": { "status": status } })), &Edits::default());
    }

    /// Requests are split over lanes by their weights (S19, S20).
    pub(super) fn split(&mut self, name: &str, clauses: &Clauses, split: &Split<'_>, common: &Edits, filters: &mut Filters) {
        let sticky = split.rule.sticky.as_ref();
        let salt = sticky.and_then(|sticky| sticky.salt.as_deref());
        for key in sticky.iter().flat_map(|sticky| sticky.keys.iter().flatten()) {
            let has_key = key_present(filters, key, true);
            // Key tests are few and never of a path, so this cannot be refused but for its size, which was checked before.
            let Ok(clauses) = clauses.and(&has_key) else { continue };
            let policy = hash_policy(key, salt, filters);
            self.push(name, &clauses, &split.action(&[policy], None), common);
        }
        if let Some(generate) = sticky.and_then(|sticky| sticky.generate.as_ref()) {
            let key = Key::Cookie(generate.cookie.clone());
            let has_key = key_present(filters, &key, true);
            if let Ok(clauses) = clauses.and(&has_key) {
                let policy = hash_policy(&key, salt, filters);
                self.push(name, &clauses, &split.action(&[policy], None), common);
            }
            let policy = json!({ "filter_state": { "key": filters.generated_state(salt) } });
            let cookie =
                format!("{}={}; Max-Age={}; Path=/; HttpOnly", verbatim(&generate.cookie), filters.generated(), generate.ttl_seconds);
            let mut edits = common.clone();
            edits.respond.push(json!({ "header": { "key": "set-cookie", "value": cookie }, "append_action": "APPEND_IF_EXISTS_OR_ADD" }));
            return self.push(name, clauses, &split.action(&[policy], None), &edits);
        }
        self.push(name, clauses, &split.action(&[], split.roll_header), common);
    }
}

/// How to draw: the shares that can win, with where they lead.
pub(super) struct Split<'a> {
    pub(super) rule: &'a Rule,
    pub(super) shares: Vec<(u32, Landing)>,
    /// A header that gives the roll, for tests.
    pub(super) roll_header: Option<&'a str>,
}

/// The name of the cluster without endpoints, to which shares lead that nothing can serve.
pub(super) const NOBODY: &str = "lane/unavailable";

impl Split<'_> {
    /// The shares of a rule that can win.
    pub(super) fn winners(shares: &[Share]) -> impl Iterator<Item = &Share> {
        shares.iter().filter(|share| share.weight > 0)
    }

    fn action(&self, policy: &[Value], roll_header: Option<&str>) -> Map<String, Value> {
        let clusters = self.shares.iter().map(|(weight, landing)| {
            let mut cluster = object(json!({ "name": landing.cluster.as_deref().unwrap_or(NOBODY), "weight": weight }));
            landing.edits.write(&mut cluster);
            Value::Object(cluster)
        });
        let mut weighted = object(json!({ "clusters": clusters.collect::<Vec<_>>() }));
        let mut route = Map::new();
        if policy.is_empty() {
            if let Some(name) = roll_header {
                weighted.insert("header_name".into(), json!(name));
            }
        } else {
            weighted.insert("use_hash_policy".into(), json!(true));
            route.insert("hash_policy".into(), json!(policy));
        }
        route.insert("weighted_clusters".into(), Value::Object(weighted));
        object(json!({ "route": route }))
    }

    /// Whether clients are assigned otherwise than by lane.
    pub(super) fn reassigns(rule: &Rule) -> bool {
        let several = rule.split.iter().flat_map(|shares| Self::winners(shares)).nth(1).is_some();
        several && rule.sticky.as_ref().is_some_and(|sticky| sticky.method.is_none_or(|method| method == Method::Rendezvous))
    }
}

/// The policy that hashes a key as lane does: XXH64 with seed 0. Envoy's own policies know no salt.
fn hash_policy(key: &Key, salt: Option<&str>, filters: &mut Filters) -> Value {
    match (key, salt) {
        (Key::Header(name), None) => json!({ "header": { "header_name": name } }),
        (Key::Cookie(name), None) => json!({ "cookie": { "name": name } }),
        (Key::Query(name), None) => json!({ "query_parameter": { "name": name } }),
        (Key::SourceIp(_), None) => json!({ "connection_properties": { "source_ip": true } }),
        _ => json!({ "filter_state": { "key": filters.state(key, salt) } }),
    }
}
