"""Assertions about whole chains, and strategies that draw what matters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import lane
from lane import Request, Router
from lane.strategies import chains, requests, rolls
from lane.testing import assert_stays_in_lane, simulate, why

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
GRAPH = {"mockb": {"mockc": []}, "mockc": [], "payments.example": []}


@pytest.fixture
def router(examples: Path) -> Router:
    return Router.from_file(examples / "permissive.yaml")


def test_a_call_graph_is_a_tree(router: Router) -> None:
    tree = simulate(router, Request(), GRAPH, roll=75)
    assert str(tree).splitlines() == [
        "mocka(v3)",
        "├─ mockb(v3)",
        "│  └─ mockc(v1, falls back from v3)",
        "├─ mockc(v1, falls back from v3)",
        "└─ payments(pass)",
    ]
    assert [call.service for call in tree.walk()] == ["mockb", "mockc", "mockc", "payments.example"]
    (inner,) = tree.calls[0].calls
    assert inner.caller == "mockb.default.svc.cluster.local"
    assert inner.passed_on == (("baggage", "version=v3"),)
    for decision in tree.decisions:
        assert decision.explain().decision == decision
    line = simulate(router, Request(), ["mockb", "mockc"], roll=75)
    assert [call.service for call in line.walk()] == ["mockb", "mockc"]
    assert line.calls[0] == tree.calls[0]
    assert simulate(router, Request(), [], roll=0).calls == ()
    assert router.trace_calls(Request(), ["mockb", {"mockc": "x"[:0] or None}], roll=0).calls[1].service == "mockc"


def test_a_request_that_stays(router: Router) -> None:
    for roll in range(100):
        tree = assert_stays_in_lane(router, {"path": "/"}, GRAPH, roll=roll)
        assert tree.entry.lane in ("v1", "v2", "v3")
    assert_stays_in_lane(router, Request(), ["mockb", "mockc"], roll=40, lane="v2")
    assert_stays_in_lane(router, Request(headers={"version": "v2"}), ["mockc"], service="mockb", lane="v2")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"roll": 0, "lane": "v2"}, "the request belongs to lane 'v1', not to 'v2'"),
        ({}, "the request is not served: undetermined (0)"),
        ({"roll": 40, "fallback": False}, "the call mocka -> mockb leaves lane 'v2': 'v1' serves it (not_in_lane)"),
        ({"roll": 40, "gateway": "other"}, "no rule of this gateway takes the request: it passes"),
        (
            {"roll": 75, "live": {"mockb.default.svc.cluster.local": {"v3": (2, 0)}}},
            "the call mocka -> mockb leaves lane 'v3': 'v1' serves it (none_healthy)",
        ),
        (
            {"roll": 75, "live": {"mockb.default.svc.cluster.local": {"v3": (2, 0), "v1": (0, 0)}}},
            "the call mocka -> mockb is not served: unavailable (503)",
        ),
    ],
)
def test_a_request_that_leaves(router: Router, options: dict[str, object], words: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_stays_in_lane(router, Request(), ["mockb", "mockc"], **options)  # type: ignore[arg-type]
    said = str(caught.value)
    assert said.startswith(words)
    assert "\nwhy " in said


def test_a_forgetful_service_is_found(examples: Path) -> None:
    """A group whose context is its header, and calls that say who makes them."""
    router = Router.from_file(examples / "strict.yaml")
    request = Request(path="/mock", headers={"x-asm-prefer-tag": "s2"})
    assert_stays_in_lane(router, request, ["mockb", "mockc"], lane="s2")
    with pytest.raises(AssertionError, match="the request is not served: no_route"):
        assert_stays_in_lane(router, request.replace(path="/"), ["mockb"])


def test_why_of_a_decision_that_was_written_down() -> None:
    assert why(lane.Decision(outcome="pass")) == "the decision was Decision(outcome='pass')"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_strategies_reach_every_rule(path: Path) -> None:
    """For each rule of every example, some request is drawn that it decides; and all of them are requests."""
    router = Router.from_file(path)
    strategy = requests(router)
    for group in router.config["groups"]:
        gateways = group.get("gateways", [""])
        for rule in group["rules"]:
            if "gateway" not in rule.get("at", ["gateway"]):
                continue
            wanted = (group["name"], rule["name"])

            def decides(request: Request, wanted: tuple[str, str] = wanted, gateway: str = gateways[0]) -> bool:
                decision = router.ingress(request, gateway=gateway)
                return (decision.group, decision.rule) == wanted

            try:
                find(
                    strategy,
                    decides,
                    settings=settings(max_examples=5_000, suppress_health_check=list(HealthCheck), database=None),
                )
            except NoSuchExample:
                pytest.fail(f"no drawn request is decided by {wanted}")


def test_near_misses_are_drawn(router: Router) -> None:
    rules = Router.from_dict(
        {
            "version": 1,
            "groups": [
                {
                    "name": "g",
                    "mode": "strict",
                    "services": [{"host": "a.svc"}],
                    "lanes": [{"name": "s1"}],
                    "rules": [
                        {
                            "name": "all",
                            "service": "a.svc",
                            "hosts": ["*.shop.example"],
                            "match": [
                                {
                                    "path": {"segments": "/cart"},
                                    "headers": {
                                        "x-a": {"not": {"ignore_case": {"prefix": "ab"}}},
                                        "x-b": {"range": {"min": 10, "max": 20}},
                                        "x-c": {"regex": "[a-c]+[0-9]{2}"},
                                        "x-d": {"or_missing": {"suffix": "z"}},
                                        "x-e": {"contains": "mid"},
                                        "x-f": {"present": True},
                                    },
                                    "query": {"q": {"exact": "1"}},
                                    "cookies": {"c": {"in": ["1", "2"]}},
                                    "baggage": {"k": {"exact": "v"}},
                                    "method": {"exact": "GET"},
                                    "source": {
                                        "service": {"exact": "a.svc"},
                                        "labels": {"l": {"exact": "m"}},
                                        "ip": ["10.0.0.0/8"],
                                    },
                                    "percent": {"of": {"cookie": "uid"}, "below": 50},
                                    "any": [{"headers": {"x-g": {"exact": "g"}}}],
                                    "not": {"headers": {"x-h": {"exact": "h"}}},
                                }
                            ],
                            "lane": "s1",
                        }
                    ],
                }
            ],
        }
    )
    strategy = requests(rules)
    small = settings(max_examples=3_000, database=None, suppress_health_check=list(HealthCheck))

    def header(name: str, value: str) -> Request:
        return find(strategy, lambda request: dict(request.headers).get(name) == value, settings=small)

    for name, value in [
        ("x-a", "AB"),
        ("x-b", "9"),
        ("x-b", "20"),
        ("x-d", "az"),
        ("x-e", "amida"),
        ("x-g", "G"),
        ("x-h", "h"),
    ]:
        header(name, value)
    find(strategy, lambda request: request.path == "/carta", settings=small)
    find(strategy, lambda request: request.path == "/cart/a?q=1", settings=small)
    find(strategy, lambda request: request.authority == "shop.example", settings=small)
    find(strategy, lambda request: (request.source.ip or "").startswith("10."), settings=small)
    assert find(rolls(router), lambda roll: roll == 69, settings=small) == 69
    assert find(chains(router), lambda names: len(names) == 3, settings=small)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_decision_survives_everything(path: Path, data: st.DataObject) -> None:
    router = Router.from_file(path)
    request = data.draw(requests(router))
    decision = router.ingress(request, gateway="")
    assert eval(repr(request), {**vars(lane)}) == request
    assert eval(repr(decision), {**vars(lane)}) == decision
    assert decision.explain().decision == decision
