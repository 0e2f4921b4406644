"""The shared vectors, asked through the typed interface: as every other language answers, so does Python."""

from __future__ import annotations

import base64
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import VECTORS

import lane

FILES = sorted(VECTORS.glob("*/*.json"))
CASES = [
    pytest.param(path, index, id=f"{path.parent.name}/{path.stem}/{case['name']}")
    for path in FILES
    for index, case in enumerate(json.loads(path.read_text())["cases"])
]


@cache
def suite(path: Path) -> tuple[lane.Router, list[dict[str, Any]]]:
    document = json.loads(path.read_text())
    return lane.Router.from_dict(document["config"]), document["cases"]


def text(value: Any) -> Any:
    """A value that is not UTF-8 is written in base64."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def request_of(data: dict[str, Any]) -> lane.Request:
    recorded = data.get("recorded")
    return lane.Request(
        method=text(data.get("method")),
        authority=text(data.get("authority")),
        path=text(data.get("path")),
        headers=[(name, text(value)) for name, value in data.get("headers", [])],
        source=lane.Source(**data["source"]) if "source" in data else None,
        remembered=data.get("remembered"),
        roll=data.get("roll"),
        recorded=None if recorded is None else recorded["headers"],
    )


def remembered(all: tuple[lane.Remembered, ...]) -> list[dict[str, Any]]:
    def value(one: str | bytes) -> Any:
        return one if isinstance(one, str) else {"base64": base64.b64encode(one).decode()}

    return [{"group": one.group, "trace_id": value(one.trace_id), "lane": one.lane} for one in all]


def ask(router: lane.Router, data: dict[str, Any]) -> dict[str, Any]:
    request = request_of(data)
    live = data.get("live")
    if "inbound" in data:
        return {"remember": remembered(router.inbound(request))}
    if "ingress" in data:
        decision = router.ingress(request, gateway=data["ingress"]["gateway"], live=live)
    else:
        decision = router.hop(request, service=data["hop"]["service"], live=live)
    # Explaining is the same walk (S30), and a decision survives being written down.
    if decision.explainable:
        assert decision.explain().decision == decision
    assert eval(repr(decision), {**vars(lane)}) == decision
    return decision.to_dict()


@pytest.mark.parametrize(("path", "index"), CASES)
def test_vector(path: Path, index: int) -> None:
    router, cases = suite(path)
    case = cases[index]
    answer = ask(router, case["request"])
    assert {name: answer[name] for name in case["expect"]} == case["expect"], case["cites"]
    as_data = router.answer(case["request"])
    if isinstance(as_data, lane.Decision):
        assert as_data.to_dict() == answer


def test_as_many_as_the_manifest_says() -> None:
    manifest = json.loads((VECTORS / "manifest.json").read_text())
    assert (len(FILES), len(CASES)) == (manifest["files"], manifest["cases"])
    by_topic = Counter(case.values[0].parent.name for case in CASES)  # type: ignore[union-attr]
    assert by_topic == manifest["topics"]
