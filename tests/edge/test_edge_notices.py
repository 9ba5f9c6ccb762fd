"""A program that sends notices delivers a final warning (R1): once its channel has accepted one, and no sooner."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.audit.verify import verify
from tests.edge import forged
from tests.edge.building import KEYS, Building

ROOM, ACCOUNT = "a206", "100206"
GUIDE = Path(__file__).parents[2] / "docs" / "notices.md"
ACCEPTED: dict[str, Any] = {
    "account": ACCOUNT, "role": "notices", "key": "notices", "who": "SMS", "how": "notice", "reference": "SMS-7714",
    "episode": 1,
}  # fmt: skip


def unlit(tmp_path: Path) -> Building:
    """A final warning stands, and the lamp never answers."""
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2)
    building.connect()
    building.edge.relays.lamps._light = lambda meter, account: None  # type: ignore[method-assign]
    building.run_until(lambda: building.of("final/1"), hours=4)
    return building


def ask(building: Building, operation: str = "told", **fields: Any) -> dict[str, Any]:
    return building.answers(building.request(operation, **fields))[-1]


def test_r1_a_notice_that_its_channel_accepted_delivers_the_warning(tmp_path: Path) -> None:
    """The lines of docs/notices.md: the lead begins with the acceptance, the cut follows half an hour later and not
    before; the same message again is carried out once; channel, program and number stand in a book that is true."""
    building = unlit(tmp_path)
    building.run(hours=1)
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    made: dict[str, Any] = {}
    exec(code, made)
    made["datetime"] = _At(building)
    root = building.edge.topics.request("told").removesuffix("/request/told")
    topic, message = made["told"](KEYS["notices"].hex(), root, ACCOUNT, 1, "SMS-7714")
    for _ in range(2):
        building.deliver(topic, message.encode())
    (told,) = building.of("delivered/1")
    kept = {name: told.fields[name] for name in ("channel", "how", "reference", "who")}
    assert kept == {"channel": "notice", "how": "notice", "reference": "SMS-7714", "who": "SMS"}
    assert building.fact(f"account/{ACCOUNT}")["delivered_by"] == "notice"
    building.run(minutes=29)
    assert not building.of("trip/1")
    building.run_until(lambda: building.of("trip/1"), hours=0.5)
    assert building.of("trip/1")[0].fields["warned_s"] >= 1800
    building.edge.shut()
    building.stop_edge()
    assert (report := verify(tmp_path)).good, report.lie


class _At:
    """The module `datetime` of a program that runs beside the building, at the building's time."""

    def __init__(self, building: Building):
        import datetime

        self.UTC, self.timedelta, now = datetime.UTC, datetime.timedelta, building.clock.now()
        self.datetime = type("datetime", (), {"now": staticmethod(lambda zone: now.astimezone(zone))})


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"reference": ""}, "R1"), ({"reference": "  "}, "R1"), ({"how": "phone"}, "R1"), ({"how": "message"}, "R1"),
        ({"how": "page"}, "R1"), ({"role": "tenant", "key": "panel"}, "R1"), ({"episode": 2}, "R1"),
        ({"episode": None}, "R1"), ({"reference": "\u200b"}, "R1"), ({"key": "shell"}, "R32"),
        ({"role": "tenant", "key": "shell"}, "R32"),
        ({"role": "finance", "key": "panel"}, "R1"), ({"role": "notices", "key": "panel"}, "R32"),
        ({"role": "finance"}, "R32"), ({"role": "system", "how": "phone"}, "R32"),
    ],
)  # fmt: skip
def test_r1_what_no_channel_accepted_delivers_nothing(tmp_path: Path, fields: dict[str, Any], rule: str) -> None:
    """Without a number, in a person's name, by another key, of another warning: refused, and no time runs from it."""
    building = unlit(tmp_path)
    answer = ask(building, **{**ACCEPTED, **fields})
    assert (answer["status"], answer["rule"]) == ("refused", rule), answer
    assert not building.of("delivered/1")
    assert ask(building, **ACCEPTED)["status"] == "done"


def test_r1_a_notice_of_one_warning_delivers_no_other(tmp_path: Path) -> None:
    """Paid, and run dry again: what was accepted then does not count now, also where the program asks once more."""
    building = unlit(tmp_path)
    assert ask(building, **ACCEPTED)["status"] == "done"
    building.topup(ACCOUNT, 400)
    building.run_until(lambda: len(building.of("final/1")) == 2, hours=6)
    assert ask(building, **ACCEPTED)["rule"] == "R1" and len(building.of("delivered/1")) == 1


@pytest.mark.parametrize(
    ("operation", "fields"),
    [("topup", {"account": ACCOUNT, "amount_fen": 100, "method": "cash"}), ("read", {"meter": ROOM}),
     ("unprotect", {"account": ACCOUNT, "protection": "dispute", "why": "x"}), ("off", {"meter": ROOM, "why": "x"})],
)  # fmt: skip
def test_who_sends_notices_may_nothing_else(tmp_path: Path, operation: str, fields: dict[str, Any]) -> None:
    """A stolen key of notices neither pays, nor protects, nor switches."""
    building = Building(tmp_path, meters={ROOM})
    building.connect()
    assert ask(building, operation, key="notices", role="notices", who="SMS", **fields)["rule"] == "R32"


@pytest.mark.parametrize(
    ("change", "words"),
    [({"reference": ""}, "its notice has no reference"), ({"how": "phone"}, "its how is"),
     ({"channel": "person"}, "its channel is 'person'"), ({"role": "finance"}, "its channel is 'notice'")],
)  # fmt: skip
def test_r1_a_notice_in_the_book_that_none_accepted_is_named(
    tmp_path: Path, change: dict[str, str], words: str
) -> None:
    """One word changed and every hash made anew: `riser verify` names the delivery."""
    building = unlit(tmp_path / "true")
    assert ask(building, **ACCEPTED)["status"] == "done"
    building.edge.shut()
    building.stop_edge()
    touched = Path(shutil.copytree(tmp_path / "true", tmp_path / "book"))
    (seq,) = [row[0] for row in forged.rows(touched) if row[6] == "delivered/1"]
    forged.rechained(touched, seq, lambda fields: fields.update(change))
    report = verify(touched)
    assert report.lie is not None and report.lie.seq == seq and words in report.lie.wrong, report.lie
