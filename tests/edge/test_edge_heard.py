"""What little a line brings is taken for what it is: a stretch of a head is somebody speaking, chance bytes are not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.codec import PROTOCOLS, bcd, cjt188, dlt645
from edge.codec.errors import BadValue
from edge.codec.finding import NAMED
from edge.line.wire import Line

ZONE = ZoneInfo("Asia/Shanghai")
OURS = "202603110206"
ASKED = dlt645.read(OURS, "0001FF00")
HEAD = ASKED[4:12]  # 68, the address, 68: so begins its answer as well.


@pytest.mark.parametrize("begun", [dlt645.begun, PROTOCOLS["dlt645-1997"].begun])
def test_a_stretch_of_the_head_is_the_meter_speaking(begun) -> None:  # type: ignore[no-untyped-def]
    """Four neighbouring bytes of it anywhere, also at its very end; three of them may be chance."""
    for at in range(len(HEAD) - NAMED + 1):
        assert begun(ASKED, b"\x00\x01" + HEAD[at : at + NAMED] + b"\x02")
        assert not begun(ASKED, b"\x00\x01" + HEAD[at : at + NAMED - 1] + b"\x02")
    assert not begun(ASKED, b"")
    assert not begun(ASKED, bytes(range(0x80, 0xC0)))


def test_a_whole_late_answer_is_nobody_beginning() -> None:
    """What was said before is over: after it the meter still has its whole time."""
    late = dlt645.encode(dlt645.Frame(OURS, 0x91, bytes.fromhex("00010002 44332211")), 0)
    assert not dlt645.begun(ASKED, late)
    assert dlt645.begun(ASKED, late + HEAD[:NAMED])


def test_the_same_answer_twice_is_nobody_beginning() -> None:
    """A line with an echo, or two late answers of the same bytes: the line goes on, and what follows them is heard."""
    late = dlt645.encode(dlt645.Frame(OURS, 0x91, bytes.fromhex("00010002 44332211")), 0)
    assert not dlt645.begun(ASKED, late + late) and dlt645.begun(ASKED, late + late + HEAD[:NAMED])
    assert not dlt645.begun(ASKED, late + b"\x00" + late + late + HEAD[: NAMED - 1])
    water = cjt188.read(0x10, "20260311020601")
    assert cjt188.begun(water, water + water + water[4 : 4 + NAMED]) and not cjt188.begun(water, water + water)


def test_a_water_meter_is_heard_by_its_own_head() -> None:
    """CJ/T 188 has one 68H and seven bytes of address."""
    asked = cjt188.read(0x10, "20260311020601")
    head = asked[4:13]
    assert cjt188.begun(asked, head[-NAMED:]) and not cjt188.begun(asked, head[-NAMED + 1 :])


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_a_byte_takes_eleven_bits(protocol: str) -> None:
    """Start, eight of data, parity, stop (for Modbus without parity: two stop bits): all waiting is reckoned by it."""
    line = Line("line-1", Path("/dev/null"), protocol, 2400, "E")
    assert line.wire_s(2400) == 11 and line.wire_s(0) == 0


@pytest.mark.parametrize(
    ("digits", "instant"),
    [
        ("260105102251", datetime(2026, 1, 5, 2, 22, 51, tzinfo=UTC)),
        ("26010501102251", datetime(2026, 1, 5, 2, 22, 51, tzinfo=UTC)),
        ("2601051022", datetime(2026, 1, 5, 2, 22, tzinfo=UTC)),
        ("2602291022", None),
        ("26010510ff", None),
    ],
)
def test_a_meters_local_time_is_an_instant(digits: str, instant: datetime | None) -> None:
    """With and without seconds and weekday, in the meter's zone; what is no day is no instant and never another one."""
    raw = bytes.fromhex(digits)[::-1]
    assert bcd.instant_or_none(raw, ZONE) == instant
    if instant is None:
        with pytest.raises(BadValue, match="is not"):
            bcd.local_instant(raw, ZONE)
