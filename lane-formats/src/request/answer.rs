//! Asking a router: the engine's borrowed view of an [`Ask`], the endpoint counts put into a table, and the
//! decision as a report.

use std::net::IpAddr;

use lane_core::{
    Decision, Endpoints, Headers, Liveness, Outcome, Request, Router,
    diagnostic::{FieldPath, did_you_mean},
    explain::Explanation,
};

use super::{Ask, AskError, Place, Problem};
use crate::{
    bytes::Bytes,
    decision::{Answer, Remembered, Report},
};

impl Ask {
    /// What the router answers.
    ///
    /// # Errors
    ///
    /// `live` names a service or a lane that the router does not have.
    pub fn answer(&self, router: &Router) -> Result<Answer, AskError> {
        let liveness = self.liveness(router)?;
        Ok(self.ask(router, &liveness, Wanted::Answer).0)
    }

    /// What the router answers, and why.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer); also for `inbound`, which decides nothing.
    pub fn explain(&self, router: &Router) -> Result<(Answer, Explanation), AskError> {
        let liveness = self.liveness(router)?;
        self.explain_with(router, &liveness)
    }

    /// What the router answers with these endpoint counts; the request's own are not looked at.
    #[must_use]
    pub fn answer_with(&self, router: &Router, liveness: &Liveness) -> Answer {
        self.ask(router, liveness, Wanted::Answer).0
    }

    /// What the router answers with these endpoint counts, and why; the request's own are not looked at.
    ///
    /// # Errors
    ///
    /// For `inbound`, which decides nothing.
    pub fn explain_with(&self, router: &Router, liveness: &Liveness) -> Result<(Answer, Explanation), AskError> {
        let (answer, explanation) = self.ask(router, liveness, Wanted::Explanation);
        let nothing = || AskError::inbound("nothing is decided where a request arrives, so there is nothing to explain");
        Ok((answer, explanation.ok_or_else(nothing)?))
    }

    /// The request's endpoint counts as a table of this router.
    ///
    /// # Errors
    ///
    /// `live` names a service or a lane that the router does not have.
    pub fn liveness(&self, router: &Router) -> Result<Liveness, AskError> {
        if self.live.is_empty() {
            return Ok(Liveness::all_live());
        }
        let liveness = router.liveness();
        let mut problems = Vec::new();
        for live in &self.live {
            let path = FieldPath::root().field("live").field(&live.service);
            // Only hosts are names here; an alias may stand for different services in different groups.
            let called = router.services_named(&live.service).iter().copied();
            let services: Vec<_> = called.filter(|service| router.service_host(*service).eq_ignore_ascii_case(&live.service)).collect();
            if services.is_empty() {
                problems.push(unknown_service(router, &live.service, path));
                continue;
            }
            let mut is_known = false;
            for service in &services {
                let Some(lane) = router.lane_in(router.group_of(*service), &live.lane) else { continue };
                is_known = true;
                // A lane that does not contain the service has no endpoints to count.
                if let Some(subset) = router.subset(*service, lane) {
                    liveness.set(subset, Endpoints { total: live.endpoints, healthy: live.healthy });
                }
            }
            if !is_known {
                let lanes = services.iter().flat_map(|service| router.lanes(router.group_of(*service)));
                let help = did_you_mean(&live.lane, lanes.map(|lane| router.lane_name(lane)));
                let message = format!("no group of this service has the lane `{}`", live.lane);
                problems.push(Problem { path: path.field(&live.lane), message, help });
            }
        }
        // A host is reported once, however many lanes are listed for it.
        problems.dedup();
        if problems.is_empty() { Ok(liveness) } else { Err(AskError { problems }) }
    }

    fn ask(&self, router: &Router, liveness: &Liveness, wanted: Wanted) -> (Answer, Option<Explanation>) {
        #[cfg(feature = "small")]
        return self.ask_with(router, &Seen { headers: &self.headers, names: self.recorded.as_deref() }, liveness, wanted);
        #[cfg(not(feature = "small"))]
        match &self.recorded {
            None => self.ask_with(router, self.headers.as_slice(), liveness, wanted),
            Some(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let headers = lane_core::Recorded { headers: self.headers.as_slice(), names: &names };
                self.ask_with(router, &headers, liveness, wanted)
            }
        }
    }

    fn ask_with<H: Headers + ?Sized>(
        &self,
        router: &Router,
        headers: &H,
        liveness: &Liveness,
        wanted: Wanted,
    ) -> (Answer, Option<Explanation>) {
        let labels: Vec<_> = self.source.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let remembered: Vec<_> = self.remembered.iter().map(|(group, lane)| (group.as_str(), lane.as_str())).collect();
        let request = Request {
            method: self.method.as_ref().map(Bytes::as_ref),
            authority: self.authority.as_ref().map(Bytes::as_ref),
            path: self.path.as_ref().map(Bytes::as_ref),
            source: lane_core::Source {
                service: self.source.service.as_deref(),
                labels: &labels,
                lane: self.source.lane.as_deref(),
                ip: self.source.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok()),
            },
            remembered: &remembered,
            roll: self.roll,
            ..Request::new(headers)
        };
        match &self.place {
            Place::Ingress { gateway } => conclude(router, &request, None, wanted, |explains| match explains {
                _ if ONE_WALK => router.ingress_or_explain(gateway, &request, liveness, explains),
                true => with_decision(router.explain_ingress(gateway, &request, liveness)),
                false => (router.ingress(gateway, &request, liveness), None),
            }),
            Place::Hop { service } => conclude(router, &request, Some(service), wanted, |explains| match explains {
                _ if ONE_WALK => router.hop_or_explain(service, &request, liveness, explains),
                true => with_decision(router.explain_hop(service, &request, liveness)),
                false => (router.hop(service, &request, liveness), None),
            }),
            Place::Inbound => {
                let mut remember = Vec::new();
                router.inbound(&request, |one| remember.push(Remembered::from(one)));
                (Answer::Inbound { remember }, None)
            }
        }
    }
}

/// The headers of any request, recorded in part or as a whole: one walk is compiled where others have two.
#[cfg(feature = "small")]
struct Seen<'a> {
    headers: &'a [(String, Bytes)],
    names: Option<&'a [String]>,
}

#[cfg(feature = "small")]
impl Headers for Seen<'_> {
    type Lines<'h>
        = <[(String, Bytes)] as Headers>::Lines<'h>
    where
        Self: 'h;

    const PARTIAL: bool = true;

    fn lines(&self) -> Self::Lines<'_> {
        self.headers.lines()
    }

    fn recorded(&self, name: &str) -> bool {
        self.names.is_none_or(|names| names.iter().any(|recorded| recorded.eq_ignore_ascii_case(name)))
    }
}

impl AskError {
    /// That a request is `inbound`, where it must not be.
    pub(crate) fn inbound(message: &str) -> Self {
        Self { problems: vec![Problem { path: FieldPath::root().field("inbound"), message: message.into(), help: None }] }
    }
}

/// Whether one walk decides and explains.
const ONE_WALK: bool = cfg!(feature = "small");

fn with_decision(explanation: Explanation) -> (Decision, Option<Explanation>) {
    (explanation.decision, Some(explanation))
}

/// Decides, or explains, and reports.
fn conclude<H: Headers + ?Sized>(
    router: &Router,
    request: &Request<'_, H>,
    called: Option<&str>,
    wanted: Wanted,
    walk: impl Fn(bool) -> (Decision, Option<Explanation>),
) -> (Answer, Option<Explanation>) {
    let (decision, mut explanation) = walk(wanted == Wanted::Explanation);
    // Only an explanation knows what an undetermined decision depends on.
    if explanation.is_none() && decision.outcome == Outcome::Undetermined {
        explanation = walk(true).1;
    }
    let undetermined = match &explanation {
        Some(explanation) if decision.outcome == Outcome::Undetermined => explanation.undetermined.clone(),
        _ => Vec::new(),
    };
    (Answer::Decision(Report::new(router, &decision, request, called, undetermined)), explanation)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Answer,
    Explanation,
}

fn unknown_service(router: &Router, name: &str, path: FieldPath) -> Problem {
    let by_alias = router.services_named(name).first().map(|service| router.service_host(*service));
    let hosts = router.groups().flat_map(|group| router.services(group)).map(|service| router.service_host(service));
    let help = by_alias.map(|host| format!("services are named by their hosts here: `{host}`")).or_else(|| did_you_mean(name, hosts));
    Problem { path, message: "no service has this host".into(), help }
}
