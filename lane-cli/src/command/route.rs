//! `lane route`: one request from flags, or a stream of them.

use std::{io::Read, net::IpAddr, path::PathBuf};

use clap::Args;
use lane_core::explain::Explanation;
use lane_formats::{
    Loaded,
    decision::Answer,
    request::{Ask, AskError, Place},
};
use serde::Serialize;

use crate::{
    failure::{Exit, Failure, Outcome},
    requests::{RequestFlags, assignments, down, gateway, group_named, known_services, strange_gateway, strange_service},
    source,
    streams::Streams,
};

mod answer;
mod stream;
pub mod why;

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Decides about one request: which rule, lane and endpoints, and what to change in its headers. At a gateway unless \
    `--service` asks for a call inside the chain. With `--requests`, decides about a stream of requests: JSON objects one a \
    line in, decisions one a line out, in the same order.";

/// Arguments of `lane route`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lane route lanes.yaml http://shop.example/cart -H 'x-user-group: qa'
  lane route lanes.yaml / --roll 7 --down cart/beta --explain
  lane route lanes.yaml --service mockb --from ASM_TRAFFIC_TAG=v2 -H 'version: v2'
  lane route lanes.yaml --requests requests.jsonl > decisions.jsonl

A line for --requests:
  {\"ingress\":{\"gateway\":\"ingressgateway\"},\"method\":\"GET\",\"path\":\"/mock\",\"headers\":[[\"x-user-group\",\"qa\"]],\"roll\":\"7\"}
  {\"hop\":{\"service\":\"mockb\"},\"headers\":[[\"version\",\"v2\"]]}
A line that cannot be read gives {\"error\": …, \"line\": n}; the others are answered all the same.

Exit codes: 0 decided (whatever the decision), 1 errors in the configuration or bad lines,
2 bad usage or unreadable input.")]
pub struct Route {
    /// Configuration; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    request: RequestFlags,
    /// Gateway at which the request arrives [default: the only one that the configuration names]
    #[arg(long, value_name = "NAME", conflicts_with = "service")]
    gateway: Option<String>,
    /// Ask for a call of this service inside the chain: host or alias
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// A label of the calling workload; may be repeated
    #[arg(long = "from", value_name = "LABEL=VALUE")]
    labels: Vec<String>,
    /// The calling service: host or alias
    #[arg(long, value_name = "SERVICE")]
    from_service: Option<String>,
    /// The lane of the calling workload
    #[arg(long, value_name = "LANE")]
    from_lane: Option<String>,
    /// The caller's address
    #[arg(long, value_name = "ADDRESS")]
    from_ip: Option<IpAddr>,
    /// The lane remembered for the request's trace id, by group; may be repeated
    #[arg(long, value_name = "GROUP=LANE")]
    remembered: Vec<String>,
    /// The number that splits without a key draw by
    #[arg(long, value_name = "NUMBER")]
    roll: Option<u64>,
    /// No endpoint of the service is healthy in this lane; may be repeated
    #[arg(long, value_name = "SERVICE/LANE")]
    down: Vec<String>,
    /// Tell why: every rule tried and the first condition that failed, where a lane was looked for, who may serve
    #[arg(long)]
    explain: bool,
    /// Print the decision as a JSON object
    #[arg(long)]
    json: bool,
    /// Read requests from this file, one JSON object a line; `-` is standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["url", "method", "path", "host", "headers", "gateway", "service", "labels", "from_service", "from_lane", "from_ip", "remembered", "roll", "down"]
    )]
    requests: Option<PathBuf>,
}

/// What `--explain --json` prints.
#[derive(Serialize)]
struct Explained<'e> {
    decision: &'e Answer,
    explanation: &'e Explanation,
}

impl Route {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        match &self.requests {
            Some(requests) => self.stream(requests, streams),
            None => self.single(streams),
        }
    }

    fn single(&self, streams: &mut Streams<'_>) -> Outcome {
        let loaded = source::load(&self.file, streams)?;
        let gateway = strange_gateway(&loaded.config, self.gateway.as_deref());
        let service = self.service.as_deref().and_then(|service| strange_service(&loaded.router, service));
        gateway.into_iter().chain(service).try_for_each(|note| streams.note(&note))?;
        let unusable = |error: AskError| Failure::new(error.to_string());
        let ask = self.ask(&loaded)?;
        let (decision, explanation) = ask.explain(&loaded.router).map_err(unusable)?;
        match (self.json, self.explain) {
            (true, true) => streams.json(&Explained { decision: &decision, explanation: &explanation })?,
            (true, false) => streams.json(&decision)?,
            (false, explain) => {
                answer::write(&ask, &decision, &loaded, streams)?;
                if explain {
                    writeln!(streams.out)?;
                    why::write(&explanation, &loaded.router, streams)?;
                }
            }
        }
        Ok(Exit::Done)
    }

    fn stream(&self, requests: &std::path::Path, streams: &mut Streams<'_>) -> Outcome {
        if source::is_stdin(requests) && source::is_stdin(&self.file) {
            return Err(Failure::new("the configuration and the requests cannot both be standard input"));
        }
        let loaded = source::load(&self.file, streams)?;
        let job = stream::Job { router: &loaded.router, explain: self.explain };
        if source::is_stdin(requests) {
            let Streams { input, out, err: _, colours: _, watched } = streams;
            return job.run(&mut **input, &mut **out, *watched, None);
        }
        let file = source::open(requests)?;
        let bytes = file.metadata().ok().map(|metadata| metadata.len());
        let file: &mut dyn Read = &mut { file };
        job.run(file, streams.out, streams.watched, bytes)
    }

    /// The request that the flags describe.
    fn ask(&self, loaded: &Loaded) -> Result<Ask, Failure> {
        let router = &loaded.router;
        let mut ask = Ask::new(match &self.service {
            Some(service) => Place::Hop { service: service.clone() },
            None => Place::Ingress { gateway: gateway(&loaded.config, self.gateway.as_deref())? },
        });
        self.request.describe(&mut ask)?;
        if let Some(service) = &self.from_service {
            known_services(router, service)?;
        }
        ask.source.service.clone_from(&self.from_service);
        ask.source.lane.clone_from(&self.from_lane);
        ask.source.ip = self.from_ip.map(|ip| ip.to_string());
        ask.source.labels = assignments(&self.labels, "LABEL=VALUE")?;
        ask.remembered = assignments(&self.remembered, "GROUP=LANE")?;
        ask.remembered.iter().try_for_each(|(group, _)| group_named(&loaded.config, group).map(drop))?;
        ask.live = down(router, &self.down)?;
        ask.roll = self.roll;
        Ok(ask)
    }
}
