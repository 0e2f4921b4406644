//! The route specifier: Envoy has found a route and asks what is to be different. Cluster, headers and cookie go into that
//! route at once, so nothing is handed over between extensions and the route is looked for once.

use crate::{
    abi::{HeaderLines, Hosts, Routing, Store},
    decide::{Host, Instance, Scratch, Verdict},
    settings::{Role, Settings},
};

/// The route specifier of a route or a virtual host.
#[derive(Debug)]
pub struct RouteSpecifier(Instance);

impl<'i> Host<'i> for Routing {
    const STATES_ALL: bool = false;

    fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        Self::headers(self, store)
    }

    fn roll(&self) -> Option<u64> {
        Self::roll(self)
    }

    fn source_address(&self) -> Option<&[u8]> {
        Self::source_address(self)
    }

    fn hosts(&mut self, cluster: &'i str) -> Option<Hosts> {
        Self::hosts(self, cluster)
    }
}

impl RouteSpecifier {
    /// Reads what was configured.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(config: &[u8]) -> Result<Self, String> {
        let settings = Settings::read(config)?;
        if settings.role == Role::Filter {
            return Err("the role `filter` is for cluster specifiers, which then leave the decision to the filter".to_owned());
        }
        Instance::new(settings).map(Self)
    }

    /// Changes the route of one request; one that lane leaves alone keeps its own cluster unless `pass_cluster` names another.
    pub fn route(&self, mut routing: Routing) {
        let Self(instance) = self;
        Scratch::lend(|scratch| {
            if instance.settings.role == Role::Inbound {
                return instance.arrive(&routing, scratch);
            }
            let verdict = instance.decide(&mut routing, scratch);
            for (name, value) in scratch.changes().iter() {
                match value {
                    Some(value) => routing.set_request_header(name, value),
                    None => routing.remove_request_header(name),
                }
            }
            if !scratch.cookie.is_empty() {
                routing.add_response_header("set-cookie", scratch.cookie.as_bytes());
            }
            match (verdict, &instance.settings.pass_cluster) {
                (Verdict::Cluster(cluster), _) => routing.set_cluster(cluster),
                (Verdict::Pass, Some(cluster)) => routing.set_cluster(cluster),
                (Verdict::Pass, None) => {}
                (Verdict::Answer { status, why }, _) => routing.answer(status, why),
            }
        });
    }
}
