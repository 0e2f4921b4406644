//! `lane trace`: many requests through the whole chain.

use std::path::PathBuf;

use clap::Args;
use lane_core::config::Group;
use lane_formats::{
    Loaded,
    chain::{Chain, TraceOptions, table, trace},
    request::{Ask, Place},
};

use crate::{
    failure::{Exit, Failure, Outcome},
    progress::Progress,
    requests::{RequestFlags, down, gateway, group_named, strange_gateway, strange_service},
    source,
    streams::Streams,
};

mod picture;
mod tally;
mod vary;

use picture::Names;
use tally::Tally;
use vary::Variation;

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Sends requests through a gateway and every call of the chain, with the lane carried as the configuration says, and shows \
    which version of each service they meet, who serves each lane at each service, and how a split shares them out.\n\n\
    The requests are alike but for what a split draws by. Without `sticky`, each has a roll of its own; the rolls are spread \
    evenly, so that the shares come out as exactly as `-n` allows, or drawn at random by `--seed`. With `sticky`, each is \
    another client: the first of the split's keys gets the values `user-1`, `user-2` and so on, unless the request already \
    carries one of the keys. `--key VALUE` makes them all the same client, `--key ''` clients without a key. Where the lane \
    travels by trace id, each request that has none gets one.";

/// Arguments of `lane trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lane trace lanes.yaml                              100 requests, lane table, shares
  lane trace lanes.yaml /mock -H 'x-lane: s2' -n 5   each of five requests
  lane trace lanes.yaml --down mockb/v3              what if mockb is down in lane v3
  lane trace lanes.yaml --chain a,c --key user-7     another chain, one client

The version shown is the value of the serving endpoints' tag label.
Exit codes: 0 done, 1 errors in the configuration, 2 bad usage or unreadable input.")]
pub struct Trace {
    /// Configuration; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    request: RequestFlags,
    /// How many requests
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
    /// The services in the order in which they are called [default: those of the group in document order]
    #[arg(long, value_name = "SERVICE,…", value_delimiter = ',')]
    chain: Option<Vec<String>>,
    /// The group whose chain and lanes are shown [default: the one that decides]
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Gateway at which the requests arrive [default: the only one that the configuration, or the group, names]
    #[arg(long, value_name = "NAME")]
    gateway: Option<String>,
    /// The client's key in a sticky split, the same for all requests
    #[arg(long, value_name = "VALUE")]
    key: Option<String>,
    /// Draw rolls and clients at random, always the same ones for the same number
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// No endpoint of the service is healthy in this lane; may be repeated
    #[arg(long, value_name = "SERVICE/LANE")]
    down: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Trace {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let loaded = source::load(&self.file, streams)?;
        let group = self.group.as_deref().map(|name| group_named(&loaded.config, name)).transpose()?;
        let ask = self.ask(&loaded, group)?;
        let services = self.chain.clone().or_else(|| group.map(hosts));
        self.remark(&loaded, services.as_deref(), streams)?;
        let follow = |ask: Ask| {
            trace(&loaded.router, &loaded.config, &TraceOptions { ask, services: services.clone() })
                .map_err(|error| Failure::new(error.to_string()))
        };

        let variation = Variation::of(&loaded, &ask, self.number, self.key.as_deref(), self.seed)?;
        let mut tally = Tally::new(self.number <= picture::EACH && !self.json);
        let mut progress = Progress::new(streams.watched, Some(self.number.into()));
        let names = Names::new(&loaded);
        for position in 0..self.number {
            let chain = follow(variation.apply(&ask, position))?;
            tally.add(chain, &names);
            progress.show(u64::from(position) + 1, u64::from(position) + 1);
        }
        progress.close();
        let table = match group {
            Some(group) => {
                Some(table(&loaded.router, group, &ask.liveness(&loaded.router).map_err(|error| Failure::new(error.to_string()))?))
            }
            None => tally.table.take(),
        };
        if self.json {
            picture::json(&tally, table, streams)?;
        } else {
            picture::write(&tally, table.as_ref(), &names, streams)?;
        }
        Ok(Exit::Done)
    }

    /// The request that all others are like.
    fn ask(&self, loaded: &Loaded, group: Option<&Group>) -> Result<Ask, Failure> {
        let of_group = group.and_then(|group| group.gateways.as_ref()).and_then(|gateways| gateways.first());
        let gateway = match (&self.gateway, of_group) {
            (None, Some(first)) => first.clone(),
            (given, _) => gateway(&loaded.config, given.as_deref())?,
        };
        let mut ask = Ask::new(Place::Ingress { gateway });
        self.request.describe(&mut ask)?;
        ask.live = down(&loaded.router, &self.down)?;
        Ok(ask)
    }

    /// Says what is probably a slip.
    fn remark(&self, loaded: &Loaded, services: Option<&[String]>, streams: &mut Streams<'_>) -> Result<(), Failure> {
        let gateway = strange_gateway(&loaded.config, self.gateway.as_deref());
        let services = services.unwrap_or_default().iter().filter_map(|service| strange_service(&loaded.router, service));
        gateway.into_iter().chain(services).try_for_each(|note| streams.note(&note))
    }
}

fn hosts(group: &Group) -> Vec<String> {
    group.services.iter().map(|service| service.host.clone()).collect()
}

/// A chain without what is the same for all of them.
fn bare(chain: Chain) -> Chain {
    Chain { table: None, shares: None, ..chain }
}
