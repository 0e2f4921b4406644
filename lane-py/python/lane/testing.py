"""Assertions about where requests go.

>>> from lane.testing import assert_stays_in_lane
>>> assert_stays_in_lane(router, {"path": "/mock", "roll": 40}, ["mockb", "mockc"])

A failed assertion shows the whole way of the request and why the first call that left its lane did so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lane._values import Call, CallTree

if TYPE_CHECKING:
    from lane._lane import Decision, Liveness, Router

__all__ = ["assert_stays_in_lane", "simulate", "why"]


def simulate(
    router: Router,
    request: object,
    calls: Mapping[str, Any] | Iterable[Any],
    *,
    gateway: str | None = None,
    service: str | None = None,
    live: Liveness | Mapping[str, Mapping[str, tuple[int, int]]] | None = None,
    roll: int | None = None,
) -> CallTree:
    """Sends a request through a chain or a call graph, with the lane carried as its group says.

    A list of names is a line: each service calls the next. A mapping is a graph: each name with what it calls in turn,
    for example `{"mockb": {"mockc": []}, "mockd": []}`. Applications pass on no more than the context of the group.
    """
    graph: Any = calls
    if not isinstance(calls, Mapping):
        names = list(calls)
        if all(isinstance(name, str) for name in names):
            graph = {}
            for name in reversed(names):
                graph = {name: graph}
    return router.trace_calls(request, graph, gateway=gateway, service=service, live=live, roll=roll)


def assert_stays_in_lane(
    router: Router,
    request: object,
    calls: Mapping[str, Any] | Iterable[Any],
    *,
    lane: str | None = None,
    fallback: bool = True,
    gateway: str | None = None,
    service: str | None = None,
    live: Liveness | Mapping[str, Mapping[str, tuple[int, int]]] | None = None,
    roll: int | None = None,
) -> CallTree:
    """Asserts that a request stays in its lane, all along its calls, and returns its way.

    Every call must belong to the lane of the first decision (to `lane`, where one is given) and be served: by the lane
    itself where it contains the service, else by what the lane falls back to. With `fallback=False` nothing may fall
    back. `calls` are those of `simulate`.
    """
    tree = simulate(router, request, calls, gateway=gateway, service=service, live=live, roll=roll)
    problem = _left(tree, lane, fallback)
    if problem is not None:
        words, decision = problem
        raise AssertionError(f"{words}\n\n{_indented(str(tree))}\n\n{why(decision)}")
    return tree


def _left(tree: CallTree, lane: str | None, fallback: bool) -> tuple[str, Decision] | None:
    """What is wrong with a request's way, and the decision that is at fault."""
    wanted = tree.entry.lane if lane is None else lane
    calls: list[tuple[str, Decision]] = [("the request", tree.entry)]
    calls += [(_called(call), call.decision) for call in tree.walk()]
    for what, decision in calls:
        outcome = decision.outcome
        if outcome in ("no_route", "unavailable", "undetermined"):
            return f"{what} is not served: {outcome} ({decision.status})", decision
        if outcome == "pass":
            if decision is tree.entry:
                return "no rule of this gateway takes the request: it passes", decision
            # A service outside the group serves every lane alike.
            continue
        if decision.lane != wanted:
            return f"{what} belongs to lane {decision.lane!r}, not to {wanted!r}", decision
        if outcome == "fell_back" and not (fallback and decision.reason == "not_in_lane"):
            served = "nobody" if decision.subset is None else repr(decision.subset.lane)
            return f"{what} leaves lane {wanted!r}: {served} serves it ({decision.reason})", decision
    return None


def _called(call: Call) -> str:
    caller = "the request" if call.caller is None else call.caller.split(".", 1)[0]
    return f"the call {caller} -> {call.service.split('.', 1)[0]}"


def why(decision: Decision) -> str:
    """Why a decision is what it is, for a message; its fields where it does not know."""
    if not decision.explainable:
        return f"the decision was {decision!r}"
    explanation = decision.explain()
    head = f"why {decision.outcome}"
    if decision.service is not None:
        head += f" for {decision.service.split('.', 1)[0]}"
    if decision.lane is not None:
        head += f", lane {decision.lane!r}"
    return f"{head}:\n{_indented(str(explanation) or 'there was nothing to try')}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
