"""Routers, requests and decisions as Python objects: equality, hashes, reprs, pickles, match statements, threads."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from fractions import Fraction
from pathlib import Path

import pytest

import lane
from lane import Decision, Request, Router, Source, Subset

HOST = "mocka.default.svc.cluster.local"


@pytest.fixture
def router(examples: Path) -> Router:
    return Router.from_file(examples / "permissive.yaml")


def test_a_request_is_a_value() -> None:
    headers: dict[str, str | bytes | list[str]] = {"x-user-group": "qa", "accept": ["a", "b"], "x-raw": b"\xff"}
    request = Request(
        method="GET",
        authority=b"shop.example:8080",
        path="/mock?x=1",
        headers=headers,
        source={"service": "mocka", "labels": {"tier": "test"}},
        remembered={"mock": "v2"},
        roll="18446744073709551615",
        recorded=["version"],
    )
    assert request.headers == (("x-user-group", "qa"), ("accept", "a"), ("accept", "b"), ("x-raw", b"\xff"))
    assert request.authority == "shop.example:8080"
    assert request.source == Source(service="mocka", labels={"tier": "test"})
    assert request.roll == 2**64 - 1
    assert request.recorded == ("version",)
    for twin in (eval(repr(request), {**vars(lane)}), pickle.loads(pickle.dumps(request)), copy.deepcopy(request)):
        assert twin == request
        assert hash(twin) == hash(request)
    changed = request.replace(path="/", roll=None)
    assert (changed.path, changed.roll, changed.headers) == ("/", None, request.headers)
    assert request != changed
    assert request != "request"
    assert repr(Request()) == "Request()"
    with pytest.raises(AttributeError):
        request.path = "/"  # type: ignore[misc]


def test_urls() -> None:
    assert Request.from_url("http://user@shop.example:80/a%20b?c=d#e", roll=1) == Request(
        method="GET", authority="shop.example:80", path="/a%20b?c=d", roll=1
    )
    assert Request.of({"url": "/x", "method": "PUT"}) == Request(method="PUT", path="/x")
    assert Request.from_url("http://shop.example").path == "/"
    with pytest.raises(ValueError, match="is no URL"):
        Request.from_url("shop.example/x")


def test_a_decision_is_a_value(router: Router) -> None:
    decision = router.hop(Request(headers={"version": "v2"}), service="mockb")
    assert decision.outcome == "fell_back"
    assert decision.status == 200
    assert decision.subset == Subset("v1", {"ASM_TRAFFIC_TAG": "v1"})
    assert decision.fallback == lane.Fallback("v2", "v1")
    assert decision.found == lane.Found("v2", "header")
    assert decision.reason == "not_in_lane"
    assert decision.set_headers == {"baggage": "version=v2"}
    assert hash(decision.subset) == hash(Subset("v1"))
    for twin in (eval(repr(decision), {**vars(lane)}), pickle.loads(pickle.dumps(decision)), copy.copy(decision)):
        assert twin == decision
        assert hash(twin) == hash(decision)
    match decision:
        case Decision("fell_back", "v2", subset=Subset(lane="v1")):
            pass
        case _:
            pytest.fail("a match statement should see the fields")
    assert json.loads(decision.to_json()) == decision.to_dict()
    assert list(decision.to_dict())[:3] == ["outcome", "status", "group"]
    assert decision != router.hop(Request(headers={"version": "v3"}), service="mockb")
    unpickled = pickle.loads(pickle.dumps(decision))
    assert decision.explainable
    assert not unpickled.explainable
    with pytest.raises(ValueError, match="does not know its router"):
        unpickled.explain()


def test_a_decision_can_be_written_down(router: Router) -> None:
    wanted = Decision(outcome="pass", service="elsewhere")
    assert router.hop(Request(), service="elsewhere") == wanted
    with pytest.raises(ValueError, match=r"`outcome`: unknown variant `lost`"):
        Decision(outcome="lost")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Decision("routed")  # type: ignore[call-arg]


def test_a_router_is_a_value(router: Router, examples: Path) -> None:
    text = (examples / "permissive.yaml").read_text()
    for twin in (
        Router.from_yaml(text),
        Router.from_yaml(text.encode()),
        pickle.loads(pickle.dumps(router)),
        eval(repr(router), {**vars(lane)}),
        eval(repr(Router.from_yaml(text)), {**vars(lane)}),
    ):
        assert twin == router
        assert hash(twin) == hash(router)
        assert twin.ingress(Request(), roll=40) == router.ingress(Request(), roll=40)
    assert pickle.loads(pickle.dumps(router)).file == router.file
    assert Router.from_dict(router.config) != router
    assert Router.from_dict(router.config).config == router.config
    assert Router.from_json(json.dumps(router.config)).config == router.config
    limited = Router.from_yaml(text, limits={"rules": 1})
    assert limited != router
    assert eval(repr(limited), {**vars(lane)}) == pickle.loads(pickle.dumps(limited)) == limited


def test_the_only_gateway_is_meant(router: Router, examples: Path) -> None:
    assert router.ingress(Request(), roll=0) == router.ingress(Request(), roll=0, gateway="ingressgateway")
    assert router.ingress(Request(), roll=0, gateway="elsewhere").outcome == "pass"
    several = Router.from_dict(
        {
            "version": 1,
            "groups": [
                {
                    "name": name,
                    "mode": "strict",
                    "gateways": [name],
                    "guiding_header": name,
                    "services": [],
                    "lanes": [],
                }
                for name in ("east", "west")
            ],
        }
    )
    with pytest.raises(ValueError, match="`gateway` is needed: the configuration names east, west"):
        several.ingress(Request())


def test_explaining(router: Router) -> None:
    explanation = router.explain(Request(headers={"version": "v2"}), service="mockb")
    assert explanation.decision == router.hop(Request(headers={"version": "v2"}), service="mockb")
    assert explanation.steps[0]["step"] == "look"
    assert (
        "lane `v2` for `mockb.default.svc.cluster.local` is passed over: the lane does not contain the service"
        in str(explanation)
    )
    undetermined = router.explain(Request())
    assert undetermined.undetermined == ("roll",)
    assert undetermined.decision.status == 0
    with pytest.raises(TypeError, match="not at both"):
        router.explain(Request(), gateway="ingressgateway", service="mockb")


def test_a_chain(router: Router) -> None:
    chain = router.trace(Request(), roll=75)
    assert str(chain) == "mocka(v3) -> mockb(v3) -> mockc(v1, falls back from v3)"
    assert chain.complete
    assert [hop.service.split(".")[0] for hop in chain.hops] == ["mockb", "mockc"]
    assert chain.hops[0].passed_on == (("baggage", "version=v3"),)
    assert chain.shares is not None
    assert [share.share for share in chain.shares] == [Fraction(2, 5), Fraction(3, 10), Fraction(3, 10)]
    assert chain.table is not None
    assert chain.table.rows["v2"][1].fallback
    assert "| v2   | v2    | v1 (falls back) | v2              |" in str(chain.table)
    for decision in chain.decisions:
        assert decision.explain().decision == decision
    assert pickle.loads(pickle.dumps(chain)) == chain
    down = router.trace(Request(), roll=75, live={"mockb.default.svc.cluster.local": {"v3": (2, 0), "v1": (0, 0)}})
    assert not down.complete
    assert down.hops[-1].decision.outcome == "unavailable"
    assert down.hops[-1].decision.explain().decision == down.hops[-1].decision
    shorter = router.trace(Request(headers={"version": "v2"}), service="mockb", services=["mockb", "mockc"])
    assert shorter.ingress is None
    assert str(shorter) == "mockb(v1, falls back from v2) -> mockc(v2)"


def test_liveness(router: Router) -> None:
    table = router.liveness({HOST: {"v2": (3, 1)}})
    assert table.get(HOST, "v2") == (3, 1)
    assert table.get(HOST, "v1") is None
    table.set(HOST, "v2", endpoints=3, healthy=0)
    assert router.ingress(Request(), roll=40, live=table).reason == "none_healthy"
    table.clear(HOST, "v2")
    assert router.ingress(Request(), roll=40, live=table).reason is None
    assert table.to_dict() == {}
    table.set(HOST, "v3", endpoints=1, healthy=1)
    assert pickle.loads(pickle.dumps(table)).to_dict() == {HOST: {"v3": (1, 1)}}
    assert eval(repr(table), {**vars(lane)}).to_dict() == table.to_dict()
    other = Router.from_dict(router.config)
    with pytest.raises(ValueError, match="belongs to another router"):
        other.ingress(Request(), live=table)
    with pytest.raises(ValueError, match="services are named by their hosts here"):
        table.set("mocka", "v2", endpoints=1, healthy=1)
    with pytest.raises(ValueError, match="healthy 2 is above endpoints 1"):
        table.set(HOST, "v2", endpoints=1, healthy=2)
    with pytest.raises(ValueError, match=r"no group of this service has the lane `v9`"):
        router.liveness({HOST: {"v9": (1, 1)}})
    with pytest.raises(TypeError, match=r"must be \(endpoints, healthy\)"):
        router.ingress(Request(), live={HOST: {"v2": 3}})  # type: ignore[dict-item]


def test_a_trace_table(examples: Path) -> None:
    router = Router.from_file(examples / "trace-id.yaml")
    table = lane.TraceTable(capacity=2, ttl=100)
    group = router.config["groups"][0]
    header = group["context"]["trace_id"]
    guiding = group.get("guiding_header", "x-asm-prefer-tag")
    arrived = router.inbound(Request(headers={guiding: group["lanes"][1]["name"], header: "a" * 32}))
    assert arrived == (lane.Remembered(group["name"], "a" * 32, group["lanes"][1]["name"]),)
    for one in arrived:
        table.remember(one.group, one.trace_id, one.lane, now=10)
    assert table.lane(group["name"], "a" * 32, now=109) == group["lanes"][1]["name"]
    assert table.items(now=109) == arrived
    assert table.lane(group["name"], "a" * 32, now=110) is None
    assert len(table) == 1
    assert repr(table) == "TraceTable(capacity=2, ttl=100)"


def test_many_threads_share_a_router(router: Router) -> None:
    table = router.liveness()
    wrong: list[Decision] = []

    def ask() -> None:
        for roll in range(2_000):
            decision = router.ingress(Request(path="/"), roll=roll, live=table)
            table.set(HOST, "v2", endpoints=2, healthy=roll % 2)
            if decision.lane != ("v1" if roll % 100 < 40 else "v2" if roll % 100 < 70 else "v3"):
                wrong.append(decision)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
