"""The compiled half of `lane`; `stubtest` holds these declarations to it."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, final

from typing_extensions import Self

from lane._values import (
    CallTree,
    Chain,
    Diagnostic,
    Explanation,
    Fallback,
    Found,
    Outcome,
    Reason,
    Remembered,
    SetCookie,
    Source,
    Subset,
)

__all__ = [
    "Case",
    "Decision",
    "DecisionStream",
    "Liveness",
    "Request",
    "Router",
    "Suite",
    "TraceTable",
    "__version__",
    "covered_rules",
    "run_command",
    "track_coverage",
]
__version__: str

_Text: TypeAlias = str | bytes
# A mapping to lines or lists of lines, or pairs.
_Headers: TypeAlias = Mapping[str, _Text | list[str] | list[bytes]] | Iterable[tuple[_Text, _Text]]
_Counts: TypeAlias = Mapping[str, Mapping[str, tuple[int, int]]]
_Live: TypeAlias = Liveness | _Counts | None
_Calls: TypeAlias = Mapping[str, Any] | Iterable[Any] | None
_Roll: TypeAlias = int | str | None
_Format: TypeAlias = Literal["yaml", "json"]
_Result: TypeAlias = Literal[
    "outcome", "status", "group", "rule", "lane", "service", "subset", "reason", "found", "notes", "undetermined"
]
# A lane.Request, a request of a client library, a WSGI environment, an ASGI scope, or a mapping.
_Request: TypeAlias = object

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

@final
class Request:
    __match_args__: ClassVar[tuple[str, str, str]]
    def __new__(
        cls,
        *,
        method: _Text | None = None,
        authority: _Text | None = None,
        path: _Text | None = None,
        headers: _Headers | None = None,
        source: Source | Mapping[str, Any] | None = None,
        remembered: Mapping[str, str] | None = None,
        roll: _Roll = None,
        recorded: Iterable[str] | None = None,
    ) -> Self: ...
    @staticmethod
    def of(request: _Request) -> Request: ...
    @staticmethod
    def from_url(
        url: str,
        *,
        method: str = "GET",
        headers: _Headers | None = ...,
        source: Source | Mapping[str, Any] | None = ...,
        remembered: Mapping[str, str] | None = ...,
        roll: _Roll = ...,
        recorded: Iterable[str] | None = ...,
    ) -> Request: ...
    def replace(
        self,
        *,
        method: _Text | None = ...,
        authority: _Text | None = ...,
        path: _Text | None = ...,
        headers: _Headers | None = ...,
        source: Source | Mapping[str, Any] | None = ...,
        remembered: Mapping[str, str] | None = ...,
        roll: _Roll = ...,
        recorded: Iterable[str] | None = ...,
    ) -> Request: ...
    @property
    def method(self) -> _Text | None: ...
    @property
    def authority(self) -> _Text | None: ...
    @property
    def path(self) -> _Text | None: ...
    @property
    def headers(self) -> tuple[tuple[str, _Text], ...]: ...
    @property
    def source(self) -> Source: ...
    @property
    def remembered(self) -> dict[str, str]: ...
    @property
    def roll(self) -> int | None: ...
    @property
    def recorded(self) -> tuple[str, ...] | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...

@final
class Decision:
    __match_args__: ClassVar[tuple[str, str, str]]
    def __new__(
        cls,
        *,
        outcome: Outcome,
        group: str | None = None,
        rule: str | None = None,
        lane: str | None = None,
        service: str | None = None,
        subset: Subset | None = None,
        fallback: Fallback | None = None,
        reason: Reason | None = None,
        found: Found | None = None,
        set_headers: Mapping[str, _Text] | None = None,
        remove_headers: Iterable[str] | None = None,
        set_cookie: SetCookie | None = None,
        remember: Iterable[Remembered] | None = None,
        notes: Iterable[str] | None = None,
        undetermined: Iterable[str] | None = None,
    ) -> Self: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def status(self) -> int: ...
    @property
    def group(self) -> str | None: ...
    @property
    def rule(self) -> str | None: ...
    @property
    def lane(self) -> str | None: ...
    @property
    def service(self) -> str | None: ...
    @property
    def subset(self) -> Subset | None: ...
    @property
    def fallback(self) -> Fallback | None: ...
    @property
    def reason(self) -> Reason | None: ...
    @property
    def found(self) -> Found | None: ...
    @property
    def set_headers(self) -> dict[str, _Text]: ...
    @property
    def remove_headers(self) -> tuple[str, ...]: ...
    @property
    def set_cookie(self) -> SetCookie | None: ...
    @property
    def remember(self) -> tuple[Remembered, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def undetermined(self) -> tuple[str, ...]: ...
    @property
    def explainable(self) -> bool: ...
    def explain(self) -> Explanation: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_json(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...

@final
class Liveness:
    def set(self, service: str, lane: str, *, endpoints: int, healthy: int) -> None: ...
    def clear(self, service: str, lane: str) -> None: ...
    def get(self, service: str, lane: str) -> tuple[int, int] | None: ...
    def to_dict(self) -> dict[str, dict[str, tuple[int, int]]]: ...
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]: ...

@final
class TraceTable:
    def __new__(cls, *, capacity: int, ttl: int) -> Self: ...
    @property
    def capacity(self) -> int: ...
    @property
    def ttl(self) -> int: ...
    def remember(self, group: str, trace_id: _Text, lane: str, *, now: int) -> None: ...
    def lane(self, group: str, trace_id: _Text, *, now: int) -> str | None: ...
    def items(self, *, now: int) -> tuple[Remembered, ...]: ...
    def __len__(self) -> int: ...

@final
class DecisionStream:
    @property
    def column_names(self) -> tuple[str, ...]: ...
    def counts(self, *columns: str) -> dict[tuple[str | None, ...], int]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Router:
    @staticmethod
    def from_yaml(text: _Text, *, limits: Mapping[str, int] | None = None) -> Router: ...
    @staticmethod
    def from_json(text: _Text, *, limits: Mapping[str, int] | None = None) -> Router: ...
    @staticmethod
    def from_file(path: str | PathLike[str], *, limits: Mapping[str, int] | None = None) -> Router: ...
    @staticmethod
    def from_dict(config: Mapping[str, Any], *, limits: Mapping[str, int] | None = None) -> Router: ...
    @staticmethod
    def check(text: _Text, *, format: _Format = "yaml", name: str | None = None) -> tuple[Diagnostic, ...]: ...
    @staticmethod
    def _restore(text: bytes, format: _Format, name: str | None, limits: Mapping[str, int]) -> Router: ...
    def ingress(
        self, request: _Request, *, gateway: str | None = None, live: _Live = None, roll: _Roll = None
    ) -> Decision: ...
    def hop(self, request: _Request, *, service: str, live: _Live = None, roll: _Roll = None) -> Decision: ...
    def inbound(self, request: _Request) -> tuple[Remembered, ...]: ...
    def explain(
        self,
        request: _Request,
        *,
        gateway: str | None = None,
        service: str | None = None,
        live: _Live = None,
        roll: _Roll = None,
    ) -> Explanation: ...
    def trace(
        self,
        request: _Request,
        *,
        gateway: str | None = None,
        service: str | None = None,
        services: Iterable[str] | None = None,
        live: _Live = None,
        roll: _Roll = None,
    ) -> Chain: ...
    def trace_calls(
        self,
        request: _Request,
        calls: _Calls,
        *,
        gateway: str | None = None,
        service: str | None = None,
        live: _Live = None,
        roll: _Roll = None,
    ) -> CallTree: ...
    def answer(self, request: Mapping[str, Any]) -> Decision | tuple[Remembered, ...]: ...
    def liveness(self, counts: _Counts | None = None) -> Liveness: ...
    def route_arrow(
        self,
        data: _ArrowStream | _ArrowArray,
        *,
        gateway: str | None = None,
        service: str | None = None,
        columns: Mapping[str, str | None] | None = None,
        constants: Mapping[str, _Text | int | None] | None = None,
        recorded: Iterable[str] | None = None,
        live: _Live = None,
        output: Sequence[_Result] | None = None,
        keep: Sequence[str] | bool | None = None,
        prefix: str = "",
        dictionary: bool = True,
    ) -> DecisionStream: ...
    @property
    def warnings(self) -> tuple[Diagnostic, ...]: ...
    @property
    def config(self) -> dict[str, Any]: ...
    @property
    def file(self) -> str | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]: ...

@final
class Suite:
    @staticmethod
    def read(text: str, *, format: _Format = "yaml", name: str | None = None) -> Suite: ...
    @property
    def config_file(self) -> str | None: ...
    @property
    def config_text(self) -> str | None: ...
    @property
    def cases(self) -> list[Case]: ...

@final
class Case:
    @property
    def name(self) -> str: ...
    @property
    def line(self) -> int: ...
    def run(self, router: Router) -> tuple[tuple[str, Any, Any], ...]: ...
    def explain(self, router: Router) -> tuple[Explanation, ...]: ...

def run_command(arguments: Sequence[str]) -> int: ...
def track_coverage(on: bool) -> None: ...
def covered_rules() -> list[tuple[str, str, str, bool]]: ...
