"""The pytest plugin, as a tester meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFIG = """\
version: 1
groups:
  - name: shop
    mode: permissive
    gateways: [ingressgateway]
    guiding_header: version
    baseline: v1
    services: [{host: cart.shop.svc, aliases: [cart]}, {host: stock.shop.svc, aliases: [stock]}]
    lanes: [{name: v1}, {name: v2, services: [cart.shop.svc]}]
    rules:
      - {name: testers, service: cart.shop.svc, match: [{headers: {x-user-group: {in: [qa, staff]}}}], lane: v2}
      - {name: everyone, service: cart.shop.svc, lane: v1}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".yaml", lanes=CONFIG)
    pytester.makeini("[pytest]\nlane_config = lanes.yaml\n")
    return pytester


def test_the_fixture_finds_its_configuration(project: pytest.Pytester) -> None:
    (project.mkdir("sub") / "other.yaml").write_text(CONFIG.replace("v2", "v3"))
    (project.path / "sub" / "test_it.py").write_text(
        """
import pytest

def test_ini(lane_router):
    assert lane_router.ingress({"headers": {"x-user-group": "qa"}}).lane == "v2"

@pytest.mark.lane_config("other.yaml")
def test_marker(lane_router):
    assert lane_router.ingress({"headers": {"x-user-group": "qa"}}).lane == "v3"

@pytest.mark.lane_config("missing.yaml")
def test_missing(lane_router):
    pass
"""
    )
    result = project.runpytest("--strict-markers")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*No such file or directory: *missing.yaml*"])
    given = project.runpytest("--lane-config", "sub/other.yaml", "-k", "ini")
    given.assert_outcomes(failed=1, deselected=2)


def test_without_a_configuration_the_fixture_says_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(lane_router): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*lane_router has no configuration: write `lane_config = lanes.yaml` into the ini-file*"]
    )


def test_a_wrong_configuration_is_shown_with_its_line(project: pytest.Pytester) -> None:
    project.makefile(".yaml", lanes=CONFIG.replace("lane: v2}", "lane: v22}"))
    project.makepyfile("def test_it(lane_router): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*group `shop` has no lane `v22`*", "*lanes.yaml:11:*", "*did you mean `v2`?*"])


WHY = [
    "E*why routed for cart, lane 'v1':",
    "E*rule `testers` does not hold",
    'E*header x-user-group: wanted in: [[]"qa", "staff"], and it is "staf"',
    "E*rule `everyone` holds",
    "E*lane `v1` for `cart.shop.svc` serves",
]


@pytest.mark.parametrize(
    "body",
    [
        'decision = router.ingress(request)\n    assert decision.lane == "v2"',
        'assert router.ingress(request).lane == "v2"',
        'assert router.ingress(request).subset.lane == "v2", "testers should reach v2"',
        'decision = router.ingress(request)\n    assert (\n        decision.rule\n        == "testers"\n    )',
        'decisions = [router.ingress(request)]\n    decision = decisions[0]\n    lane = decision.lane\n    assert lane == "v2", decision',
        "decision = router.ingress(request)\n    check(decision)",
        'explanation = router.explain(request)\n    assert explanation.decision.lane == "v2"',
    ],
)
def test_a_failed_assertion_says_why(project: pytest.Pytester, body: str) -> None:
    project.makepyfile(
        f"""
def check(decision):
    assert decision.lane in ("v2", "v3")

def test_it(lane_router):
    router, request = lane_router, {{"headers": {{"x-user-group": "staf"}}}}
    {body}
"""
    )
    result = project.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(WHY)
    # Once where the assertion stands; pytest's own summary repeats the message, whole where `CI` is set.
    assert sum(line.startswith("E") and "why routed" in line for line in result.outlines) == 1


def test_no_lane_at_all_is_explained_too(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
import unittest
import lane

def test_it(lane_router):
    decision = lane_router.ingress({}, gateway="other")
    assert decision.lane == "v2"

def test_expected(lane_router):
    decision = lane_router.hop(lane.Request(headers={"version": "v2"}), service="stock")
    assert decision == lane.Decision(outcome="routed", lane="v2")

class Old(unittest.TestCase):
    def test_it(self):
        decision = lane.Router.from_file("lanes.yaml").ingress({})
        self.assertEqual(decision.lane, "v2")

def test_other():
    assert 1 == 2
"""
    )
    result = project.runpytest()
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["E*why pass:", "E*there was nothing to try"])
    result.stdout.fnmatch_lines(
        ["E*the decisions differ", "E*outcome: 'fell_back' != 'routed'", "E*why fell_back for stock, lane 'v2':"]
    )
    result.stdout.fnmatch_lines(["E*AssertionError: 'v1' != 'v2'", "E*why routed for cart, lane 'v1':"])


CASES = """\
config: lanes.yaml
cases:
  - name: testers reach v2
    request: {ingress: {gateway: ingressgateway}, headers: [[x-user-group, qa]]}
    expect: {outcome: routed, lane: v2}
    chain: {cart: v2, stock: v1}
  - name: everybody does
    request: {ingress: {gateway: ingressgateway}}
    expect: {lane: v2}
"""


def test_test_files_are_collected(project: pytest.Pytester) -> None:
    (project.path / "shop.lane-test.yaml").write_text(CASES)
    result = project.runpytest("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "shop.lane-test.yaml::testers reach v2 PASSED*",
            "shop.lane-test.yaml::everybody does FAILED*",
            "shop.lane-test.yaml:7: everybody does",
            "  lane: wanted 'v2', got 'v1'",
            "why routed for cart, lane 'v1':",
            "  rule `testers` does not hold",
            "      header x-user-group: wanted in: *and there is none",
        ]
    )
    inline = "config:\n" + "".join(f"  {line}\n" for line in CONFIG.splitlines()) + CASES.split("\n", 1)[1]
    (project.path / "shop.lane-test.yaml").write_text(inline)
    project.runpytest().assert_outcomes(passed=1, failed=1)
    (project.path / "shop.lane-test.yaml").write_text(CASES.split("\n", 1)[1])
    project.runpytest().assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CASES.replace("expect: {lane: v2}", "expect: {lain: v2}"), "*a decision has no field `lain`*"),
        (CASES.replace("lanes.yaml", "none.yaml"), "*No such file*none.yaml*"),
        ("cases: [", "*LANE0001*"),
        ("\xff", "*can't decode byte*"),
    ],
)
def test_wrong_test_files(project: pytest.Pytester, text: str, words: str) -> None:
    (project.path / "shop.lane-test.yaml").write_bytes(text.encode("latin-1"))
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words])


def test_a_case_that_cannot_be_asked(project: pytest.Pytester) -> None:
    text = (
        CASES
        + "  - name: no such service\n    request: {ingress: {gateway: a}, live: {web: {v1: [1, 1]}}}\n    expect: {lane: v1}\n"
    )
    (project.path / "shop.lane-test.yaml").write_text(text)
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*no such service: `live.web`: no service has this host*"])


def test_rules_that_decide_nothing_are_listed(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
def test_it(lane_router):
    assert lane_router.ingress({}).rule == "everyone"
"""
    )
    result = project.runpytest("--lane-coverage")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*lane rules*", "no decision by rule `testers` of group `shop` in lanes.yaml", "rules covered: 1 of 2 (50 %)"]
    )
    under = project.runpytest("--lane-fail-under", "60")
    assert under.ret == pytest.ExitCode.TESTS_FAILED
    under.stdout.fnmatch_lines(["that is less than 60 %"])
    assert project.runpytest("--lane-fail-under", "50").ret == 0
    (project.path / "shop.lane-test.yaml").write_text(CASES.rsplit("  - name", 1)[0])
    covered = project.runpytest("--lane-fail-under", "100")
    assert covered.ret == 0
    covered.stdout.fnmatch_lines(["rules covered: 2 of 2 (100 %)"])
    assert "lane rules" not in project.runpytest().stdout.str()


def test_bulk_decisions_count_too(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
import pyarrow as pa

def test_it(lane_router):
    table = pa.table({"header:x-user-group": ["qa", None]})
    assert lane_router.route_arrow(table).counts("lane") == {("v2",): 1, ("v1",): 1}
"""
    )
    project.runpytest("--lane-fail-under", "100").stdout.fnmatch_lines(["rules covered: 2 of 2 (100 %)"])


def test_workers_count_together(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
def test_everyone(lane_router):
    assert lane_router.ingress({}).rule == "everyone"

def test_testers(lane_router):
    assert lane_router.trace({"headers": {"x-user-group": "qa"}}).ingress.rule == "testers"
"""
    )
    result = project.runpytest_subprocess("-n", "2", "--dist", "each", "--lane-fail-under", "100")
    result.stdout.fnmatch_lines(["rules covered: 2 of 2 (100 %)"])
    assert result.ret == 0


def test_importing_costs_nothing(tmp_path: Path) -> None:
    """The plugin is loaded in every session of everybody: it brings no library with it."""
    import subprocess
    import sys

    code = "import sys, lane.pytest_plugin; print([name for name in ('pyarrow', 'hypothesis', 'numpy') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ran.stdout.strip() == "[]"
