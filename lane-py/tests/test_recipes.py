"""The recipes of the README on Dask and Ray, and the README's own blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from lane import Router

README = Path(__file__).resolve().parents[1] / "README.md"
WANTED = {"v1": 800, "v2": 600, "v3": 600}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame({"roll": list(range(100)) * 20, "path": "/"})


@pytest.fixture
def router(examples: Path) -> Router:
    return Router.from_file(examples / "permissive.yaml")


def test_the_readme() -> None:
    blocks = re.findall(r"^```python( recipes)?\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks] == ["", " recipes"]
    known: dict[str, Any] = {}
    for _, block in blocks:
        exec(compile(block, str(README), "exec"), known)
    assert known["lanes"]


def test_dask(router: Router, frame: pd.DataFrame) -> None:
    import dask.dataframe as dd

    def decide(part: pd.DataFrame) -> pd.DataFrame:
        results: pd.DataFrame = pa.table(router.route_arrow(part, output=["lane"], dictionary=False)).to_pandas()
        return results

    parts = dd.from_pandas(frame, npartitions=3)
    lanes = parts.map_partitions(decide, meta={"lane": "str"}).compute(scheduler="threads")
    assert lanes["lane"].value_counts().to_dict() == WANTED
    # Routers travel to other processes by their text.
    lanes = parts.map_partitions(decide, meta={"lane": "str"}).compute(scheduler="processes", num_workers=2)
    assert lanes["lane"].value_counts().to_dict() == WANTED


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    import ray as module

    for tries_left in reversed(range(4)):
        try:
            module.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
            break
        except Exception as error:
            # Ray gives a node 30 seconds to start, which a busy machine may not have.
            module.shutdown()
            if tries_left == 0 or "timed out during startup" not in str(error):
                raise
    yield module
    module.shutdown()


def test_ray(ray: Any, router: Router, frame: pd.DataFrame) -> None:
    import ray.data as datasets

    def decide(batch: pa.Table) -> pa.Table:
        return pa.table(router.route_arrow(batch, output=["lane"]))

    rows = datasets.from_arrow(pa.Table.from_pandas(frame)).map_batches(decide, batch_format="pyarrow").take_all()
    assert pd.Series([row["lane"] for row in rows]).value_counts().to_dict() == WANTED
