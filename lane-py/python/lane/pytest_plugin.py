"""The pytest plugin, which `pip install` registers by itself.

It gives the fixture `lane_router`, tells why an assertion about a decision failed, collects `*.lane-test.yaml` files
(those of `lane test`) as tests, and reports which rules no decision was made by.
"""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from lane import _lane
from lane._values import CallTree, Chain, CompileError, Explanation
from lane.testing import why

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionInfo, TerminalRepr
    from _pytest.terminal import TerminalReporter

#: So many decisions of one statement are explained.
MOST_EXPLAINED = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lane", "traffic lanes")
    group.addoption("--lane-config", metavar="FILE", help="configuration of the fixture lane_router")
    group.addoption("--lane-coverage", action="store_true", help="list the rules that decided nothing")
    group.addoption(
        "--lane-fail-under",
        type=float,
        metavar="PERCENT",
        help="fail when fewer than this many percent of all rules decided something",
    )
    parser.addini("lane_config", "configuration of the fixture lane_router, relative to the ini-file")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lane_config(file): the configuration of the fixture lane_router for this test")
    if _covers(config):
        _lane.track_coverage(True)
        config.pluginmanager.register(_Coverage(config), "lane-coverage")


def _covers(config: pytest.Config) -> bool:
    return bool(config.getoption("lane_coverage")) or config.getoption("lane_fail_under") is not None


# --- the fixture -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _lane_routers() -> dict[Path, _lane.Router]:
    """Routers by file: a session compiles each once."""
    return {}


@pytest.fixture
def lane_router(request: pytest.FixtureRequest, _lane_routers: dict[Path, _lane.Router]) -> _lane.Router:
    """The router of the file that the marker `lane_config`, the option `--lane-config` or the ini-value names."""
    path = _config_path(request)
    if path not in _lane_routers:
        try:
            _lane_routers[path] = _lane.Router.from_file(path)
        except (CompileError, OSError) as error:
            pytest.fail(str(error), pytrace=False)
    return _lane_routers[path]


def _config_path(request: pytest.FixtureRequest) -> Path:
    config = request.config
    marker = request.node.get_closest_marker("lane_config")
    if marker is not None:
        if len(marker.args) != 1 or marker.kwargs:
            pytest.fail('the marker takes one file: @pytest.mark.lane_config("lanes.yaml")', pytrace=False)
        return _near(Path(marker.args[0]), request.path.parent, config.rootpath)
    given = config.getoption("lane_config")
    if given:
        return Path(config.invocation_params.dir, given)
    named = config.getini("lane_config")
    if not named:
        pytest.fail(
            "the fixture lane_router has no configuration: write `lane_config = lanes.yaml` into the ini-file, "
            'mark the test with @pytest.mark.lane_config("lanes.yaml"), or give --lane-config',
            pytrace=False,
        )
    return Path(config.inipath.parent if config.inipath else config.rootpath, str(named))


def _near(path: Path, *folders: Path) -> Path:
    """The file beside the test, or below the root."""
    found = (folder / path for folder in folders if (folder / path).exists())
    return next(found, folders[0] / path)


# --- why an assertion failed -----------------------------------------------------------------------------------------


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    # Here unittest's failures have arrived as well, and the report is not yet made.
    if call.excinfo is not None and isinstance(call.excinfo.value, AssertionError):
        told = _told(call.excinfo.value)
        if told:
            _extend(call.excinfo.value, told)


def _extend(error: AssertionError, told: str) -> None:
    """Adds to what an assertion says, so that it stands where the assertion is reported, and nowhere twice."""
    said = str(error)
    if told not in said:
        error.args = (f"{said}\n\n{told}" if said else told,)


def _told(error: AssertionError) -> str:
    """Why the decisions are what they are that the failed statement is about."""
    explained: list[_lane.Decision] = []
    for frame, line in _frames(error.__traceback__):
        for decision in _decisions(frame, line):
            if all(decision is not other for other in explained):
                explained.append(decision)
        if explained:
            break
    return "\n".join(why(decision) for decision in explained[:MOST_EXPLAINED])


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames that were left, the innermost first."""
    frames = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    yield from reversed(frames)


def _decisions(frame: FrameType, line: int) -> Iterator[_lane.Decision]:
    """The decisions that the failed statement mentions."""
    # What is rewritten for pytest keeps the parts of the expression that failed in variables of its own.
    for name, value in frame.f_locals.items():
        if name.startswith("@py_assert"):
            yield from _within(value)
    for name in _names(frame, line):
        value = frame.f_locals.get(name, frame.f_globals.get(name))
        yield from _within(value)


def _within(value: object) -> Iterator[_lane.Decision]:
    if isinstance(value, _lane.Decision):
        if value.explainable:
            yield value
    elif isinstance(value, Explanation):
        yield value.decision
    elif isinstance(value, (Chain, CallTree)):
        yield from value.decisions


def _names(frame: FrameType, line: int) -> list[str]:
    """The names in the statement at this line, in the order in which they stand there."""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    # A statement of many lines is reported at its first, or at one of its parts.
    for first in range(line - 1, max(line - 30, 0) - 1, -1):
        for last in range(max(line, first + 1), min(line + 30, len(lines)) + 1):
            source = textwrap.dedent("".join(lines[first:last]))
            try:
                statements = ast.parse(source).body
            except (SyntaxError, ValueError):
                continue
            if len(statements) == 1 and isinstance(statements[0], (ast.Assert, ast.Expr)):
                found = (node for node in ast.walk(statements[0]) if isinstance(node, ast.Name))
                return list(
                    dict.fromkeys(node.id for node in sorted(found, key=lambda node: (node.lineno, node.col_offset)))
                )
            break
    return []


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Two decisions differ in fields, not in letters."""
    if op != "==" or not isinstance(left, _lane.Decision) or not isinstance(right, _lane.Decision):
        return None
    mine, other = left.to_dict(), right.to_dict()
    lines = [f"{name}: {mine[name]!r} != {other[name]!r}" for name in mine if mine[name] != other[name]]
    return ["the decisions differ", *lines]


# --- test files ------------------------------------------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LaneFile | None:
    if file_path.name.endswith((".lane-test.yaml", ".lane-test.yml", ".lane-test.json")):
        file: LaneFile = LaneFile.from_parent(parent, path=file_path)
        return file
    return None


class LaneFile(pytest.File):
    """A test file of `lane test`: a configuration, and requests with what is expected of them."""

    def collect(self) -> Iterable[LaneItem]:
        try:
            text = self.path.read_text(encoding="utf-8")
            format: Any = "json" if self.path.suffix == ".json" else "yaml"
            suite = _lane.Suite.read(text, format=format, name=self._name())
            router = self._router(suite)
        except (CompileError, UnicodeDecodeError, OSError) as error:
            raise self.CollectError(str(error)) from None
        for case in suite.cases:
            yield LaneItem.from_parent(self, name=case.name, case=case, router=router)

    def _router(self, suite: _lane.Suite) -> _lane.Router:
        if suite.config_file is not None:
            return _lane.Router.from_file(self.path.parent / suite.config_file)
        if suite.config_text is not None:
            # Under the file's name, so that its rules count for the coverage.
            return _lane.Router._restore(suite.config_text.encode(), "json", self._name(), {})
        named = self.config.getoption("lane_config") or self.config.getini("lane_config")
        if not named:
            raise self.CollectError(f"{self._name()} names no configuration: write `config: lanes.yaml` into it")
        folder = self.config.inipath.parent if self.config.inipath else self.config.rootpath
        return _lane.Router.from_file(folder / str(named))

    def _name(self) -> str:
        try:
            return str(self.path.relative_to(self.config.rootpath))
        except ValueError:
            return str(self.path)


class CaseFailed(Exception):
    """A case does not hold: the fields that differ."""


class LaneItem(pytest.Item):
    """One case of a test file."""

    def __init__(self, *, case: _lane.Case, router: _lane.Router, **known: Any) -> None:
        super().__init__(**known)
        self.case = case
        self.router = router

    def runtest(self) -> None:
        differences = self.case.run(self.router)
        if differences:
            raise CaseFailed(differences)

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        error = excinfo.value
        if isinstance(error, CaseFailed):
            lines = [f"{self.path.name}:{self.case.line}: {self.case.name}"]
            lines += [f"  {field}: wanted {wanted!r}, got {actual!r}" for field, wanted, actual in error.args[0]]
            for explanation in self.case.explain(self.router):
                lines += ["", why(explanation.decision)]
            return "\n".join(lines)
        if isinstance(error, ValueError):
            return f"{self.path.name}:{self.case.line}: {self.case.name}: {error}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, self.case.name


# --- coverage of rules -----------------------------------------------------------------------------------------------


class _Coverage:
    """Which rules decided something, over all processes of the session."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rules: dict[tuple[str, str, str], bool] = {}

    def add(self, rules: Iterable[Iterable[Any]]) -> None:
        for file, group, rule, decided in rules:
            # One file is one file, however it was named.
            key = (str(Path(file).absolute()), group, rule)
            self.rules[key] = self.rules.get(key, False) or decided

    @property
    def percent(self) -> float:
        return 100.0 if not self.rules else 100 * sum(self.rules.values()) / len(self.rules)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.add(_lane.covered_rules())
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            # A worker of pytest-xdist tells its controller.
            output["lane_rules"] = [[*key, decided] for key, decided in self.rules.items()]
            return
        under = self.config.getoption("lane_fail_under")
        if under is not None and self.percent < under and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self.add(getattr(node, "workeroutput", {}).get("lane_rules", ()))

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if hasattr(self.config, "workeroutput"):
            return
        decided = sum(self.rules.values())
        terminalreporter.section("lane rules")
        for (file, group, rule), covered in self.rules.items():
            if not covered:
                name = file
                if Path(file).is_relative_to(self.config.rootpath):
                    name = str(Path(file).relative_to(self.config.rootpath))
                terminalreporter.line(f"no decision by rule `{rule}` of group `{group}` in {name}", yellow=True)
        terminalreporter.line(f"rules covered: {decided} of {len(self.rules)} ({self.percent:.0f} %)")
        under = self.config.getoption("lane_fail_under")
        if under is not None and self.percent < under:
            terminalreporter.line(f"that is less than {under:g} %", red=True, bold=True)

    def pytest_unconfigure(self) -> None:
        _lane.track_coverage(False)
