"""A restore is killed, its disk fails and its power is cut: nothing starts on half of it, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.proof.restoring import restoring

pytestmark = pytest.mark.timeout(300)


def test_a_restore_that_is_disturbed_is_whole_or_not_begun_or_told() -> None:
    """Killed, refused by the disk, cut: the old gateway is there whole, or the restored one in its new epoch with its
    own keys and people, or nothing starts and the same command ends it; the former data lie in one folder (I5)."""
    found = restoring(places=36, images=110, seed=1)
    assert found["violations"] == [] and found["within"]
    assert found["places"] == 36 and found["different_images"] > 60
    assert set(found["left"]) == {"before", "restored", "told"}
