"""R3: a protection that is renewed again and again is told: since when, how often, by whom. All of it from the book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_of_micros, instant_text
from edge import fold
from edge.audit.verify import verify
from edge.book import canonical, hash_of
from edge.entry import Entry
from edge.state import State
from tests.edge.test_edge_fold import INSTALLED, at, chained
from tests.edge.test_edge_protecting import ACCOUNT, KEEP, ask, room, until

HOUR = 3600 * 1_000_000
Act = tuple[int, str, str, int | None]
"""When in hours, who, which kind, for how many hours; None lifts it."""


def kept_after(acts: list[Act]) -> Any:
    """What the fold knows of account 100 after these acts."""
    state = State()
    for entry in chained(INSTALLED):
        fold.apply(state, entry)
    for number, (hours, who, kind, lasting) in enumerate(acts, len(INSTALLED) + 1):
        fields: dict[str, Any] = {
            "account": "100",
            "protection": kind,
            "set": lasting is not None,
            "who": who,
            "why": "w",
        }
        if lasting is not None:
            fields["until"] = at((hours + lasting) * HOUR)
        columns = (number, f"id-{number}", hours * HOUR, "boot", number, True, "protection/1")
        text = canonical({**fields, "why": "a clinic"})
        fold.apply(state, Entry(*columns, text, state.hash, hash_of(*columns, text, state.hash)))
    return state.accounts["100"].kept


@pytest.mark.parametrize(
    ("acts", "since", "renewed", "by"),
    [
        ([(1, "王敏", "keep-power", 48)], 1, 0, ("王敏",)),
        ([(1, "王敏", "keep-power", 48), (40, "王敏", "keep-power", 48)], 1, 1, ("王敏",)),
        ([(1, "王敏", "keep-power", 48), (40, "李强", "dispute", 48), (60, "王敏", "dispute", 9)], 1, 2,
         ("王敏", "李强")),
        ([(1, "王敏", "keep-power", 10), (34, "王敏", "keep-power", 10)], 1, 1, ("王敏",)),
        ([(1, "王敏", "keep-power", 10), (36, "李强", "keep-power", 10)], 36, 0, ("李强",)),
        ([(1, "王敏", "keep-power", 90), (2, "王敏", "keep-power", None), (3, "王敏", "keep-power", 90)], 1, 1,
         ("王敏",)),
        ([(1, "王敏", "keep-power", 90), (2, "王敏", "keep-power", None), (30, "李强", "keep-power", 9)], 30, 0,
         ("李强",)),
        ([(1, "王敏", "keep-power", 90), (2, "王敏", "dispute", 9), (3, "王敏", "keep-power", None),
          (34, "王敏", "dispute", 9)], 1, 2, ("王敏",)),
    ],
)  # fmt: skip
def test_r3_protections_in_a_row_are_one(acts: list[Act], since: int, renewed: int, by: tuple[str, ...]) -> None:
    """Renewed in time, within a day after the end, lifted and set anew, or for the other reason: it goes on. A day
    without any is a new beginning."""
    kept = kept_after(acts)
    assert (kept.since, kept.renewed, kept.by) == (since * HOUR, renewed, by)


def test_r3_who_renews_alone_is_told_and_survives_a_restart(tmp_path: Path) -> None:
    """The fact tells it while a protection stands, the same after a new start, and nothing once it is lifted; the book
    that it comes from is proved by `riser verify`."""
    building = room(tmp_path)
    for _ in range(3):
        assert ask(building, "protect", until=until(building, hours=3), **KEEP)["status"] == "done"
        building.run(minutes=10)
    first = building.of("protection/1")[0]
    told = building.fact(f"account/{ACCOUNT}")["kept"]
    assert (told["renewed"], told["by"]) == (2, [first.fields["who"]])
    assert told["since"] == instant_text(instant_of_micros(first.at))
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(minutes=2)
    assert building.fact(f"account/{ACCOUNT}")["kept"] == told
    ask(building, "unprotect", **KEEP)
    building.run(minutes=2)
    assert building.fact(f"account/{ACCOUNT}").get("kept") is None
    building.stop_edge()
    assert verify(tmp_path).good
