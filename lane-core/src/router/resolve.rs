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
        let mut reason = None;
        let mut last_resort = None;
        let mut serving = None;
        for candidate in core::iter::once(&lane).chain(&self.lane(lane).fallback) {
            let judged = self.judge(service, *candidate, liveness);
            recorder.considered(self, service, *candidate, judged.err().map(|(reason, _)| reason));
            match judged {
                Ok(subset) => {
                    serving = Some(Serving { lane: *candidate, subset, note: Notes::NONE });
                    break;
                }
                Err((passed_over, subset)) => {
                    reason = reason.or(Some(passed_over));
                    if let (Reason::BelowMinHealthy, Some(subset)) = (passed_over, subset) {
                        last_resort = last_resort.or(Some(Serving { lane: *candidate, subset, note: Notes::BELOW_MIN_HEALTHY }));
                    }
                }
            }
        }
        match serving.or(last_resort) {
            Some(serving) => {
                let own = serving.lane == lane;
                decision.outcome = if own { Outcome::Routed } else { Outcome::FellBack };
                decision.reason = reason.filter(|_| !own);
                decision.subset = Some(serving.subset);
                decision.serving = Some(serving.lane);
                decision.notes = decision.notes.and(serving.note);
            }
            None => {
                decision.outcome = Outcome::Unavailable;
                decision.reason = reason;
            }
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
