"""What all tests share: where the repository is, and the count of the shared vectors at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
VECTORS = ROOT / "tests" / "vectors"

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def examples() -> Path:
    return EXAMPLES


def pytest_terminal_summary(terminalreporter: object) -> None:
    reports = terminalreporter.stats.get("passed", [])  # type: ignore[attr-defined]
    passed = sum("test_vectors.py::test_vector[" in report.nodeid for report in reports)
    if passed:
        terminalreporter.line(f"vectors: python {passed}")  # type: ignore[attr-defined]
