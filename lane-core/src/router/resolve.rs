//! Which endpoints serve a lane: its own, or those of its fallback lanes in order (S24).

use crate::{
    decision::{Decision, Notes, Outcome, Reason},
    intern::{LaneId, ServiceId, SubsetId},
    liveness::Liveness,
};

use super::{Plan, recorder::Recorder};

/// A candidate that may serve.
#[derive(Clone, Copy)]
struct Serving {
    lane: LaneId,
    subset: SubsetId,
    note: Notes,
}

/// What serves when nothing else can: the first that is only not healthy enough.
fn last_resort(lane: LaneId, reason: Reason, subset: Option<SubsetId>) -> Option<Serving> {
    let subset = subset.filter(|_| reason == Reason::BelowMinHealthy)?;
    Some(Serving { lane, subset, note: Notes::BELOW_MIN_HEALTHY })
}

impl Plan {
    /// Completes a decision with the endpoints that serve `service` for `lane`.
    pub(super) fn resolve(
        &self,
        service: ServiceId,
        lane: LaneId,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
        decision: &mut Decision,
    ) {
        decision.service = Some(service);
        decision.lane = Some(lane);
        let own = self.judge(service, lane, liveness);
        recorder.considered(self, service, lane, own.err().map(|(reason, _)| reason));
        match own {
            Ok(subset) => {
                decision.outcome = Outcome::Routed;
                decision.subset = Some(subset);
                decision.serving = Some(lane);
            }
            Err((reason, subset)) => {
                decision.reason = Some(reason);
                self.fall_back(service, lane, last_resort(lane, reason, subset), liveness, recorder, decision);
            }
        }
    }

    /// Completes a decision with the first fallback lane that can serve, or with what is left when none can.
    fn fall_back(
        &self,
        service: ServiceId,
        lane: LaneId,
        mut last: Option<Serving>,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
        decision: &mut Decision,
    ) {
        let mut serving = None;
        for candidate in &self.lane(lane).fallback {
            let judged = self.judge(service, *candidate, liveness);
            recorder.considered(self, service, *candidate, judged.err().map(|(reason, _)| reason));
            match judged {
                Ok(subset) => {
                    serving = Some(Serving { lane: *candidate, subset, note: Notes::NONE });
                    break;
                }
                Err((reason, subset)) => last = last.or(last_resort(*candidate, reason, subset)),
            }
        }
        match serving.or(last) {
            Some(serving) => {
                let own = serving.lane == lane;
                decision.outcome = if own { Outcome::Routed } else { Outcome::FellBack };
                decision.reason = decision.reason.filter(|_| !own);
                decision.subset = Some(serving.subset);
                decision.serving = Some(serving.lane);
                decision.notes = decision.notes.and(serving.note);
            }
            None => decision.outcome = Outcome::Unavailable,
        }
    }

    /// Whether a lane can serve a service; if not, why, and the subset if there is one.
    #[inline]
    fn judge(&self, service: ServiceId, lane: LaneId, liveness: &Liveness) -> Result<SubsetId, (Reason, Option<SubsetId>)> {
        let subset = self.subset(service, lane).ok_or((Reason::NotInLane, None))?;
        // What was never counted counts as live.
        let Some(endpoints) = liveness.get(subset) else { return Ok(subset) };
        let reason = if endpoints.total == 0 {
            Reason::NoEndpoints
        } else if endpoints.healthy == 0 {
            Reason::NoneHealthy
        } else if u64::from(endpoints.healthy) * 100 < u64::from(endpoints.total) * u64::from(self.service(service).min_healthy_percent) {
            Reason::BelowMinHealthy
        } else {
            return Ok(subset);
        };
        Err((reason, Some(subset)))
    }
}
