//! What a configuration reads of a request: which columns a table must have for its decisions to be right, and
//! whether the headers that it has are all that matter.

use std::collections::BTreeSet;

use lane_core::config::{At, Config, Context, Entry, Group, Key, LaneFrom, Rule};

/// What the rules and the context of a configuration read.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Header names, lower case.
    pub(super) headers: BTreeSet<String>,
    pub(super) cookies: BTreeSet<String>,
    pub(super) labels: BTreeSet<String>,
    /// Groups whose context is a trace id.
    pub(super) remembered: BTreeSet<String>,
    /// Attributes of which the engine cannot say "not recorded", by the names of their columns.
    pub(super) others: BTreeSet<&'static str>,
}

impl Needs {
    /// What decisions at gateways read, or decisions at hops.
    pub(super) fn of(config: &Config, at: At) -> Self {
        let mut needs = Self::default();
        for group in &config.groups {
            needs.group(group, at);
        }
        needs
    }

    fn header(&mut self, name: &str) {
        self.headers.insert(name.to_ascii_lowercase());
    }

    fn cookie(&mut self, name: &str) {
        self.cookies.insert(name.into());
        self.header("cookie");
    }

    fn group(&mut self, group: &Group, at: At) {
        let tag = group.tag_label.as_deref().unwrap_or("ASM_TRAFFIC_TAG");
        if at == At::Hop {
            self.header(group.guiding_header.as_deref().unwrap_or("x-asm-prefer-tag"));
            self.labels.insert(tag.into());
            let labels = group.lanes.iter().flat_map(|lane| lane.labels.values()).flat_map(|labels| labels.keys());
            self.labels.extend(labels.cloned());
            match &group.context {
                Some(Context::Baggage(_)) => self.header("baggage"),
                Some(Context::TraceId(_)) => {
                    self.remembered.insert(group.name.clone());
                }
                None | Some(Context::Header) => {}
            }
        } else if group.keep_lane {
            self.header(group.guiding_header.as_deref().unwrap_or("x-asm-prefer-tag"));
        }
        let holds = |rule: &&Rule| rule.at.as_ref().map_or(at == At::Gateway, |places| places.contains(&at));
        for rule in group.rules.iter().filter(holds) {
            self.rule(rule);
        }
    }

    fn rule(&mut self, rule: &Rule) {
        if rule.hosts.as_ref().is_some_and(|hosts| !hosts.iter().any(|host| host == "*")) {
            self.others.insert("authority");
        }
        for entry in rule.matches.iter().flatten() {
            self.entry(entry);
        }
        match &rule.lane_from {
            Some(LaneFrom::Header(name)) => self.header(name),
            Some(LaneFrom::Cookie(name)) => self.cookie(name),
            Some(LaneFrom::Baggage(_)) => self.header("baggage"),
            Some(LaneFrom::Query(_)) => {
                self.others.insert("path");
            }
            None => {}
        }
        if let Some(sticky) = &rule.sticky {
            sticky.keys.iter().flatten().for_each(|key| self.key(key));
            if let Some(generate) = &sticky.generate {
                self.cookie(&generate.cookie);
            }
        }
    }

    fn key(&mut self, key: &Key) {
        match key {
            Key::Cookie(name) => self.cookie(name),
            Key::Header(name) | Key::TraceId(name) => self.header(name),
            Key::Baggage(_) => self.header("baggage"),
            Key::Query(_) => {
                self.others.insert("path");
            }
            Key::SourceIp(_) => {
                self.others.insert("source_ip");
            }
        }
    }

    fn entry(&mut self, entry: &Entry) {
        if entry.method.is_some() {
            self.others.insert("method");
        }
        if entry.path.is_some() || !entry.query.is_empty() {
            self.others.insert("path");
        }
        entry.headers.keys().for_each(|name| self.header(name));
        entry.cookies.keys().for_each(|name| self.cookie(name));
        if !entry.baggage.is_empty() {
            self.header("baggage");
        }
        if let Some(source) = &entry.source {
            if source.service.is_some() {
                self.others.insert("source_service");
            }
            if source.ip.is_some() {
                self.others.insert("source_ip");
            }
            if !source.labels.is_empty() {
                self.others.insert("source_labels");
                self.labels.extend(source.labels.keys().cloned());
            }
        }
        if let Some(percent) = &entry.percent {
            self.key(&percent.of);
        }
        for entry in entry.all.iter().chain(&entry.any).flatten().chain(entry.not.as_deref()) {
            self.entry(entry);
        }
    }
}
