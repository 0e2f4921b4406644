//! Reading the configuration document: groups, lanes, services and rules as written, with the defaults of section 2.
//! Nothing is prepared ahead: every question walks the JSON again.

use super::attribute::service_name;
use serde_json::Value;

/// The items of a list that may be left out.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The entries of a map that may be left out.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().filter_map(Value::as_str).collect()
}

pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

pub(super) fn groups(config: &Value) -> Vec<Group<'_>> {
    list(&config["groups"]).iter().map(|json| Group { json }).collect()
}

/// The groups that hold a service of this name, in document order (S21).
pub(super) fn groups_of<'a>(config: &'a Value, name: &str) -> Vec<Group<'a>> {
    let mut found = groups(config);
    found.retain(|group| group.service(name).is_some());
    found
}

#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    json: &'a Value,
}

impl<'a> Group<'a> {
    pub(super) fn is(self, other: Group<'_>) -> bool {
        self.name() == other.name()
    }

    pub(super) fn name(self) -> &'a str {
        text(self.json, "name")
    }

    pub(super) fn permissive(self) -> bool {
        text(self.json, "mode") == "permissive"
    }

    /// S16: groups without `gateways` hold at every gateway.
    pub(super) fn holds_at(self, gateway: &str) -> bool {
        self.json["gateways"].is_null() || texts(&self.json["gateways"]).contains(&gateway)
    }

    /// The guiding header's name as configured.
    pub(super) fn guiding(self) -> &'a str {
        self.json["guiding_header"].as_str().unwrap_or("x-asm-prefer-tag")
    }

    pub(super) fn baggage_key(self) -> Option<&'a str> {
        self.json["context"]["baggage"].as_str()
    }

    pub(super) fn trace_header(self) -> Option<&'a str> {
        self.json["context"]["trace_id"].as_str()
    }

    pub(super) fn restore_headers(self) -> Vec<&'a str> {
        texts(&self.json["restore_headers"])
    }

    pub(super) fn baseline(self) -> Option<&'a str> {
        self.json["baseline"].as_str()
    }

    /// S2: the default is `baseline` in permissive mode and `reject` in strict mode.
    pub(super) fn unknown_lane(self) -> &'a str {
        let default = if self.permissive() { "baseline" } else { "reject" };
        self.json["unknown_lane"].as_str().unwrap_or(default)
    }

    pub(super) fn keeps_lane(self) -> bool {
        self.json["keep_lane"] == true
    }

    pub(super) fn trusts_client(self) -> bool {
        self.json["trust_client"] == true
    }

    pub(super) fn joins_header_lines(self) -> bool {
        self.json["header_values"] == "joined"
    }

    /// The service of this host or alias (S13, S21).
    pub(super) fn service(self, name: &str) -> Option<&'a Value> {
        let name = service_name(name);
        list(&self.json["services"]).iter().find(|service| {
            let aliases = texts(&service["aliases"]);
            service_name(text(service, "host")) == name || aliases.iter().any(|alias| service_name(alias) == name)
        })
    }

    pub(super) fn lanes(self) -> &'a [Value] {
        list(&self.json["lanes"])
    }

    pub(super) fn lane(self, name: &[u8]) -> Option<&'a Value> {
        let mut lanes = self.lanes().iter();
        lanes.find(|lane| text(lane, "name").as_bytes() == name)
    }

    /// The name as the document has it, when it names a lane of this group.
    pub(super) fn lane_name(self, name: &[u8]) -> Option<&'a str> {
        self.lane(name).map(|lane| text(lane, "name"))
    }

    pub(super) fn rules(self) -> &'a [Value] {
        list(&self.json["rules"])
    }

    /// A lane's services default to all of the group's.
    pub(super) fn lane_contains(self, lane: &Value, host: &str) -> bool {
        lane["services"].is_null() || texts(&lane["services"]).contains(&host)
    }

    pub(super) fn tag_label(self) -> &'a str {
        self.json["tag_label"].as_str().unwrap_or("ASM_TRAFFIC_TAG")
    }

    /// The label's value; it defaults to the lane's name.
    pub(super) fn service_tag(self, lane: &'a Value) -> &'a str {
        lane["service_tag"].as_str().unwrap_or_else(|| text(lane, "name"))
    }

    /// S29: `{tag_label: service_tag}` unless the lane gives others for this service.
    pub(super) fn subset_labels(self, lane: &'a Value, host: &str) -> Vec<(&'a str, &'a str)> {
        match lane["labels"][host].as_object() {
            Some(labels) => labels.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect(),
            None => vec![(self.tag_label(), self.service_tag(lane))],
        }
    }

    /// S2, S3: left out in permissive mode it is the baseline, for every lane but the baseline itself.
    pub(super) fn fallback(self, lane: &'a Value) -> Vec<&'a str> {
        if !lane["fallback"].is_null() {
            return texts(&lane["fallback"]);
        }
        match self.baseline() {
            Some(baseline) if self.permissive() && text(lane, "name") != baseline => {
                vec![baseline]
            }
            _ => Vec::new(),
        }
    }
}

/// Whether a rule holds `at` this place; gateways are the default.
pub(super) fn rule_at(rule: &Value, place: &str) -> bool {
    match rule["at"].as_array() {
        Some(places) => places.iter().any(|at| at == place),
        None => place == "gateway",
    }
}
