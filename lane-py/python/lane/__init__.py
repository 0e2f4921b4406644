"""Traffic lanes: which version of each service in a call chain does a request meet?

>>> import lane
>>> router = lane.Router.from_file("lanes.yaml")
>>> decision = router.ingress(lane.Request(path="/mock", headers={"x-user-group": "qa"}), roll=7)
>>> decision.lane, decision.subset.lane
('v2', 'v2')

A `Router` is a compiled configuration; it is immutable and decides about any number of requests, from any number of
threads. `Router.route_arrow` decides about tables and streams of them. `lane.testing` asserts about whole chains,
`lane.strategies` draws requests for Hypothesis, and the pytest plugin says why an assertion about a decision failed.
S-numbers in the documentation name sentences of lane's semantics.
"""

from lane._lane import Decision, DecisionStream, Liveness, Request, Router, TraceTable, __version__
from lane._values import (
    Call,
    CallTree,
    Cell,
    Chain,
    CompileError,
    Diagnostic,
    Explanation,
    Fallback,
    Found,
    FoundIn,
    Hop,
    LaneTable,
    Outcome,
    Reason,
    Remembered,
    SetCookie,
    Share,
    Source,
    Subset,
)

__all__ = [
    "Call",
    "CallTree",
    "Cell",
    "Chain",
    "CompileError",
    "Decision",
    "DecisionStream",
    "Diagnostic",
    "Explanation",
    "Fallback",
    "Found",
    "FoundIn",
    "Hop",
    "LaneTable",
    "Liveness",
    "Outcome",
    "Reason",
    "Remembered",
    "Request",
    "Router",
    "SetCookie",
    "Share",
    "Source",
    "Subset",
    "TraceTable",
    "__version__",
]
