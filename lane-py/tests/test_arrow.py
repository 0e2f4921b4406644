"""Tables and streams: the same answers as one by one, whoever made the columns."""

from __future__ import annotations

import base64
import gc
import json
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import VECTORS

import lane
from lane import Request, Router

USUAL = ["outcome", "status", "lane", "subset", "rule", "reason"]

CONFIG = """
version: 1
groups:
  - name: shop
    mode: permissive
    gateways: [edge]
    guiding_header: version
    context: {baggage: version}
    baseline: v1
    services: [{host: cart.svc, aliases: [cart]}, {host: stock.svc, aliases: [stock]}]
    lanes: [{name: v1}, {name: v2, services: [cart.svc]}, {name: v3}]
    rules:
      - name: testers
        hosts: ["*.shop.example"]
        service: cart.svc
        match:
          - {path: {segments: /cart}, headers: {x-user-group: {in: [qa, staff]}}}
          - {cookies: {beta: {exact: "1"}}, query: {debug: {present: true}}}
          - {source: {ip: [10.0.0.0/8]}, method: {exact: PUT}}
        lane: v2
      - name: everyone
        hosts: ["*.shop.example"]
        service: cart.svc
        split: [{lane: v1, weight: 40}, {lane: v2, weight: 30}, {lane: v3, weight: 30}]
        sticky: {keys: [{cookie: uid}, {header: x-user-id}]}
"""


@pytest.fixture(scope="module")
def router() -> Router:
    return Router.from_yaml(CONFIG)


def rows(count: int = 3_000) -> list[dict[str, Any]]:
    """Requests of every kind, also those that lack something."""
    draw = random.Random(7)

    def one() -> dict[str, Any]:
        return {
            "method": draw.choice(["GET", "PUT", None]),
            "authority": draw.choice(["www.shop.example", "WWW.SHOP.EXAMPLE:8080", "other.example", None]),
            "path": draw.choice(
                ["/cart", "/cart/7?debug", "/x?debug=1", "/", None, "/a-long-path/beyond/what/a/view/holds/inline"]
            ),
            "header:x-user-group": draw.choice(["qa", "staff", "other", "", None]),
            "header:x-user-id": draw.choice(["1", "22", "somebody-with-a-long-name", None]),
            "cookie:beta": draw.choice(["1", "0", None]),
            "cookie:uid": draw.choice(["", "7", "8", "nine", None, None]),
            "roll": draw.choice([None, 0, 39, 40, 75, 2**63 - 1]),
            "source_ip": draw.choice(["10.1.2.3", "::ffff:10.0.0.1", "192.0.2.1", "nowhere", None]),
        }

    return [one() for _ in range(count)]


def one_by_one(router: Router, table: list[dict[str, Any]]) -> list[list[Any]]:
    results = []
    for row in table:
        headers = [(name[7:], row[name]) for name in row if name.startswith("header:") and row[name] is not None]
        cookies = [f"{name[7:]}={row[name]}" for name in row if name.startswith("cookie:") and row[name] is not None]
        if cookies:
            headers.append(("cookie", "; ".join(cookies)))
        decision = router.ingress(
            Request(
                method=row["method"],
                authority=row["authority"],
                path=row["path"],
                headers=headers,
                source=lane.Source(ip=row["source_ip"]),
                roll=row["roll"],
            )
        )
        subset = decision.subset and decision.subset.lane
        results.append([decision.outcome, decision.status, decision.lane, subset, decision.rule, decision.reason])
    return results


def table_of(stream: lane.DecisionStream) -> list[list[Any]]:
    table = pa.table(stream)
    assert table.column_names == USUAL
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def sources(table: pa.Table) -> Iterator[tuple[str, Any]]:
    """The same table, as different libraries hold it."""
    yield "pyarrow", table
    yield "batch", table.combine_chunks().to_batches()[0]
    yield "reader", pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=70))
    yield "chunks", pa.concat_tables([table.slice(start, 1_000) for start in range(0, len(table), 1_000)])
    yield "sliced", pa.concat_tables([table, table]).slice(len(table))
    yield "polars", pl.DataFrame(table)
    yield "pandas", pd.DataFrame({**table.to_pydict(), "roll": pd.array(table["roll"].to_pylist(), dtype="UInt64")})
    yield "pandas of arrow", table.to_pandas(types_mapper=pd.ArrowDtype)
    yield "duckdb", duckdb.from_arrow(table)
    texts = [name for name in table.column_names if name != "roll"]
    for kind in (
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int8(), pa.string()),
    ):
        as_kind = pa.table(
            {name: table[name].cast(kind) if name in texts else table[name] for name in table.column_names}
        )
        yield str(kind), as_kind
    yield "categories", pl.DataFrame(table).with_columns(pl.col("path").cast(pl.Categorical))
    yield "wide keys", pa.table({name: table[name].dictionary_encode() for name in texts} | {"roll": table["roll"]})
    yield "digits", table.set_column(table.column_names.index("roll"), "roll", table["roll"].cast(pa.string()))
    yield "signed", table.set_column(table.column_names.index("roll"), "roll", table["roll"].cast(pa.int64()))


def test_the_same_answers_as_one_by_one(router: Router) -> None:
    data = rows()
    wanted = one_by_one(router, data)
    assert len({tuple(row) for row in wanted}) >= 6
    table = pa.Table.from_pylist(
        data, schema=pa.schema([(name, pa.uint64() if name == "roll" else pa.string()) for name in data[0]])
    )
    seen = []
    for name, source in sources(table):
        assert table_of(router.route_arrow(source)) == wanted, name
        seen.append(name)
    assert len(seen) == 18


def test_headers_in_one_column(router: Router) -> None:
    data = rows(500)
    wanted = one_by_one(router, data)
    lines = []
    for row in data:
        headers = [
            (name[7:].upper(), row[name]) for name in row if name.startswith("header:") and row[name] is not None
        ]
        cookies = [f"{name[7:]}={row[name]}" for name in row if name.startswith("cookie:") and row[name] is not None]
        lines.append([*headers, ("Cookie", "; ".join(cookies))] if cookies else headers or None)
    rest = {name: [row[name] for row in data] for name in ("method", "authority", "path", "source_ip", "roll")}
    rest["roll"] = pa.array(rest["roll"], pa.uint64())
    pair = pa.struct([("name", pa.string()), ("value", pa.binary())])
    structs = [
        None if line is None else [{"name": name, "value": value.encode()} for name, value in line] for line in lines
    ]
    for column in (
        pa.array(lines, pa.map_(pa.string(), pa.string())),
        pa.array(structs, pa.list_(pair)),
        pa.array(structs, pa.large_list(pair)),
    ):
        table = pa.table({**rest, "headers": column})
        assert table_of(router.route_arrow(table)) == wanted
        assert table_of(router.route_arrow(table.slice(100, 300))) == wanted[100:400]
        assert (
            table_of(router.route_arrow(pl.DataFrame(table) if not pa.types.is_map(column.type) else table)) == wanted
        )


def test_a_struct_of_headers() -> None:
    router = Router.from_yaml(
        CONFIG.replace(
            "      - name: everyone",
            "      - name: x\n        service: cart.svc\n        match: [{headers: {x-y: {exact: a}}}]\n        lane: v2\n      - name: everyone",
        )
    )
    struct = pa.array([{"x-user-group": "qa", "X-Y": "b"}, {"x-user-group": "b", "X-Y": "a"}, None])
    table = pa.table({"headers": struct, "path": ["/cart"] * 3})
    constants = {"authority": "a.shop.example", "method": None, "source_ip": None}
    results = router.route_arrow(table, constants=constants, output=["rule", "undetermined"])
    # Cookies were not recorded; the second entry of `testers` reads one, but these requests have no query.
    assert pa.table(results).to_pylist() == [
        {"rule": "testers", "undetermined": None},
        {"rule": "x", "undetermined": None},
        {"rule": "everyone", "undetermined": "header cookie"},
    ]


def test_what_was_not_recorded_is_undetermined(router: Router) -> None:
    known = {"authority": "a.shop.example", "method": "GET", "source_ip": None, "path": "/cart"}
    table = pa.table({"header:x-user-group": ["qa", "other", None]})

    def ask(**more: Any) -> Any:
        options: dict[str, Any] = {"constants": known, "output": ["outcome", "rule", "undetermined"], **more}
        return pa.table(router.route_arrow(table, **options)).to_pylist()

    cookie = {"outcome": "undetermined", "rule": "everyone", "undetermined": "header cookie"}
    assert ask() == [{"outcome": "routed", "rule": "testers", "undetermined": None}, cookie, cookie]
    roll = {"outcome": "undetermined", "rule": "everyone", "undetermined": "roll"}
    complete = {**known, "header:cookie": None, "header:x-user-id": None}
    assert ask(constants=complete)[1:] == [roll, roll]
    assert [row["outcome"] for row in ask(constants={**complete, "roll": 2**64 - 1})] == ["routed"] * 3


def bytes_of(value: Any) -> bytes:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def test_vectors_in_bulk() -> None:
    """Every vector whose request has a row's shape."""
    asked = 0
    for path in sorted(VECTORS.glob("*/*.json")):
        document = json.loads(path.read_text())
        router = Router.from_dict(document["config"])
        for case in document["cases"]:
            data = case["request"]
            if "inbound" in data:
                continue
            source = data.get("source", {})
            lines = [(name, bytes_of(value)) for name, value in data.get("headers", [])]
            pair = pa.struct([("name", pa.string()), ("value", pa.binary())])
            columns: dict[str, Any] = {
                "headers": pa.array([[{"name": name, "value": value} for name, value in lines]], pa.list_(pair)),
                "source_labels": pa.array([list(source.get("labels", {}).items())], pa.map_(pa.string(), pa.string())),
                "roll": pa.array([None if "roll" not in data else int(data["roll"])], pa.uint64()),
            }
            for name in ("method", "authority", "path"):
                columns[name] = pa.array([bytes_of(data[name]) if name in data else None], pa.binary())
            for name in ("service", "lane", "ip"):
                columns[f"source_{name}"] = pa.array([source.get(name)], pa.string())
            for group in document["config"]["groups"]:
                columns[f"remembered:{group['name']}"] = pa.array(
                    [data.get("remembered", {}).get(group["name"])], pa.string()
                )
            place = (
                {"gateway": data["ingress"]["gateway"]} if "ingress" in data else {"service": data["hop"]["service"]}
            )
            recorded = data["recorded"]["headers"] if "recorded" in data else None
            results = router.route_arrow(
                pa.table(columns),
                **place,
                recorded=recorded,
                live=data.get("live"),
                output=[
                    "outcome",
                    "status",
                    "group",
                    "rule",
                    "lane",
                    "service",
                    "subset",
                    "reason",
                    "found",
                    "notes",
                    "undetermined",
                ],
            )
            (row,) = pa.table(results).to_pylist()
            decision = router.answer(data)
            assert isinstance(decision, lane.Decision)
            wanted = {
                **{name: getattr(decision, name) for name in ("outcome", "status", "group", "rule", "lane", "reason")},
                # A name that is nobody's is in the request already.
                "service": None if decision.outcome == "pass" else decision.service,
                "subset": decision.subset and decision.subset.lane,
                "found": decision.found and decision.found.place,
                "notes": ", ".join(decision.notes) or None,
                "undetermined": ", ".join(decision.undetermined) or None,
            }
            assert row == wanted, f"{path.stem}/{case['name']}"
            asked += 1
    assert asked > 1_900


def test_hops(examples: Path) -> None:
    router = Router.from_file(examples / "permissive.yaml")
    table = pa.table({"header:version": ["v1", "v2", "v3", None], "called": ["mockb", "mockb", "mockc", "elsewhere"]})
    constants = {"source_lane": None, "header:baggage": None}
    results = router.route_arrow(table, columns={"service": "called"}, constants=constants)
    assert table_of(results) == [
        ["routed", 200, "v1", "v1", None, None],
        ["fell_back", 200, "v2", "v1", None, "not_in_lane"],
        ["fell_back", 200, "v3", "v1", None, "not_in_lane"],
        ["pass", 200, None, None, None, None],
    ]
    one = router.route_arrow(table, service="mockb", constants={**constants, "label:ASM_TRAFFIC_TAG": "v3"})
    assert [row[2:4] for row in table_of(one)] == [["v1", "v1"], ["v2", "v1"], ["v3", "v3"], ["v3", "v3"]]
    with pytest.raises(
        ValueError, match="a call may belong to its caller's own lane, but there is no column for `source_lane`"
    ):
        router.route_arrow(table, service="mockb")


def test_gateways_by_row() -> None:
    router = Router.from_yaml(CONFIG)
    table = pa.table({"at": ["edge", "other", None], "header:x-user-group": ["qa"] * 3})
    constants = {"authority": "a.shop.example", "method": None, "source_ip": None, "path": "/cart"}
    results = router.route_arrow(table, columns={"gateway": "at"}, constants=constants)
    assert [row[0] for row in table_of(results)] == ["routed", "pass", "pass"]


def test_results_as_wanted(router: Router) -> None:
    table = pa.table({"id": [1, 2], "status": [200, 404], "header:x-user-group": ["qa", "qa"]})
    constants = {"authority": "a.shop.example", "method": None, "source_ip": None, "path": "/cart"}
    results = pa.table(
        router.route_arrow(table, constants=constants, keep=["status", "id"], prefix="lane_", output=["lane", "status"])
    )
    assert results.to_pylist() == [
        {"status": 200, "id": 1, "lane_lane": "v2", "lane_status": 200},
        {"status": 404, "id": 2, "lane_lane": "v2", "lane_status": 200},
    ]
    assert results.schema.field("lane_lane").type == pa.dictionary(pa.int32(), pa.string())
    plain = pa.table(router.route_arrow(table, constants=constants, keep=True, prefix="_", dictionary=False))
    assert plain.schema.field("_lane").type == pa.string()
    assert plain.column_names == [*table.column_names, *(f"_{name}" for name in USUAL)]
    assert plain["_lane"].to_pylist() == ["v2", "v2"]
    stream = router.route_arrow(table, constants=constants)
    assert stream.column_names == tuple(USUAL)
    assert pa.schema(stream).names == USUAL
    assert stream.counts("lane", "reason") == {("v2", None): 2}
    assert repr(stream).endswith("read already>")
    with pytest.raises(RuntimeError, match="was read already"):
        pa.table(stream)
    with pytest.raises(ValueError, match="there is no result `status` to count by"):
        router.route_arrow(table, constants=constants).counts("status")


CONSTANTS = {"authority": "a.shop.example", "method": None, "source_ip": None, "path": "/cart"}


@pytest.mark.parametrize(
    ("table", "options", "error", "words"),
    [
        (
            {"path": ["/"]},
            {},
            ValueError,
            "the rules read `authority`, but there is no column for `authority` \\(there are: path\\)",
        ),
        ({"path": [1]}, {}, TypeError, "the column `path` for `path` must be text or binary, not Int64"),
        ({"roll": [1.5]}, {}, TypeError, "must be whole numbers, or their decimal digits as text, not Float64"),
        ({"headers": ["a"]}, {}, TypeError, "must be a map or struct of texts"),
        ({"p": ["/"]}, {"columns": {"path": "pp"}}, ValueError, "there is no column `pp` for `path`; did you mean `p`"),
        (
            {"p": ["/"]},
            {"columns": {"pat": "p"}},
            ValueError,
            "`pat`, which is no attribute of a request; did you mean `path`",
        ),
        ({"p": ["/"]}, {"columns": {"path": 1}}, TypeError, "must be str, not int"),
        ({"p": ["/"]}, {"columns": "path"}, TypeError, "`columns` must be a mapping or pairs, not str"),
        ({"p": ["/"]}, {"constants": {"headers": "a"}}, ValueError, "`headers` cannot be a constant"),
        ({"p": ["/"]}, {"constants": {"gateway": "a"}}, ValueError, "`gateway` is an argument of its own"),
        ({"p": ["/"]}, {"gateway": "edge", "service": "cart"}, TypeError, "not at both"),
        ({"p": ["/"]}, {"gateway": "a", "columns": {"gateway": "p"}}, ValueError, "given twice"),
        ({"cookie:uid": ["7"]}, {"constants": CONSTANTS}, ValueError, "the rules read the cookie `beta`"),
        (
            {"cookie:uid": ["7"], "header:cookie": ["7"]},
            {"constants": CONSTANTS},
            ValueError,
            "cookies are given twice",
        ),
        (
            {"p": ["/"]},
            {"constants": CONSTANTS, "output": ["lanes"]},
            ValueError,
            "there is no result `lanes`; there are: outcome",
        ),
        (
            {"p": ["/"]},
            {"constants": CONSTANTS, "keep": ["q"]},
            ValueError,
            "there is no column `q` to keep; there are: p",
        ),
        (
            {"lane": ["/"]},
            {"constants": CONSTANTS, "keep": True},
            ValueError,
            "have a column `lane` twice; give a `prefix`",
        ),
        ({"p": ["/"]}, {"constants": CONSTANTS, "recorded": "a"}, TypeError, "`recorded` must be a sequence of str"),
    ],
)
def test_what_is_wrong_is_told_before_the_first_row(
    router: Router, table: dict[str, Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        router.route_arrow(pa.table(table), **options)


def test_wrong_rows_are_told_with_their_number(router: Router) -> None:
    def ask(column: str, values: pa.Array, **options: Any) -> None:
        table = pa.table({column: values})
        pa.table(router.route_arrow(table, constants=options.pop("constants", CONSTANTS), **options))

    with pytest.raises((ValueError, pa.ArrowException, OSError), match="row 1, `roll`: -1 is negative"):
        ask("roll", pa.array([1, -1]))
    with pytest.raises((ValueError, pa.ArrowException, OSError), match="row 0, `roll`: `x` is no whole number"):
        ask("roll", pa.array(["x"]))
    with pytest.raises(ValueError, match="row 70000, `roll`: -1 is negative"):
        router.route_arrow(pa.table({"roll": [0] * 70_000 + [-1]}), constants=CONSTANTS).counts("lane")
    # What is no text is bytes where bytes will do, and an error where a name is meant.
    invalid = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    ask("path", invalid)
    with pytest.raises((ValueError, pa.ArrowException, OSError), match="row 0, `source_lane`: it is not UTF-8"):
        ask("source_lane", invalid)
    broken = pa.RecordBatchReader.from_batches(pa.schema([("path", pa.string())]), breaks())
    stream = router.route_arrow(broken, constants={**CONSTANTS})
    with pytest.raises((ValueError, pa.ArrowException, OSError), match="upstream is broken"):
        pa.table(stream)


def breaks() -> Iterator[pa.RecordBatch]:
    yield pa.record_batch({"path": ["/"]})
    raise RuntimeError("upstream is broken")


def test_a_cookie_cannot_bring_another() -> None:
    router = Router.from_yaml(CONFIG)
    table = pa.table({"cookie:uid": ["7; beta=1"], "cookie:beta": pa.array([None], pa.string())})
    results = router.route_arrow(table, constants={**CONSTANTS, "path": "/?debug"}, output=["rule"])
    assert pa.table(results)["rule"].to_pylist() == ["everyone"]


def test_empty_tables(router: Router) -> None:
    empty = pa.table({"header:x-user-group": pa.array([], pa.string())})
    assert table_of(router.route_arrow(empty, constants=CONSTANTS)) == []
    assert router.route_arrow(empty, constants=CONSTANTS).counts("lane") == {}
    nothing = pa.table({"header:x-user-group": pa.nulls(3)})
    assert router.route_arrow(nothing, constants=CONSTANTS).counts("outcome") == {("undetermined",): 3}


def test_a_stream_takes_constant_memory(router: Router) -> None:
    batch = pa.Table.from_pylist(
        rows(20_000), schema=pa.schema([(name, pa.uint64() if name == "roll" else pa.string()) for name in rows(1)[0]])
    ).to_batches()[0]
    asked = 0

    def forever(batches: int) -> Iterator[pa.RecordBatch]:
        nonlocal asked
        for _ in range(batches):
            asked += 1
            yield batch

    def run(batches: int) -> int:
        reader = pa.RecordBatchReader.from_batches(batch.schema, forever(batches))
        counts = router.route_arrow(reader).counts("outcome")
        assert sum(counts.values()) == batches * batch.num_rows
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    warm = run(10)
    assert asked == 10
    after = run(200)
    assert after - warm < (30 << 10 if sys.platform == "linux" else 30 << 20), (
        "a stream of 4 million rows grew the process"
    )


def test_a_stream_is_lazy(router: Router) -> None:
    asked = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            asked.append(number)
            yield pa.record_batch({"header:x-user-group": ["qa"]})

    reader = pa.RecordBatchReader.from_batches(pa.schema([("header:x-user-group", pa.string())]), batches())
    results = pa.RecordBatchReader.from_stream(router.route_arrow(reader, constants=CONSTANTS))
    assert asked == []
    assert results.read_next_batch().num_rows == 1
    assert asked == [0]


def test_the_same_counts_everywhere(examples: Path) -> None:
    router = Router.from_file(examples / "permissive.yaml")
    rolls = list(range(100)) * 20
    table = pa.table({"roll": rolls, "path": ["/"] * len(rolls)})
    wanted = {("v1",): 800, ("v2",): 600, ("v3",): 600}
    assert router.route_arrow(table).counts("lane") == wanted
    assert router.route_arrow(pl.DataFrame(table)).counts("lane") == wanted
    assert router.route_arrow(duckdb.from_arrow(table)).counts("lane") == wanted
    by_polars = pl.DataFrame(router.route_arrow(table)).group_by("lane").len()
    assert {(name,): number for name, number in by_polars.rows()} == wanted
    results = pa.table(router.route_arrow(table))
    by_duckdb = duckdb.from_arrow(results).aggregate("lane, count(*)").fetchall()
    assert {(name,): number for name, number in by_duckdb} == wanted
    assert Counter((name,) for name in results.to_pandas()["lane"]) == wanted
