//! What stock filters of Envoy find out before a route is chosen: members of the baggage, keys with their salt, the
//! share to which a key belongs, the value of a cookie that a client is to be given. Routes test and print it as
//! metadata of the namespace `lane`, or hash it as filter state. None of the filters runs code of ours.

use lane_core::config::Key;
use serde_json::{Value, json};

use super::{
    pattern::{self, Outside},
    route::verbatim,
};

/// The namespace of the metadata.
pub(super) const NAMESPACE: &str = "lane";
/// The filter state that holds the caller's address; Envoy knows it by this name.
pub(super) const ADDRESS: &str = "envoy.network.ip";

/// The headers in which one filter hands a text to the next; they are gone before the request leaves.
const LIST: &str = "x-lane-baggage";
const UNIQUE: &str = "x-lane-unique";

/// What the routes of one listener need.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filters {
    members: Vec<String>,
    values: Vec<String>,
    rests: Vec<Vec<String>>,
    bares: Vec<Vec<String>>,
    cookies: Vec<String>,
    queries: Vec<String>,
    traces: Vec<String>,
    states: Vec<String>,
    percents: Vec<(usize, u32)>,
    generates: bool,
    address: bool,
}

fn number<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

impl Filters {
    /// None yet.
    pub(super) const EMPTY: Self = Self {
        members: Vec::new(),
        values: Vec::new(),
        rests: Vec::new(),
        bares: Vec::new(),
        cookies: Vec::new(),
        queries: Vec::new(),
        traces: Vec::new(),
        states: Vec::new(),
        percents: Vec::new(),
        generates: false,
        address: false,
    };

    /// The metadata that holds a member's value behind a `=`; nothing where there is no such member.
    pub(super) fn member(&mut self, key: &str) -> String {
        format!("member{}", number(&mut self.members, key.into()))
    }

    /// A text that prints a member's value.
    pub(super) fn value(&mut self, key: &str) -> String {
        printed("value", number(&mut self.values, key.into()))
    }

    /// A text that prints the list without the members of these keys: each behind a `,`.
    pub(super) fn rest(&mut self, keys: &[String]) -> String {
        printed("rest", number(&mut self.rests, keys.into()))
    }

    /// The same, without a `,` in front.
    pub(super) fn bare(&mut self, keys: &[String]) -> String {
        printed("bare", number(&mut self.bares, keys.into()))
    }

    /// A text that prints a fresh cookie: 16 lower-case hex digits.
    pub(super) fn generated(&mut self) -> String {
        self.generates = true;
        "%DYNAMIC_METADATA(lane:generated)%".into()
    }

    /// The caller's address is tested.
    pub(super) const fn needs_address(&mut self) {
        self.address = true;
    }

    /// The filter state that hashes to XXH64 of a key behind its salt (S14, S20).
    pub(super) fn state(&mut self, key: &Key, salt: Option<&str>) -> String {
        let key = self.key(key);
        self.hashed(&key, salt)
    }

    /// The filter state for the fresh cookie.
    pub(super) fn generated_state(&mut self, salt: Option<&str>) -> String {
        let key = self.generated();
        self.hashed(&key, salt)
    }

    fn hashed(&mut self, key: &str, salt: Option<&str>) -> String {
        let text = match salt {
            Some(salt) => format!("{}\0{key}", verbatim(salt)),
            None => key.to_owned(),
        };
        state(number(&mut self.states, text))
    }

    /// The metadata that says whether a key's bucket is below a share, in hundredths of a percent (S14).
    pub(super) fn percent(&mut self, key: &Key, salt: &str, below: u32) -> String {
        let key = self.key(key);
        let text = format!("{}\0{key}", verbatim(salt));
        let state = number(&mut self.states, text);
        format!("percent{}", number(&mut self.percents, (state, below)))
    }

    /// A text that prints a key's value.
    fn key(&mut self, key: &Key) -> String {
        match key {
            Key::Header(name) => format!("%REQ({name})%"),
            Key::Cookie(name) => printed("cookie", number(&mut self.cookies, name.clone())),
            Key::Query(name) => printed("query", number(&mut self.queries, name.clone())),
            Key::Baggage(name) => self.value(name),
            Key::TraceId(name) if is_structured(name) => printed("trace", number(&mut self.traces, name.to_ascii_lowercase())),
            Key::TraceId(name) => format!("%REQ({name})%"),
            Key::SourceIp(_) => "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%".into(),
        }
    }

    /// Filters of the connection, in front of the HTTP connection manager.
    pub(super) fn network_filters(&self) -> Vec<Value> {
        if !self.address {
            return Vec::new();
        }
        let config = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config",
            "on_new_connection": [{ "object_key": ADDRESS, "format_string": format_string("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%") }],
        });
        vec![json!({ "name": "lane.address", "typed_config": config })]
    }

    /// HTTP filters, in front of the router.
    pub(super) fn http_filters(&self) -> Vec<Value> {
        let mut filters = Vec::new();
        let list = !(self.members.is_empty() && self.values.is_empty() && self.rests.is_empty() && self.bares.is_empty());

        let mut rules = Vec::new();
        if list {
            rules.push(json!({ "header": "baggage", "on_header_present": { "metadata_namespace": NAMESPACE, "key": "baggage" } }));
        }
        for (index, name) in self.cookies.iter().enumerate() {
            let key = format!("cookie{index}");
            rules.push(json!({ "cookie": name, "on_header_present": { "metadata_namespace": NAMESPACE, "key": key } }));
        }
        for (index, name) in self.queries.iter().enumerate() {
            let pattern = format!("^{}=([^&#]*).*$", before_query_value(name));
            rules.push(extract(":path", &format!("query{index}"), &pattern, r"\1"));
        }
        for (index, name) in self.traces.iter().enumerate() {
            let pattern = if name == "b3" { "^([^-]*).*$" } else { "^[^-]*-([^-]*).*$" };
            rules.push(extract(name, &format!("trace{index}"), pattern, r"\1"));
        }
        filters.extend(to_metadata("lane.request", rules));

        // One filter's metadata comes to the next as a header. The list gets a `,` in front, so that all members look alike.
        let hands_over = [(list, LIST, ",%DYNAMIC_METADATA(lane:baggage)%"), (self.generates, UNIQUE, "%UNIQUE_ID%")];
        let mutations = hands_over.iter().filter(|(needed, ..)| *needed).map(
            |(_, name, value)| json!({ "append": { "header": { "key": name, "value": value }, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" } }),
        );
        let mutations: Vec<Value> = mutations.collect();
        if !mutations.is_empty() {
            let config = json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                "mutations": { "request_mutations": mutations },
            });
            filters.push(json!({ "name": "lane.hand_over", "typed_config": config }));
        }
        filters.extend(to_metadata("lane.baggage", self.list_rules()));

        for_states(&self.states, &mut filters);
        for (index, (of, below)) in self.percents.iter().enumerate() {
            filters.push(percent(index, *of, *below));
        }
        if !filters.is_empty() {
            // Routes are chosen before the first filter runs; this lets them be chosen again.
            let config = json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
                "on_request_headers": [{ "object_key": "lane.ready", "factory_key": "envoy.string", "format_string": format_string("ready") }],
                "clear_route_cache": true,
            });
            filters.push(json!({ "name": "lane.ready", "typed_config": config }));
        }
        filters
    }

    /// Rules that read the list and the fresh name, the last of each removing its header.
    fn list_rules(&self) -> Vec<Value> {
        const OCTETS: &str = r"[!#-+\--:<-\[\]-~]*";
        let mut rules = Vec::new();
        let mut end = 0;
        for (index, key) in self.members.iter().enumerate() {
            // The last of a repeated key counts: what is in front is taken greedily (S27).
            let key = pattern::literal(key, false);
            let pattern = format!("^.*,[ \\t]*{key}[ \\t]*(=)[ \\t]*({OCTETS})[ \\t]*(?:;[^,]*)?(?:,.*)?$|.*");
            rules.push(extract(LIST, &format!("member{index}"), &pattern, r"\1\2"));
        }
        for (index, key) in self.values.iter().enumerate() {
            let key = pattern::literal(key, false);
            let pattern = format!("^.*,[ \\t]*{key}[ \\t]*=[ \\t]*({OCTETS})[ \\t]*(?:;[^,]*)?(?:,.*)?$|.*");
            rules.push(extract(LIST, &format!("value{index}"), &pattern, r"\1"));
        }
        for (name, lists, bare) in [("rest", &self.rests, false), ("bare", &self.bares, true)] {
            for (index, keys) in lists.iter().enumerate() {
                let keys: Vec<String> = keys.iter().map(|key| pattern::literal(key, false)).collect();
                // A member that goes, or an empty one.
                let gone = format!(r",[ \t]*(?:{}[ \t]*=[ \t]*{OCTETS}[ \t]*(?:;[^,]*)?)?", pattern::alternatives(keys));
                let (first, substitution) =
                    if bare { (format!(r"^(?:{gone})*,[ \t]*([^, \t])|"), r"\1\2\3") } else { (String::new(), r"\1\2") };
                let pattern = format!(r"(?:{gone})+$|{first}(?:{gone})*(,)[ \t]*([^, \t])");
                rules.push(extract(LIST, &format!("{name}{index}"), &pattern, substitution));
            }
        }
        if let Some(Value::Object(last)) = rules.last_mut() {
            last.insert("remove".into(), json!(true));
            end = rules.len();
        }
        if self.generates {
            rules.push(extract(UNIQUE, "generated", "^(.{8})-(.{4})-.{4}-.{4}-(.{4}).*$", r"\1\2\3"));
        }
        if rules.len() > end
            && let Some(Value::Object(last)) = rules.last_mut()
        {
            last.insert("remove".into(), json!(true));
        }
        rules
    }
}

fn printed(kind: &str, index: usize) -> String {
    format!("%DYNAMIC_METADATA({NAMESPACE}:{kind}{index})%")
}

fn state(index: usize) -> String {
    format!("lane.key{index}")
}

fn format_string(text: &str) -> Value {
    json!({ "text_format_source": { "inline_string": text } })
}

fn extract(header: &str, key: &str, pattern: &str, substitution: &str) -> Value {
    let rewrite = json!({ "pattern": { "regex": pattern }, "substitution": substitution });
    json!({ "header": header, "on_header_present": { "metadata_namespace": NAMESPACE, "key": key, "regex_value_rewrite": rewrite } })
}

fn to_metadata(name: &str, rules: Vec<Value>) -> Option<Value> {
    let config = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
        "request_rules": rules,
    });
    (!rules.is_empty()).then(|| json!({ "name": name, "typed_config": config }))
}

fn for_states(states: &[String], filters: &mut Vec<Value>) {
    let objects = states.iter().enumerate().map(
        |(index, text)| json!({ "object_key": state(index), "factory_key": "envoy.hashable_string", "format_string": format_string(text) }),
    );
    let objects: Vec<Value> = objects.collect();
    if !objects.is_empty() {
        let config = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
            "on_request_headers": objects,
        });
        filters.push(json!({ "name": "lane.keys", "typed_config": config }));
    }
}

/// Sets a flag unless the key's bucket lies above the share.
fn percent(index: usize, of: usize, below: u32) -> Value {
    let input = json!({
        "name": "key",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.FilterStateInput",
            "key": state(of),
        },
    });
    let hashing = json!({
        "name": "bucket",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.matching.input_matchers.consistent_hashing.v3.ConsistentHashing",
            "threshold": below,
            "modulo": 10_000,
        },
    });
    let skip = json!({
        "name": "skip",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter" },
    });
    let set = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
        "metadata": [{ "metadata_namespace": NAMESPACE, "value": { format!("percent{index}"): true }, "allow_overwrite": true }],
    });
    let matcher =
        json!({ "predicate": { "single_predicate": { "input": input, "custom_match": hashing } }, "on_match": { "action": skip } });
    json!({
        "name": format!("lane.percent{index}"),
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            "xds_matcher": { "matcher_list": { "matchers": [matcher] } },
            "extension_config": { "name": "set_metadata", "typed_config": set },
        },
    })
}

/// What stands in a path in front of the first value of a query parameter, up to the name (S12).
pub(super) fn before_query_value(name: &str) -> String {
    let other = pattern::but(name, Outside("=&#"));
    format!(r"[^?#]*\?(?:{other}(?:=[^&#]*)?&)*{}", pattern::literal(name, false))
}

fn is_structured(header: &str) -> bool {
    ["traceparent", "b3"].iter().any(|name| header.eq_ignore_ascii_case(name))
}

/// The values of a trace header that hold an id (S28).
pub(super) fn trace_pattern(header: &str) -> &'static str {
    const TRACEPARENT: &str = "(?:00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\
        |(?:0[1-9a-f]|[1-9a-e][0-9a-f]|f[0-9a-e])-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)";
    const B3: &str = "(?:[0-9a-f]{16}|[0-9a-f]{32})-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?";
    match header {
        name if name.eq_ignore_ascii_case("traceparent") => TRACEPARENT,
        name if name.eq_ignore_ascii_case("b3") => B3,
        _ => ".+",
    }
}

/// Those among them that hold none after all: ids of zeros only.
pub(super) fn zero_pattern(header: &str) -> Option<&'static str> {
    header.eq_ignore_ascii_case("traceparent").then_some("..-(?:0{32}-.*|[^-]*-0{16}-.*)")
}
