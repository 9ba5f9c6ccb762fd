"""A card that was copied back, a book begun anew: nobody is cut before a person says that the payments are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.__main__ import BEGUN_ANEW, RESTORED
from tests.edge.building import Building

ACCOUNT, METER = "100206", "a206"


@pytest.mark.parametrize("why", [RESTORED, BEGUN_ANEW])
def test_a_book_in_doubt_cuts_nobody_until_a_name_is_given(tmp_path: Path, why: str) -> None:
    """Money and light go on, warnings go out, no trip leaves; a restart does not forget it; a named person ends it."""
    building = Building(tmp_path, meters={METER})
    building.run(minutes=2)
    for doubt in (why, None):
        building.edge.core.book.close()
        building.start_edge(doubt=doubt)
        building.connect()
        building.run(hours=2)
        assert building.edge.core.mode == "recovery" and building.edge.core.mode_why == why
        assert building.of("trip/1") == [] and not building.sim_meter(METER).relay.open
    assert building.answers(building.topup(ACCOUNT, 1_00))[-1]["status"] == "done"
    building.edge.core.book.close()
    building.start_edge(recovered_by="王敏")
    building.connect()
    building.run(minutes=2)
    assert building.edge.core.mode == "normal"
    assert [e.fields["why"] for e in building.of("mode/1")].count("recovered, says 王敏") == 1


def test_who_recovers_what_is_not_in_doubt_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A name given where nothing is to be recovered changes nothing, and says so."""
    building = Building(tmp_path, meters={METER})
    building.edge.core.book.close()
    building.start_edge(recovered_by="王敏")
    assert building.edge.core.mode == "normal" and building.of("mode/1") == []
    assert "it is not in mode recovery: nothing to do" in caplog.text
