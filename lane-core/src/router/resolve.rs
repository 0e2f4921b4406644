//! Which endpoints serve a lane: its own, or those of its fallback lanes in order (S24).

use crate::{
    decision::{Decision, FoundIn, Notes, Outcome, Place, Reason},
    intern::{GroupId, LaneId, ServiceId, SubsetId},
    liveness::Liveness,
    split::Target,
};

use super::{Plan, recorder::Recorder};

/// What became of a lane at a service.
#[derive(Clone, Copy)]
pub(super) struct Resolved {
    outcome: Outcome,
    /// Who serves, if anybody does.
    serving: Option<Serving>,
    /// Why the lane itself does not.
    reason: Option<Reason>,
}

/// A candidate that may serve.
#[derive(Clone, Copy)]
struct Serving {
    lane: LaneId,
    subset: SubsetId,
    note: Notes,
}

impl Resolved {
    /// The decision of a group for a lane that was found so.
    #[cfg_attr(feature = "index", inline(always))]
    pub(super) fn decision(self, place: Place, group: GroupId, service: ServiceId, lane: LaneId, found: Option<FoundIn>) -> Decision {
        Decision {
            outcome: self.outcome,
            group: Some(group),
            rule: None,
            lane: Some(lane),
            service: Some(service),
            subset: self.serving.map(|serving| serving.subset),
            serving: self.serving.map(|serving| serving.lane),
            reason: self.reason,
            found,
            notes: self.serving.map_or(Notes::NONE, |serving| serving.note),
            cookie: None,
            place,
        }
    }
}

/// What serves when nothing else can: the first that is only not healthy enough.
fn last_resort(lane: LaneId, reason: Reason, subset: Option<SubsetId>) -> Option<Serving> {
    let subset = subset.filter(|_| reason == Reason::BelowMinHealthy)?;
    Some(Serving { lane, subset, note: Notes::BELOW_MIN_HEALTHY })
}

impl Plan {
    /// The endpoints that serve `service` for the target's lane.
    #[cfg_attr(feature = "index", inline(always))]
    pub(super) fn resolve(&self, service: ServiceId, target: Target, liveness: &Liveness, recorder: &mut impl Recorder) -> Resolved {
        let lane = target.lane;
        let own = self.judge(service, target, liveness);
        recorder.considered(self, service, lane, own.err().map(|(reason, _)| reason));
        match own {
            Ok(subset) => Resolved { outcome: Outcome::Routed, serving: Some(Serving { lane, subset, note: Notes::NONE }), reason: None },
            Err((reason, subset)) => self.fall_back(service, lane, reason, subset, liveness, recorder),
        }
    }

    /// The first fallback lane that can serve, or what is left when none can.
    #[inline(never)]
    fn fall_back(
        &self,
        service: ServiceId,
        lane: LaneId,
        reason: Reason,
        own: Option<SubsetId>,
        liveness: &Liveness,
        recorder: &mut impl Recorder,
    ) -> Resolved {
        let mut last = last_resort(lane, reason, own);
        for candidate in self.fallback(lane) {
            let judged = self.judge(service, self.target(service, *candidate), liveness);
            recorder.considered(self, service, *candidate, judged.err().map(|(reason, _)| reason));
            match judged {
                Ok(subset) => {
                    let serving = Serving { lane: *candidate, subset, note: Notes::NONE };
                    return Resolved { outcome: Outcome::FellBack, serving: Some(serving), reason: Some(reason) };
                }
                Err((reason, subset)) => last = last.or(last_resort(*candidate, reason, subset)),
            }
        }
        match last {
            // The lane itself serves after all: then nothing stood in its way.
            Some(serving) if serving.lane == lane => Resolved { outcome: Outcome::Routed, serving: last, reason: None },
            Some(_) => Resolved { outcome: Outcome::FellBack, serving: last, reason: Some(reason) },
            None => Resolved { outcome: Outcome::Unavailable, serving: None, reason: Some(reason) },
        }
    }

    /// Whether a lane can serve a service; if not, why, and the subset if there is one.
    #[cfg_attr(feature = "index", inline(always))]
    fn judge(&self, service: ServiceId, target: Target, liveness: &Liveness) -> Result<SubsetId, (Reason, Option<SubsetId>)> {
        let subset = target.own.ok_or((Reason::NotInLane, None))?;
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
