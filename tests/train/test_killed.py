"""A run that is killed goes on to the same bytes: weights, metrics, the last checkpoint."""

import sys
from pathlib import Path

import pytest

from killed_runs import begun, differing, killed, prepared


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_that_is_killed_at_random_moments(tmp_path: Path) -> None:
    """`python tests/killed_runs.py 20` does so more often."""
    prepared(tmp_path)
    whole = begun(tmp_path, "whole", epochs=60)
    _, errors = whole.communicate()
    assert whole.returncode == 0, errors
    kills, _ = killed(tmp_path, "killed", epochs=60, moments=3)
    assert kills
    assert differing(tmp_path, "whole", "killed") == []
