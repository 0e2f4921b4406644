//! The cluster specifier: Envoy asks for the cluster while it resolves a route. Header changes are left in the route's
//! metadata under `lane`, where `%METADATA(ROUTE:lane:NAME)%` in the route's own configuration picks them up.

use crate::{
    abi::{HeaderLines, Hosts, Selection, Store},
    decide::{Host, Instance, Scratch, Verdict},
    settings::{Role, Settings},
};

/// The cluster specifier of one route.
#[derive(Debug)]
pub struct Specifier(Instance);

impl<'i> Host<'i> for Selection {
    const STATES_ALL: bool = true;

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

impl Specifier {
    /// Reads what was configured.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(config: &[u8]) -> Result<Self, String> {
        let settings = Settings::read(config)?;
        if settings.role == Role::Inbound && settings.pass_cluster.is_none() {
            return Err("a cluster specifier in the role `inbound` needs `pass_cluster`, the cluster of the workload".to_owned());
        }
        Instance::new(settings).map(Self)
    }

    /// Chooses the cluster of one request.
    pub fn select(&self, mut selection: Selection) {
        Scratch::lend(|scratch| {
            let verdict = if self.0.settings.role == Role::Inbound {
                self.0.arrive(&selection, scratch);
                Verdict::Pass
            } else {
                self.0.decide(&mut selection, scratch)
            };
            for (name, value) in scratch.changes().iter() {
                // Removing is the route's own: `request_headers_to_remove` goes first.
                if let Some(value) = value {
                    selection.set_metadata(name, value);
                }
            }
            if !scratch.cookie.is_empty() {
                selection.set_metadata("set-cookie", scratch.cookie.as_bytes());
            }
            match (verdict, &self.0.settings.pass_cluster) {
                (Verdict::Cluster(cluster), _) => selection.set_cluster(cluster),
                (Verdict::Pass, Some(cluster)) => selection.set_cluster(cluster),
                (Verdict::Pass, None) => selection.answer(404, "lane_pass"),
                (Verdict::Answer { status, why }, _) => selection.answer(status, why),
            }
        });
    }
}
