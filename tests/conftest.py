"""Settings of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run: a change is judged by what it changed. To look for new ones: CODEMILL_FUZZ=N.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=int(os.environ.get("CODEMILL_FUZZ", "1000")), deadline=None)
settings.load_profile("fuzz" if "CODEMILL_FUZZ" in os.environ else "repeatable")

# Tests run beside each other, one for each core: torch's threads, which wait for each other at every operation, would
# wait for a core as well.
os.environ.setdefault("OMP_NUM_THREADS", "1")


LONG = frozenset(
    {
        "test_ablations.py",
        "test_cookbook.py",
        "test_real_model.py",
        "test_sandbox_languages.py",
    }
)
"""Files of tests that `make test` leaves out and `make test-long` runs. Single tests are marked where they stand."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of the files of `LONG`."""
    for item in items:
        if item.path.name in LONG:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `token_runs.make`."""
    from tests import token_runs

    root = tmp_path_factory.mktemp("runs")
    token_runs.make(root)
    return root
