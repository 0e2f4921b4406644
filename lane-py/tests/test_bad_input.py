"""Whatever is wrong is an exception that says what, where and what to do; the interpreter survives all of it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lane
from lane import CompileError, Request, Router

WRONG = """\
version: 1
groups:
  - name: shop
    mode: permissive
    baseline: v1
    services: [{host: web.svc}]
    lanes: [{name: v1}, {name: v2}]
    rules:
      - {name: testers, service: web.svc, lane: v22}
"""


def test_an_error_shows_its_line() -> None:
    with pytest.raises(CompileError) as caught:
        Router.from_yaml(WRONG)
    error = caught.value
    (finding,) = (one for one in error.diagnostics if one.severity == "error")
    assert (finding.code, finding.line, finding.column) == ("LANE0102", 9, 49)
    assert finding.path == "groups[0].rules[0].lane"
    assert finding.help == "did you mean `v2`?"
    assert WRONG.encode()[slice(*finding.span)] == b"v22"
    text = str(error)
    assert text.startswith("the configuration has 1 problem\n\nerror[LANE0102]: group `shop` has no lane `v22`\n")
    assert (
        "9 |       - {name: testers, service: web.svc, lane: v22}\n  |                                                 ^^^"
        in text
    )
    assert isinstance(error, ValueError)
    again = pickle.loads(pickle.dumps(error))
    assert again.diagnostics == error.diagnostics
    assert str(again) == text
    assert eval(repr(finding), {**vars(lane)}) == finding


def test_checking_does_not_raise(examples: Path) -> None:
    assert [finding.code for finding in Router.check(WRONG) if finding.severity == "error"] == ["LANE0102"]
    assert Router.check((examples / "permissive.yaml").read_bytes(), name="permissive.yaml") == ()
    (finding,) = Router.check("{", format="json", name="a.json")
    assert finding.file == "a.json"
    assert str(finding).startswith("error[LANE0001]")
    doubtful = Router.from_yaml(WRONG.replace("v22", "v1"))
    assert [(finding.severity, finding.code) for finding in doubtful.warnings] == [("warning", "LANE0602")]
    with pytest.raises(ValueError, match="`format` is"):
        Router.check("", format="toml")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"\xff\xfe", "LANE0001"),
        ("a: &a [*a]", "LANE0007"),
        ("[" * 100_000, "LANE0006"),
        ("groups: !!python/object/apply:os.system [true]", "LANE0007"),
        ("a: {" * 5_000, None),
        ("version: 1\nversion: 1\n", "LANE0003"),
        ("version: 1\ngroups: 7\n", "LANE0004"),
        ("", None),
        ("\0", None),
        ("x" * (17 << 20), "LANE0006"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{i}: [{'*b, ' * 99}*b]\n" for i in range(999)), None),
    ],
)
def test_untrusted_yaml(text: str | bytes, code: str | None) -> None:
    with pytest.raises(CompileError) as caught:
        Router.from_yaml(text)
    assert caught.value.diagnostics
    assert len(str(caught.value)) < 200_000
    if code is not None:
        assert code in {finding.code for finding in caught.value.diagnostics}


def test_a_thousand_problems_are_told_in_bounded_time() -> None:
    text = "version: 1\ngroups:\n" + "".join(f"  - {{name: 'bad name {i}', nothing: {i}}}\n" for i in range(5_000))
    with pytest.raises(CompileError) as caught:
        Router.from_yaml(text)
    assert len(caught.value.diagnostics) > 5_000


def test_deep_and_strange_dicts() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"groups": [deep]}
    with pytest.raises(ValueError, match="nested more than 128 levels deep"):
        Router.from_dict(deep)
    circular: dict[str, Any] = {}
    circular["groups"] = circular
    with pytest.raises(ValueError, match="nested more than"):
        Router.from_dict(circular)
    with pytest.raises(ValueError, match="`version` is NaN"):
        Router.from_dict({"version": float("nan")})
    with pytest.raises(TypeError, match="has the key 1, which is not a str"):
        Router.from_dict({"groups": {1: 2}})
    with pytest.raises(TypeError, match=r"`groups\[0\]` must be what a JSON document can hold, not object"):
        Router.from_dict({"groups": [object()]})
    with pytest.raises(CompileError, match="LANE0004"):
        Router.from_dict({"version": 2**70, "groups": []})
    with pytest.raises(CompileError):
        Router.from_dict([])  # type: ignore[arg-type]


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Router.from_file(tmp_path / "lanes.yaml")
    assert caught.value.filename == str(tmp_path / "lanes.yaml")
    with pytest.raises(IsADirectoryError):
        Router.from_file(tmp_path)
    with pytest.raises(TypeError):
        Router.from_file(7)  # type: ignore[arg-type]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(WRONG)
    with pytest.raises(CompileError, match=f"--> {wrong}:9:49"):
        Router.from_file(wrong)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"path": 7}, TypeError, "`path` must be str or bytes, not int"),
        ({"headers": "x"}, TypeError, "`headers` must be a mapping or pairs, not str"),
        ({"headers": ["ab"]}, TypeError, "`headers` must hold pairs"),
        ({"headers": [("a", "b", "c")]}, TypeError, "`headers` must hold pairs"),
        ({"headers": {"a": 1}}, TypeError, r'`headers\["a"\]` must be str or bytes, not int'),
        ({"headers": 7}, TypeError, "`headers` must be a mapping or pairs, not int"),
        ({"headers": [(b"\xff", "a")]}, ValueError, "a header's name is not UTF-8"),
        ({"path": "\ud800"}, ValueError, "`path` holds characters that UTF-8 cannot write; give bytes"),
        ({"roll": -1}, OverflowError, "`roll` must be a whole number from 0 to 18446744073709551615"),
        ({"roll": 2**64}, OverflowError, "`roll` must be"),
        ({"roll": "-1"}, ValueError, "`roll` must be"),
        ({"roll": 1.5}, TypeError, "`roll` must be a whole number from 0 to 18446744073709551615, not float"),
        ({"roll": True}, TypeError, "not bool"),
        ({"source": {"name": "x"}}, TypeError, "`source` has the fields service, labels, lane and ip"),
        ({"source": {"labels": {"a": 1}}}, TypeError, r"`source.labels\[a\]` must be str, not int"),
        ({"remembered": 1}, TypeError, "`remembered` must be a mapping or pairs, not int"),
        ({"recorded": "version"}, TypeError, "`recorded` must be a sequence of str, not str"),
        ({"recorded": [1]}, TypeError, "`recorded` must be str, not int"),
        ({"nothing": 1}, TypeError, "nothing"),
    ],
)
def test_wrong_requests(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Request(**fields)


def test_wrong_arguments(examples: Path) -> None:
    router = Router.from_file(examples / "permissive.yaml")
    with pytest.raises(TypeError, match="a request must be a lane.Request"):
        router.ingress(7)
    with pytest.raises(TypeError, match="a request has no field 'pth'"):
        router.ingress({"pth": "/"})
    with pytest.raises(TypeError, match=r"ask `Router.answer`"):
        router.ingress({"hop": {"service": "mockb"}})
    with pytest.raises(TypeError):
        router.ingress(Request(), "ingressgateway")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="exactly one of `ingress`, `hop` and `inbound` may stand"):
        router.answer({"hop": {"service": "a"}, "inbound": {}})
    with pytest.raises(ValueError, match=r"`headers\[0\]`: "):
        router.answer({"inbound": {}, "headers": [["a"]]})
    with pytest.raises(ValueError, match=r'there is no limit "rule"; there are: rules'):
        Router.from_yaml("", limits={"rule": 1})
    with pytest.raises(CompileError, match="LANE0501"):
        Router.from_yaml((examples / "strict.yaml").read_text(), limits={"lanes": 1})
    with pytest.raises(TypeError, match="`calls` must be names"):
        router.trace_calls(Request(), "mockb")
    deep: Any = []
    for _ in range(100_000):
        deep = {"mockb": deep}
    with pytest.raises(ValueError, match="`calls` is nested more than 64 levels deep"):
        router.trace_calls(Request(), deep, roll=0)
    with pytest.raises(TypeError, match="`services` must be a sequence of str, not str"):
        router.trace(Request(), services="mockb")


def test_nothing_ends_the_interpreter(examples: Path) -> None:
    """Objects that misbehave while they are read."""
    code = """
import lane, sys
router = lane.Router.from_file(sys.argv[1])
class Bad:
    def __iter__(self): raise RuntimeError("iter")
    def __getattr__(self, name): raise RuntimeError(name)
    def __arrow_c_stream__(self, requested_schema=None): return 7
class Endless(dict):
    def items(self): return [(self, self)]
told = 0
for call in (
    lambda: router.ingress(Bad()), lambda: router.route_arrow(Bad()), lambda: lane.Request(headers=Bad()),
    lambda: lane.Request(headers=Endless(a=1)), lambda: router.ingress(lane.Request(), live=Bad()),
    lambda: lane.Router.from_dict(Endless(a=1)), lambda: lane.Request(source=Bad()), lambda: router.trace_calls({}, Bad()),
    lambda: lane.Decision(outcome="routed", subset=Bad()), lambda: router.route_arrow(object()),
):
    try:
        call()
    except Exception as error:
        told += 1
print(told)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, str(examples / "permissive.yaml")], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, "10", "")
