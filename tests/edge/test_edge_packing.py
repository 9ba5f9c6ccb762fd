"""What was read comes back as it was read, whatever a meter has to tell, also from a book of before."""

from __future__ import annotations

import json
import zlib

from hypothesis import given
from hypothesis import strategies as st

from edge.packing import Row, pack, unpack

ROWS = st.lists(
    st.fixed_dictionaries(
        {"meter": st.text(max_size=4), "read_at": st.integers(0, 2**53)},
        optional={
            "energy_wh": st.integers(0, 10**9) | st.just(1),
            "volume_l": st.none() | st.just(1),
            "power_w": st.none() | st.integers(0, 10**5),
            "registers_wh": st.dictionaries(
                st.sampled_from(["total", "peak", "read_at"]), st.integers(0, 10**9) | st.just(1)
            ),
            "relay": st.sampled_from(["open", "closed", None]),
        },
    ),
    max_size=8,
)


@given(ROWS)
def test_readings_come_back_as_they_were(rows: list[Row]) -> None:
    """Meters of all kinds in one sweep, with what each has and in the order in which they were read."""
    found = unpack(pack(rows))
    assert found == rows and [list(row) for row in found] == [list(row) for row in rows]


@given(ROWS)
def test_readings_of_an_older_riser_are_read(rows: list[Row]) -> None:
    """After an upgrade the sweeps that are still there are published and recalled as ever."""
    assert unpack(zlib.compress(json.dumps(rows).encode())) == rows
