"""The simulator's judge of what passes between book, line and broker: evidence and its order (I8), relays and secrets
that are told (I11, I24), answers (I5), the mode when all is well again, a power cut after a meter has heard; and how a
breach is printed."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.edge.building import KEYS
from tests.simulate import __main__ as command
from tests.simulate import heard, witnesses, witnesses_owed
from tests.simulate.counter import Counter
from tests.simulate.ear import Ear
from tests.simulate.memory import Memory, Order
from tests.simulate.rows import Entry
from tests.simulate.weather import Weather
from tests.simulate.witnesses import CONTROL, TRIP
from tests.test_simulate_checker import rows, true_book

TRIPPED = 11
"""The book's entry of a cut; it is written at the second 11e-9 of its start."""
CLOSED, OPEN = 0x0000, 0x0010


def trips() -> list[Entry]:
    return [entry for entry in rows(true_book()) if entry.kind == "trip/1"]


@pytest.mark.parametrize(
    ("mono", "seq", "postings", "said"),
    [
        (4.9, 11, [], ""), (5.1, 11, [], "without fresh evidence"), (1.0, 12, [9, 11], ""),
        (1.0, 12, [12], "entry 12 had moved the money"), (1.0, 12, [13], ""),
    ],
)  # fmt: skip
def test_i8_a_cut_leaves_on_fresh_evidence_and_no_posting_after_it(
    mono: float, seq: int, postings: list[int], said: str
) -> None:
    """The order leaves at `mono`, behind entry `seq`."""
    house: Any = SimpleNamespace(memory=Memory())
    house.memory.hung["m1"] = [SimpleNamespace(device=SimpleNamespace(address="1"))]
    house.memory.orders.append(Order(mono, "boot-1", "1", CONTROL, TRIP, False, seq))
    found = list(witnesses.i7_i8(house, trips(), {"a1": postings}))
    assert len(found) == bool(said) and said in "".join(found)


def ear() -> Ear:
    return Ear("riser/g0", lambda: 0.0, lambda topic, payload: None)


@pytest.mark.parametrize(
    ("words", "shown", "wrong"),
    [
        ([OPEN], "open", False), ([OPEN], "closed", True), ([OPEN], "unknown", False), ([], "closed", True),
        ([OPEN, CLOSED, CLOSED], "open", False), ([OPEN, CLOSED, CLOSED, CLOSED], "open", True),
    ],
)  # fmt: skip
def test_i11_a_relay_is_shown_as_it_was_read_last(words: list[int], shown: str, wrong: bool) -> None:
    """The last word may not be taken in yet, and one that is another than before is looked at twice."""
    listener = ear()
    listener.status_words["m1"] = deque(words, maxlen=heard.WORDS_KEPT)
    listener.told("riser/g0/m1/relay", json.dumps({"observed": shown}).encode())
    assert bool(listener.contradictions) is wrong


def test_i24_a_key_in_a_message_is_named() -> None:
    """As it is, or in hexadecimal digits."""
    listener, secret = ear(), KEYS["panel"]
    for text in (secret.decode(), secret.hex(), secret.decode()[:-1]):
        listener.told("riser/g0/info", json.dumps({"why": text}).encode())
    assert listener.contradictions == ["a key stands in a message on riser/g0/info"] * 2


def asked(name: str, answered: str | None = None, times: int = 2, dropped: bool = False) -> Any:
    return SimpleNamespace(transaction=name, answered=answered, asked=times, dropped=dropped)


def test_i5_who_asks_while_nothing_is_wrong_is_answered() -> None:
    """Whoever has asked once may still be on the way; who gave up does not wait."""
    till: Any = SimpleNamespace(
        payments={"1": asked("pay-1"), "2": asked("pay-2", "done"), "3": asked("pay-3", times=1)}
    )
    counter: Any = SimpleNamespace(wishes={"4": asked("wish-4", dropped=True), "5": asked("wish-5", times=7)})
    found = [each.split()[0] for each in witnesses_owed.answers(SimpleNamespace(), till, counter)]  # type: ignore[arg-type]
    assert found == ["pay-1", "wish-5"]


@pytest.mark.parametrize(("kind", "asks_again"), [(None, True), ("topup/1", True), ("refusal/1", False)])
def test_i5_a_refusal_that_stands_in_the_book_is_the_answer(tmp_path: Path, kind: str | None, asks_again: bool) -> None:
    """What a full disk refuses stands nowhere and is asked again; what is refused in a restored book stands there."""
    db = sqlite3.connect(tmp_path / "book.db")
    db.execute("CREATE TABLE journal (id TEXT, kind TEXT)")
    house: Any = SimpleNamespace(
        plan=SimpleNamespace(seed=7), noticing=[], healed=[], directory=tmp_path, mono=0.0,
        ear=SimpleNamespace(answers={}), send=lambda topic, payload: None, say=lambda text: None,
        at=lambda seconds, what: None,
    )  # fmt: skip
    counter = Counter(house)
    counter.message = lambda wish, **other: ("", b"")  # type: ignore[method-assign]
    told: list[dict[str, Any]] = []
    wish = counter.wants("settle", {}, told.append)
    if kind is not None:
        db.execute("INSERT INTO journal VALUES (?, ?)", (f"panel:{wish.transaction}", kind))
        db.commit()
    db.close()
    house.ear.answers[wish.transaction]({"status": "refused", "rule": "I5", "error": "later"})
    assert ((wish.answered, told) == (None, [])) is asks_again


@pytest.mark.parametrize(
    ("mode", "fair", "whole", "disk", "mono", "wrong"),
    [
        ("normal", True, True, None, 5000, False), ("time", True, False, None, 5000, True),
        ("recovery", False, True, None, 5000, True), ("time", False, False, None, 5000, False),
        ("disk", False, False, None, 5000, True), ("disk", False, False, None, 1500, False),
        ("disk", False, False, "full", 5000, False),
    ],
)  # fmt: skip
def test_a_gateway_that_is_not_well_again_is_named(
    mode: str, fair: bool, whole: bool, disk: str | None, mono: float, wrong: bool
) -> None:
    """When nothing is wrong any more, or some minutes after its disk is well, which was at 1000 s."""
    core, weather = SimpleNamespace(mode=mode, mode_why="why"), SimpleNamespace(disk=disk, well_since=1000.0)
    house: Any = SimpleNamespace(edge=SimpleNamespace(core=core), weather=weather, fair=fair, mono=mono)
    assert bool(list(witnesses_owed.normal(house, whole))) is wrong


def test_the_power_goes_before_a_meter_hears_or_after_it_has_answered() -> None:
    """Once, at the frame that was drawn; both happen."""
    found = set()
    for seed in range(20):
        weather = Weather(random.Random(seed))
        weather.cut_at_frame = 1
        first, second, third = (weather.at_the_line() for _ in range(3))
        assert first is None and third is None
        found.add(second)
    assert found == {"before", "after"}


def test_a_breach_is_printed_with_its_seed_its_day_and_what_happened_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the command that shows it again; exit code 1, also where the only thing wrong is a lost payment."""
    told = {"violations": 1, "lost": 0, "doubled": 0, "breaches": ["I5 on day 3 at g1: pay-7 is gone"],
            "last_events": ["2026-05-07 g1 power cut"]}  # fmt: skip
    monkeypatch.setattr(command, "simulate", lambda **wish: told)
    words = ["--days", "5", "--meters", "4", "--gateways", "2", "--seed", "77", "--faults", "hostile"]
    assert command.main(words) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == ["BREACH I5 on day 3 at g1: pay-7 is gone", "last events:", "  2026-05-07 g1 power cut",
                    f"replay: riser simulate {' '.join(words)}"]  # fmt: skip
    told |= {"violations": 0, "lost": 2, "breaches": [], "last_events": []}
    assert command.main(words) == 1 and "BREACH 2 payments lost" in capsys.readouterr().err
    told["lost"] = 0
    assert command.main(words) == 0
