//! wirefilter-engine: one filter a rule, run in order behind a map of hosts. Prefixes are ranges of bytes, which is
//! faster there than a regex. A field without a value stops it, so what is absent is empty.

use std::{collections::HashMap, fmt::Write};

use wirefilter::{ExecutionContext, Filter, Scheme, Type};

use crate::rules::{self, Request, Rule, Test};

pub struct Wirefilter {
    scheme: &'static Scheme,
    hosts: HashMap<String, Vec<(u64, Filter<'static>)>>,
    /// Headers and their fields.
    fields: Vec<(String, String)>,
}

impl Wirefilter {
    pub fn new(rules: &[Rule]) -> Self {
        let fields: Vec<(String, String)> = rules::names(rules).into_iter().map(|name| (name.clone(), field(&name))).collect();
        let mut scheme = Scheme::new();
        for name in ["method", "path", "query"].into_iter().chain(fields.iter().map(|(_, field)| field.as_str())) {
            scheme.add_field(name.to_owned(), Type::Bytes).expect("fields differ");
        }
        // Filters borrow their scheme; the few that are made live as long as the program.
        let scheme: &'static Scheme = Box::leak(Box::new(scheme));
        let mut hosts: HashMap<String, Vec<(u64, Filter<'static>)>> = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let text: &'static str = Box::leak(filter(rule).into_boxed_str());
            let filter = scheme.parse(text).unwrap_or_else(|error| panic!("wirefilter refuses `{text}`: {error}")).compile();
            hosts.entry(rule.host.clone()).or_default().push((index as u64 + 1, filter));
        }
        Self { scheme, hosts, fields }
    }

    /// With the context made from the request, as its users have to. Its types want values that live as long as the
    /// filters; requests of the bench live as long as the program.
    pub fn answer(&self, request: &'static Request) -> u64 {
        let mut context = ExecutionContext::new(self.scheme);
        let mut set = |name: &str, value: &'static str| context.set_field_value(name, value).expect("all fields are bytes");
        set("method", request.method.as_str());
        set("path", request.uri.path());
        set("query", request.uri.query().unwrap_or_default());
        for (name, field) in &self.fields {
            set(field, request.header(name).unwrap_or_default());
        }
        let filters = self.hosts.get(request.uri.host().unwrap_or_default());
        let first = filters.into_iter().flatten().find(|(_, filter)| filter.execute(&context).expect("one scheme"));
        first.map_or(0, |(number, _)| *number)
    }
}

fn field(name: &str) -> String {
    format!("header.{}", name.replace('-', "_"))
}

fn filter(rule: &Rule) -> String {
    let mut text = test("path", &rule.path);
    let mut and = |more: String| write!(text, " && {more}").expect("writing to a string cannot fail");
    if let Some(method) = &rule.method {
        and(test("method", &Test::Exact(method.clone())));
    }
    for (name, header) in &rule.headers {
        and(test(&field(name), header));
    }
    if let Some(cookie) = &rule.cookie {
        and(format!("header.cookie matches \"{}\"", quoted(&rules::cookie_regex(cookie))));
    }
    if let Some(query) = &rule.query {
        and(format!("query matches \"{}\"", quoted(&rules::query_regex(query))));
    }
    text
}

fn test(field: &str, test: &Test) -> String {
    match test {
        Test::Exact(text) => format!("{field} == \"{text}\""),
        Test::Prefix(text) => {
            let mut end = text.clone().into_bytes();
            *end.last_mut().expect("prefixes are not empty") += 1;
            format!("({field} >= \"{text}\" && {field} < \"{}\")", String::from_utf8_lossy(&end))
        }
        Test::Regex(_) => format!("{field} matches \"{}\"", quoted(&test.anchored())),
        Test::Present => format!("{field} != \"\""),
    }
}

/// Regexes are taken as they stand between quotes.
fn quoted(regex: &str) -> String {
    regex.replace('"', "\\\"")
}
