"""A meter's own time table is read, seldom, and compared with its price: what differs is found, and told (R28)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.billing.days import Days
from edge.billing.tariff import version_of
from edge.codec.errors import BadValue
from edge.table_questions import table_of, wanted
from edge.table_reads import sentence
from edge.time_table import OwnTable, day_table_of, difference, zones_of
from panel.edge_words import known
from tests.edge.building import Building

METER, ZONE = "a101", ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
LATE = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)  # Friday 23:20 in Shanghai.

DAY = [(0, 360, "valley"), (360, 1440, "peak")]
SUMMER = [(0, 480, "valley"), (480, 1440, "peak")]


def windows(rows: list[tuple[int, int, str]]) -> list[dict[str, Any]]:
    return [{"from": since, "to": to, "rate": rate} for since, to, rate in rows]


def price(version: int = 1, at: str = "2026-01-01T00:00:00.000000+00:00", **fields: Any) -> Any:
    row = {"tariff": "t", "name": "T", "version": version, "effective_at": at, "price_kind": "tou"}
    row |= {"prices_micro": {"valley": 1, "peak": 2}, "windows": windows(DAY), **fields}
    return version_of(row)


def own(**fields: Any) -> OwnTable:
    tables = {1: ((0, 4), (360, 2)), 2: ((0, 4), (480, 2)), 3: ((0, 4),)}
    return OwnTable(**{"zones": ((101, 1),), "days": tables, **fields})


def season(first: int, last: int, rows: list[tuple[int, int, str]], *days: str) -> dict[str, Any]:
    return {"windows": windows(rows), "seasons": [[first, last]] if first else [], "days": list(days)}


@pytest.mark.parametrize(
    ("table", "tables", "day", "minute"),
    [
        (own(), [], None, None),
        (own(days={1: ((0, 4), (300, 4), (360, 2), (400, 2))}), [], None, None),  # Entries at which nothing changes.
        (own(days={1: ((360, 2), (1439, 4))}), [], date(2026, 11, 20), 1439),
        (own(days={1: ((0, 4), (420, 2))}), [], date(2026, 11, 20), 360),
        (own(zones=((101, 1), (701, 2), (901, 1))), [season(701, 831, SUMMER)], None, None),
        (own(zones=((701, 2), (901, 1))), [season(701, 831, SUMMER)], None, None),  # Before July: the last zone.
        (own(), [season(701, 831, SUMMER)], date(2027, 7, 1), 360),
        (own(zones=((101, 1), (701, 2), (831, 1))), [season(701, 831, SUMMER)], date(2027, 8, 31), 360),
        (own(work_bits=0x3E, rest_table=3), [season(0, 0, [(0, 1440, "valley")], "weekend")], None, None),
        (own(work_bits=0x3F, rest_table=3), [season(0, 0, [(0, 1440, "valley")], "weekend")], date(2026, 11, 22), 360),
        (own(rest_table=3), [], None, None),  # Every day is worked.
        (own(zones=((101, 7),)), [], date(2026, 11, 20), 0),  # A table that it does not have.
        (None, [], date(2026, 11, 20), 0),
    ],
)  # fmt: skip
def test_the_first_day_and_minute_that_differ_are_found(
    table: OwnTable | None, tables: list[Any], day: date | None, minute: int | None
) -> None:
    """Seasons, weekends and borders of hours: the same table is the same however it is written down, and a season that
    is wrong is found half a year before it comes."""
    found = difference(table, [price(tables=tables)], ZONE, Days(), NOW)
    assert (found and found.day, found and found.minute) == (day, minute)


def test_a_holiday_that_the_meter_does_not_know_is_found() -> None:
    """The price has a day of its own on New Year; a meter without that holiday counts it as any other."""
    tables, days = [season(0, 0, [(0, 1440, "valley")], "holiday")], Days(rest=frozenset({date(2027, 1, 1)}))
    found = difference(own(), [price(tables=tables)], ZONE, days, NOW)
    assert found is not None and found.day == date(2027, 1, 1)
    assert difference(own(holidays={date(2027, 1, 1): 3}), [price(tables=tables)], ZONE, days, NOW) is None


def test_a_price_of_later_is_compared_when_it_counts() -> None:
    """The meter is set over when the new price begins; until then its table is right."""
    later = price(2, "2027-03-01T00:00:00.000000+08:00", windows=windows(SUMMER))
    assert difference(own(), [price(), later], ZONE, Days(), NOW) is None
    assert difference(own(), [price(), later], ZONE, Days(), datetime(2027, 3, 1, tzinfo=UTC)) is not None


def test_a_meter_without_zones_has_its_first_table_always() -> None:
    """What it refuses is not asked for again, and nothing is asked for that no day needs."""
    told: dict[str, bytes | None] = {}
    answers = {"04000503": b"\x01", "04020001": bytes.fromhex("040000 020006")}
    while (each := next(wanted(told), None)) is not None:
        assert each not in told
        told[each] = answers.get(each)
    assert set(told) == {"04000503", "04000801", "04000802", "04000205", "04010000", "04020001"}
    table = table_of(told)
    assert table is not None and table.windows_of(date(2026, 5, 1)) == ((0, 360, "valley"), (360, 1440, "peak"))


def test_bytes_that_are_no_table_are_refused() -> None:
    """Letters, half an entry, no entry at all, two for one minute: no table is made of them."""
    for raw in ("0400", "0a0000", "000000", "040000 020000"):
        with pytest.raises(BadValue):
            day_table_of(bytes.fromhex(raw))
    assert zones_of(bytes.fromhex("020107 010101 010101")) == ((101, 1), (701, 2))


# --- with the meter ---


def test_a_meter_set_otherwise_is_found_billed_by_borders_and_told(tmp_path: Path) -> None:
    """Somebody changes the peak of one meter's table: within a day it is found by two looks, a person is told what
    differs, that day is charged on its registers, and the next begins with border reads."""
    building = Building(tmp_path, start=LATE, meters={METER}, poll_s=900, idle_s=5)
    building.connect()
    building.run_until(lambda: building.of("time-table/1"), hours=1)
    (first,) = building.of("time-table/1")
    assert not first.fields["differs"] and first.fields["told"] and building.of("alarm/1") == []
    assert building.fact(f"meter/{METER}")["time_table"] == "same"
    table = building.sim_meter(METER).metrology.day_table
    building.sim_meter(METER).metrology.day_table = tuple((600 if at == 540 else at, rate) for at, rate in table)
    building.run_until(lambda: building.of("time-table/1", differs=True), hours=3)
    (found,), (alarm,) = building.of("time-table/1", differs=True), building.of("alarm/1")
    assert found.fields["day"] == "2026-11-21" and {"from": 420, "to": 600, "rate": "flat"} in found.fields["told"]
    assert "on 2026-11-21 at 09:00 it counts flat and the price has peak" in alarm.fields["text"]
    assert known(alarm.fields["text"]) is not None
    meter = building.edge.core.state.meters[METER]
    assert meter.table_found and building.of("charge/2")[-1].fields["by"] == "registers"
    building.run(minutes=1)
    assert building.fact(f"meter/{METER}")["time_table"] == "differs"
    building.sim_meter(METER).metrology.day_table = table
    building.edge.tables._looked_mono.clear()
    building.edge.tables._compared.clear()
    building.run_until(lambda: building.of("alarm/1", alarm="time-table-good"), hours=1)
    assert meter.table_found is False and known(building.of("alarm/1")[-1].fields["text"]) is not None


def test_an_outcome_that_two_looks_do_not_share_is_none(tmp_path: Path) -> None:
    """One wrong answer, with a checksum that is right by chance, changes nobody's bill."""
    building = Building(tmp_path, start=LATE, meters={METER}, poll_s=900, idle_s=5)
    meter, looks = building.sim_meter(METER), 0
    ask, right = building.edge.tables._ask, meter.metrology.day_table

    def asked(metered: Any, look: Any) -> None:
        nonlocal looks
        looks += not look.told
        meter.metrology.day_table = ((0, 1),) if looks == 1 else right
        ask(metered, look)

    building.edge.tables._ask = asked  # type: ignore[method-assign]
    building.run_until(lambda: looks == 2, hours=1)
    building.run(minutes=5)
    assert building.of("time-table/1") == []


def test_a_meter_that_tells_no_table_is_billed_by_borders() -> None:
    """What is not known to be the same is not taken for the same; the sentence is known to the panel."""
    found = difference(None, [price()], ZONE, Days(), NOW)
    assert found is not None and known(sentence("T", None, found)) is not None
