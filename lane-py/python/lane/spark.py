"""Decisions inside Spark: a function for `DataFrame.mapInArrow`.

>>> import lane.spark
>>> decide = lane.spark.route(router, keep=["request_id"])
>>> moved = requests.mapInArrow(decide, decide.schema(requests))

The router travels with the function by its text, each Python worker compiles it once, and rows go through
`Router.route_arrow` as Spark's own Arrow batches. Needs pyspark 3.3 or later, and pyarrow on the workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame

    from lane._lane import Router

__all__ = ["Route", "route"]

#: What a table gets where nothing else is asked for.
USUAL = ("outcome", "status", "lane", "subset", "rule", "reason")


class Route:
    """A function from Arrow batches of requests to Arrow batches of decisions; `route` makes one."""

    def __init__(self, router: Router, options: Mapping[str, Any]) -> None:
        self.router = router
        self.options = dict(options)

    def __call__(self, batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        """Decides about every row; this is what `mapInArrow` calls on the workers."""
        import pyarrow as pa

        first = next(iter(batches), None)
        # A partition may be empty.
        if first is None:
            return

        def all_batches() -> Iterator[pyarrow.RecordBatch]:
            yield first
            yield from batches

        reader = pa.RecordBatchReader.from_batches(first.schema, all_batches())
        # Spark knows neither dictionaries nor unsigned numbers.
        results = self.router.route_arrow(reader, **self.options, dictionary=False)
        for batch in pa.RecordBatchReader.from_stream(results):
            signed = [
                column.cast(pa.int32()) if pa.types.is_unsigned_integer(column.type) else column
                for column in batch.columns
            ]
            yield pa.RecordBatch.from_arrays(signed, names=batch.schema.names)

    def schema(self, requests: DataFrame) -> str:
        """The schema of the results, which `mapInArrow` wants to know beforehand."""
        keep = self.options.get("keep") or ()
        kept = requests.columns if keep is True else keep
        types = {column.name: column.dataType.simpleString() for column in requests.schema.fields}
        fields = [f"`{name}` {types[name]}" for name in kept]
        prefix = self.options.get("prefix", "")
        for name in self.options.get("output") or USUAL:
            fields.append(f"`{prefix}{name}` {'int' if name == 'status' else 'string'}")
        return ", ".join(fields)


def route(
    router: Router,
    columns: Mapping[str, str | None] | None = None,
    *,
    gateway: str | None = None,
    service: str | None = None,
    constants: Mapping[str, str | bytes | int | None] | None = None,
    recorded: Sequence[str] | None = None,
    live: Mapping[str, Mapping[str, tuple[int, int]]] | None = None,
    output: Sequence[str] | None = None,
    keep: Sequence[str] | bool | None = None,
    prefix: str = "",
) -> Route:
    """A function for `mapInArrow` that decides about every row; the arguments are those of `Router.route_arrow`."""
    options: dict[str, Any] = {
        "columns": columns,
        "gateway": gateway,
        "service": service,
        "constants": constants,
        "recorded": recorded,
        "live": live,
        "output": output,
        "keep": keep,
        "prefix": prefix,
    }
    return Route(router, {name: value for name, value in options.items() if value not in (None, "")})
