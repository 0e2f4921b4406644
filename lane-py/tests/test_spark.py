"""Spark in local mode: real executors, real Python workers, the same counts."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lane.spark
from lane import Router


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    # Workers run the interpreter that has `lane`.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .appName("lane")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture
def router(examples: Path) -> Router:
    return Router.from_file(examples / "permissive.yaml")


def test_the_same_counts(spark: Any, router: Router) -> None:
    requests = spark.range(2_000, numPartitions=3).selectExpr("id", "id % 100 AS roll", "'/' AS path")
    decide = lane.spark.route(router, keep=["id"])
    results = requests.mapInArrow(decide, decide.schema(requests))
    assert results.columns == ["id", "outcome", "status", "lane", "subset", "rule", "reason"]
    counts = {row["lane"]: row["count"] for row in results.groupBy("lane").count().collect()}
    assert counts == {"v1": 800, "v2": 600, "v3": 600}
    first = results.where("id = 40").collect()[0]
    assert first.asDict() == {
        "id": 40,
        "outcome": "routed",
        "status": 200,
        "lane": "v2",
        "subset": "v2",
        "rule": "everyone",
        "reason": None,
    }
    # The same in this process, over the rows that Spark gives back.
    rolls = Counter(router.ingress({"path": row["path"]}, roll=row["roll"]).lane for row in requests.collect())
    assert rolls == counts


def test_columns_and_empty_partitions(spark: Any, router: Router) -> None:
    requests = spark.createDataFrame([("mockb", "v2"), ("mockc", "v2")], "called string, version string").repartition(5)
    decide = lane.spark.route(
        router,
        {"service": "called", "header:version": "version"},
        constants={"header:baggage": None, "source_lane": None},
        output=["subset", "reason"],
        keep=True,
        prefix="lane_",
    )
    rows = requests.mapInArrow(decide, decide.schema(requests)).collect()
    assert sorted((row.called, row.lane_subset, row.lane_reason) for row in rows) == [
        ("mockb", "v1", "not_in_lane"),
        ("mockc", "v2", None),
    ]


def test_a_map_of_headers(spark: Any, router: Router) -> None:
    requests = spark.sql("SELECT map('version', 'v3') AS headers UNION ALL SELECT map('other', 'v3')")
    decide = lane.spark.route(router, service="mockb", constants={"source_lane": None}, output=["lane", "status"])
    rows = requests.mapInArrow(decide, decide.schema(requests)).collect()
    assert sorted(row.lane for row in rows) == ["v1", "v3"]
    assert {row.status for row in rows} == {200}


def test_what_is_wrong_reaches_the_driver(spark: Any, router: Router) -> None:
    requests = spark.range(1).selectExpr("1.5D AS roll")
    decide = lane.spark.route(router)
    with pytest.raises(Exception, match="must be whole numbers, or their decimal digits as text, not Float64"):
        requests.mapInArrow(decide, decide.schema(requests)).collect()
