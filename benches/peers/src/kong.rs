//! atc-router, the expression router of Kong: one expression a rule, its position as priority.

use atc_router::{
    ast::{Type, Value},
    context::Context,
    router::Router,
    schema::Schema,
};
use uuid::Uuid;

use crate::rules::{self, Request, Rule, Test};

pub struct Kong {
    schema: &'static Schema,
    router: Router<'static>,
    /// Headers and their fields.
    fields: Vec<(String, String)>,
}

impl Kong {
    pub fn new(rules: &[Rule]) -> Self {
        let fields: Vec<(String, String)> = rules::names(rules).into_iter().map(|name| (name.clone(), field(&name))).collect();
        let mut schema = Schema::default();
        for name in
            ["http.host", "http.method", "http.path", "http.query"].into_iter().chain(fields.iter().map(|(_, field)| field.as_str()))
        {
            schema.add_field(name, Type::String);
        }
        // A router borrows its schema; the few that are made live as long as the program.
        let schema: &'static Schema = Box::leak(Box::new(schema));
        let mut router = Router::new(schema);
        for (index, rule) in rules.iter().enumerate() {
            // The highest priority is tried first.
            router.add_matcher(rules.len() - index, Uuid::from_u128(index as u128 + 1), &expression(rule)).expect("an expression");
        }
        Self { schema, router, fields }
    }

    /// With the context made from the request, as its users have to.
    pub fn answer(&self, request: &Request) -> u64 {
        let mut context = Context::new(self.schema);
        let mut add = |name: &str, value: &str| context.add_value(name, Value::String(value.to_owned()));
        add("http.host", request.uri.host().unwrap_or_default());
        add("http.method", request.method.as_str());
        add("http.path", request.uri.path());
        if let Some(query) = request.uri.query() {
            add("http.query", query);
        }
        for (name, field) in &self.fields {
            if let Some(value) = request.header(name) {
                add(field, value);
            }
        }
        self.router.execute(&mut context);
        context.result.map_or(0, |found| found.uuid.as_u128() as u64)
    }
}

fn field(name: &str) -> String {
    format!("http.headers.{}", name.replace('-', "_"))
}

fn expression(rule: &Rule) -> String {
    let mut tests = vec![test("http.host", &Test::Exact(rule.host.clone())), test("http.path", &rule.path)];
    tests.extend(rule.method.iter().map(|method| test("http.method", &Test::Exact(method.clone()))));
    tests.extend(rule.headers.iter().map(|(name, header)| test(&field(name), header)));
    tests.extend(rule.cookie.iter().map(|cookie| format!("http.headers.cookie ~ r#\"{}\"#", rules::cookie_regex(cookie))));
    tests.extend(rule.query.iter().map(|query| format!("http.query ~ r#\"{}\"#", rules::query_regex(query))));
    tests.join(" && ")
}

fn test(field: &str, test: &Test) -> String {
    match test {
        Test::Exact(text) => format!("{field} == \"{text}\""),
        Test::Prefix(text) => format!("{field} ^= \"{text}\""),
        Test::Regex(_) | Test::Present => format!("{field} ~ r#\"{}\"#", test.anchored()),
    }
}
