"""Plain values: what decisions, chains and diagnostics are made of.

All of them are immutable and compare by their fields; those that hold no mapping hash by them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lane._lane import Decision, Liveness, Router

#: What becomes of a request (S29).
Outcome = Literal["routed", "fell_back", "pass", "no_route", "unavailable", "undetermined"]
#: Why a lane was passed over (S24).
Reason = Literal["not_in_lane", "no_endpoints", "none_healthy", "below_min_healthy"]
#: Where a lane name was found (S22, S29).
FoundIn = Literal["header", "baggage", "cookie", "query", "trace_id", "source", "rule"]


@dataclass(frozen=True, slots=True)
class Source:
    """Who calls, as far as it is known."""

    #: The calling service, by host or alias.
    service: str | None = None
    #: Labels of the calling workload.
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: The lane of the calling workload, where it is known by name.
    lane: str | None = None
    #: The caller's address; what is none counts as absent.
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Subset:
    """The endpoints of one service that belong to one lane."""

    #: The lane.
    lane: str
    #: The labels that select its endpoints.
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Fallback:
    """One lane serving in another's place."""

    #: The request's lane (`from` in JSON, which is a keyword here).
    origin: str
    #: The lane that serves.
    to: str


@dataclass(frozen=True, slots=True)
class Found:
    """A lane name as it was found, and where (`in` in JSON, which is a keyword here)."""

    value: str | bytes
    place: FoundIn


@dataclass(frozen=True, slots=True)
class SetCookie:
    """A cookie that makes a client sticky (S19)."""

    name: str
    value: str
    #: How long the client keeps it, in seconds.
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """A lane to remember for a trace id (S28)."""

    group: str
    trace_id: str | bytes
    lane: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is wrong, or doubtful, in a configuration; `str` draws it with its line."""

    #: `error`: the configuration is refused; `warning`: it works, but perhaps not as meant.
    severity: Literal["error", "warning"]
    #: The kind of problem, for example `LANE0102`; `lane explain LANE0102` tells more.
    code: str
    #: What is wrong.
    message: str
    #: What to do about it.
    help: str | None
    #: The file, where the text came from one.
    file: str | None
    #: The field at fault, for example `groups[0].rules[3].match`.
    path: str
    #: The line, counted from 1.
    line: int
    #: The column in characters, counted from 1.
    column: int
    #: The bytes of the text at fault: the first, and the first behind them.
    span: tuple[int, int]
    #: The problem drawn with its line of the text.
    rendered: str = field(repr=False, compare=False, default="")

    @classmethod
    def _of(
        cls,
        severity: Literal["error", "warning"],
        code: str,
        message: str,
        help: str | None,
        file: str | None,
        path: str,
        place: tuple[int, int, int, int],
        rendered: str,
    ) -> Diagnostic:
        line, column, start, end = place
        return cls(severity, code, message, help, file, path, line, column, (start, end), rendered)

    def __str__(self) -> str:
        return self.rendered or f"{self.file or '<config>'}:{self.line}:{self.column}: {self.code}: {self.message}"


class CompileError(ValueError):
    """A configuration was refused; its text shows every problem with its line."""

    #: Everything that is wrong, and the warnings beside it, sorted by place.
    diagnostics: tuple[Diagnostic, ...]

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        errors = sum(finding.severity == "error" for finding in self.diagnostics)
        problems = "1 problem" if errors == 1 else f"{errors} problems"
        drawn = "\n\n".join(map(str, self.diagnostics))
        return f"the configuration has {problems}\n\n{drawn}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision is what it is (S30); `str` tells it in words."""

    #: The decision; the same one that is given without explaining.
    decision: Decision
    #: What was done, in order, as data: `rule`, `look`, `draw` and `candidate` steps.
    steps: tuple[Mapping[str, Any], ...] = field(hash=False)
    #: What the request would have to tell for the decision to be determined: `header NAME` or `roll`.
    undetermined: tuple[str, ...]
    #: What was done, in words.
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Hop:
    """One call of a chain."""

    #: The calling service's host; `None` where it is not known.
    caller: str | None
    #: The called name.
    service: str
    decision: Decision
    #: The header lines that the calling application passed on.
    passed_on: tuple[tuple[str, str | bytes], ...]
    #: What the caller's sidecar remembered of the request that it serves.
    remembered: tuple[Remembered, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """One lane's part of a split."""

    lane: str
    weight: int
    #: The weight over the sum of all, exactly.
    share: Fraction

    @classmethod
    def _of(cls, lane: str, weight: int, numerator: int, denominator: int) -> Share:
        return cls(lane, weight, Fraction(numerator, denominator))


@dataclass(frozen=True, slots=True)
class Cell:
    """Who serves a lane's requests at one service."""

    outcome: Outcome
    #: The lane whose endpoints serve.
    lane: str | None
    #: Whether that is another lane than the request's.
    fallback: bool
    #: Why the lane itself does not serve.
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class LaneTable:
    """For every lane of a group, who serves each service."""

    group: str
    #: The services' hosts, in document order.
    services: tuple[str, ...]
    #: For each lane, in document order, one cell a service.
    rows: Mapping[str, tuple[Cell, ...]] = field(hash=False)

    @classmethod
    def _of(cls, group: str, services: tuple[str, ...], rows: list[tuple[str, tuple[Cell, ...]]]) -> LaneTable:
        return cls(group, services, dict(rows))

    def __str__(self) -> str:
        def words(lane: str, cell: Cell) -> str:
            if cell.lane is None:
                return cell.outcome
            return f"{cell.lane} (falls back)" if cell.fallback else cell.lane

        head = ["lane", *(host.split(".", 1)[0] for host in self.services)]
        body = [[lane, *(words(lane, cell) for cell in cells)] for lane, cells in self.rows.items()]
        widths = [max(len(row[column]) for row in [head, *body]) for column in range(len(head))]
        lines = [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in [head, *body]]
        lines.insert(1, ["-" * width for width in widths])
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@dataclass(frozen=True, slots=True)
class Chain:
    """A request's way through a line of services."""

    #: The gateway's decision; `None` where the request entered at a call.
    ingress: Decision | None
    #: The calls, in order, up to the first that nobody serves.
    hops: tuple[Hop, ...]
    #: Whether every service was reached.
    complete: bool
    #: For every lane of the deciding group, who serves each service.
    table: LaneTable | None
    #: The parts of the deciding rule's split.
    shares: tuple[Share, ...] | None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every decision, in order."""
        entry = () if self.ingress is None else (self.ingress,)
        return entry + tuple(hop.decision for hop in self.hops)

    def __str__(self) -> str:
        return " -> ".join(map(step, self.decisions))


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a call graph, and the calls that the called service makes in turn."""

    #: The calling service's host.
    caller: str | None
    #: The called name.
    service: str
    decision: Decision
    #: The header lines that the calling application passed on.
    passed_on: tuple[tuple[str, str | bytes], ...]
    #: What the caller's sidecar remembered of the request that it serves.
    remembered: tuple[Remembered, ...]
    #: What the called service calls; nothing where nobody serves the call.
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class CallTree:
    """A request's way through a call graph; `str` draws it."""

    #: The decision about the request that entered, at a gateway or at a first call.
    entry: Decision
    #: The calls of the service that it entered.
    calls: tuple[Call, ...]

    def walk(self) -> Iterator[Call]:
        """Every call, callers before what they call."""
        waiting = list(reversed(self.calls))
        while waiting:
            call = waiting.pop()
            yield call
            waiting.extend(reversed(call.calls))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every decision, callers before what they call."""
        return (self.entry, *(call.decision for call in self.walk()))

    def __str__(self) -> str:
        lines = [step(self.entry)]

        def draw(calls: tuple[Call, ...], indent: str) -> None:
            for call in calls:
                last = call is calls[-1]
                lines.append(f"{indent}{'└─ ' if last else '├─ '}{step(call.decision)}")
                draw(call.calls, indent + ("   " if last else "│  "))

        draw(self.calls, "")
        return "\n".join(lines)


def step(decision: Decision) -> str:
    """A decision in a few words: `mockb(v1, falls back from v2)`."""
    service = (decision.service or "gateway").split(".", 1)[0]
    if decision.subset is None:
        return f"{service}({decision.outcome})"
    if decision.fallback is not None:
        return f"{service}({decision.subset.lane}, falls back from {decision.fallback.origin})"
    return f"{service}({decision.subset.lane})"


def _liveness(router: Router, counts: Mapping[str, Mapping[str, tuple[int, int]]]) -> Liveness:
    """Unpickles endpoint counts."""
    return router.liveness(counts)
