//! matchit: a map of hosts, then its radix tree of paths. It knows nothing else, so its answer is a path, not a rule:
//! a lower bound for what finding the path costs.

use hashbrown::HashMap;
use matchit::Router;

use crate::rules::{Request, Rule, Test};

pub struct Paths {
    hosts: HashMap<String, Router<u64>>,
}

impl Paths {
    pub fn new(rules: &[Rule]) -> Self {
        let mut hosts: HashMap<String, Router<u64>> = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let path = match &rule.path {
                Test::Exact(path) => path.clone(),
                Test::Prefix(path) => format!("{path}{{*rest}}"),
                // Its literal beginning is the prefix of other rules.
                Test::Regex(_) | Test::Present => continue,
            };
            // Of equal paths the first one stands.
            let _ = hosts.entry(rule.host.clone()).or_default().insert(path, index as u64 + 1);
        }
        Self { hosts }
    }

    pub fn answer(&self, request: &Request) -> u64 {
        let host = request.uri.host().unwrap_or_default();
        self.hosts.get(host).and_then(|router| router.at(request.uri.path()).ok()).map_or(0, |found| *found.value)
    }
}

/// Nothing but the tree, asked with paths in hand.
pub struct Bare {
    router: Router<u64>,
    pub paths: Vec<String>,
}

impl Bare {
    /// So many prefixes; requests are spread over all of them.
    pub fn of_prefixes(count: usize, asked: usize) -> Self {
        let mut router = Router::new();
        for index in 0..count {
            router.insert(format!("/svc-{index}/{{*rest}}"), index as u64 + 1).expect("paths differ");
        }
        Self { router, paths: (0..asked).map(|index| format!("/svc-{}/v1/items/{index:08x}", index * 7_919 % count)).collect() }
    }

    /// The one path of the guiding-header mix, and that mix's requests.
    pub fn of_any(paths: Vec<String>) -> Self {
        let mut router = Router::new();
        router.insert("/{*rest}", 1).expect("the only path");
        Self { router, paths }
    }

    pub fn answer(&self, index: usize) -> u64 {
        self.router.at(&self.paths[index]).map_or(0, |found| *found.value)
    }
}
