"""Programs are killed at random moments and at chosen writes: nothing is lost, nothing doubled, all settled soon."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.archive.tables import METADATA, open_engine
from bridge.contract.clock import SystemClock
from bridge.contract.signing import BadEnvelope, BadSeal, open_envelope
from bridge.contract.units import instant_of
from tests.edge.money_desk import MoneyDesk
from tests.proof.afterwards import COLUMNS, behind, settled
from tests.proof.dying import dying
from tests.proof.flood import LONG, messages
from tests.proof.harm import kept
from tests.proof.machine import TOPICS
from tests.proof.payers import FEN, Ledger
from tests.proof.race import TAKEN
from tests.proof.relay import Relay
from tests.proof.shim import ROOT


@pytest.mark.processes
@pytest.mark.timeout(400)
def test_a_few_kills_while_people_pay() -> None:
    """Edge, broker, panel and bridge killed with -9 among two hundred payments: each is answered within ten seconds
    afterwards, and stands in the book once. `riser prove` goes on to sixty kills and three thousand payments."""
    command = [sys.executable, "-m", "tests.proof", "kills", "--kills", "5", "--topups", "200", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=380)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["violations"] == [] and done.returncode == 0, found
    assert (found["lost"], found["doubled"], found["unasked"], found["refused"]) == (0, 0, 0, 0)
    assert found["kills"] >= 5 and found["booked"] == found["asked"] >= 200 and found["archive_complete"]
    assert found["harm"]["second edge"] >= 1 and found["harm"]["two"] >= 1
    assert found["raced"] > 0 and found["open_at_the_last"] > 0


@pytest.mark.timeout(300)
def test_the_edge_is_killed_at_its_own_writes() -> None:
    """A day with a cut, payments, the light again, a book of an older version and a midnight, killed with -9 at a
    change of the disk: the next process goes on, and the day ends as if nothing had been (33-37, 49)."""
    found = dying(16, seed=1)
    assert found["violations"] == [] and found["killed"] == found["places"] == 16


def book_of(directory: Path, payments: int) -> tuple[Any, Ledger]:
    """A book with some payments, and the ledger of those who made them."""
    desk, ledger = MoneyDesk(directory), Ledger()
    for number in range(payments):
        transaction = f"payment-number-{number}"
        answer = desk.ask("topup", account="101", amount_fen=FEN, method="cash", transaction=transaction, key="shell")
        ledger.ask(f"shell:{transaction}")
        ledger.hear({"key": "shell", "transaction": transaction, "status": answer.status})
    desk.book.close()
    return SimpleNamespace(data=directory), ledger


def test_what_is_lost_or_doubled_is_found(tmp_path: Path) -> None:
    """The count at the end sees an answered payment that is not there, one that nobody asked for, one refused, one
    answered in two ways, and one that was never answered."""
    machine, ledger = book_of(tmp_path, 5)
    assert settled(machine, ledger)["violations"] == []
    ledger.ask("shell:not-in-the-book")
    ledger.hear({"key": "shell", "transaction": "not-in-the-book", "status": "done"})
    ledger.ask("panel:refused-one")
    ledger.show("panel:refused-one", "")
    booked = next(iter(ledger.asked))
    ledger.pages[booked] = "20000101-000001"
    ledger.ask("panel:without-answer")
    ledger.hear({"key": "shell", "transaction": "payment-number-0", "status": "refused"})
    del ledger.asked["shell:payment-number-4"]
    found = settled(machine, ledger)
    assert (found["booked"], found["lost"], found["doubled"], found["unasked"], found["refused"]) == (5, 1, 0, 1, 1)
    assert found["violations"] == [
        "shell:not-in-the-book was answered and is not in the book",
        "shell:payment-number-4 is in the book and nobody asked for it",
        "panel:refused-one was refused",
        "shell:payment-number-0 was answered in two ways",
        "panel:without-answer was never answered",
        f"{booked} was shown at the panel with another receipt than the book has",
    ]


def test_what_was_asked_for_twice_at_once_is_booked_once(tmp_path: Path) -> None:
    """Two amounts under one id: one is in the book, and both were told of that one or that the other was first."""
    machine, ledger = book_of(tmp_path, 3)
    id, other, third = ledger.asked
    ledger.raced[id] = {FEN, 2 * FEN}
    taken = {"key": "shell", "transaction": id[6:], "status": "refused", "error": f"{TAKEN}; nothing was done"}
    ledger.hear(taken)
    assert settled(machine, ledger)["violations"] == []
    ledger.hear({**taken, "error": "the amount is odd"})
    ledger.raced[other] = {2 * FEN}
    ledger.raced["shell:neither-of-both"] = {FEN, 2 * FEN}
    ledger.ask("shell:neither-of-both", sees=True)
    ledger.answered("shell:neither-of-both")
    ledger.hear({"key": "shell", "transaction": third[6:], "status": "done", "data": {"receipt": "1", "amount_fen": 7}})
    assert settled(machine, ledger)["violations"] == [
        f"{third} was answered with another receipt or amount than the book has",
        "shell:neither-of-both was asked for twice at once and is not in the book",
        f"{id} was asked for twice at once and refused for another reason",
        f"{other} has an amount that nobody paid",
    ]


def test_a_copy_with_a_hole_or_other_bytes_is_not_complete(tmp_path: Path) -> None:
    """Every entry of the archive is compared with the book's; the newest one may still be on its way."""
    machine, _ = book_of(tmp_path, 5)
    assert behind(machine)[0] == 1
    METADATA.create_all(engine := open_engine("sqlite", tmp_path))
    with closing(sqlite3.connect(tmp_path / "archive.db")) as archive:
        run = archive.execute
        run("ATTACH ? AS book", (str(tmp_path / "book.db"),))
        run(f"INSERT INTO entry (gateway, {COLUMNS.replace('at,', 'at_us,')}) SELECT 'east', {COLUMNS} FROM journal")
        newest = run("SELECT max(seq) FROM entry").fetchone()[0]
        archive.commit()
        assert behind(machine) == []
        for harm, found in (
            ("DELETE FROM entry WHERE seq = ?", newest - 2), ("UPDATE entry SET hash = 'x' WHERE seq = ?", newest - 3),
            ("UPDATE entry SET body = '{}' WHERE seq = ?", newest - 1), ("DELETE FROM entry WHERE seq = ?", newest),
            ("UPDATE entry SET at_us = 1 WHERE seq = ?", 1),
        ):  # fmt: skip
            run(harm, (found,))
            archive.commit()
        assert behind(machine) == [1, newest - 3, newest - 2, newest - 1]
    engine.dispose()


def test_how_long_somebody_waited_is_counted_from_when_all_was_well() -> None:
    """Not from before a program was back; the worst is told, and whoever is asked for twice must see both answers."""
    disturbed = [0.0]
    ledger = Ledger(lambda: (disturbed[0], "edge came back"))
    ledger.ask("shell:early")
    ledger.asked["shell:early"] -= 50
    ledger.ask("shell:quick")
    ledger.ask("shell:typed-in", timed=False)
    ledger.asked["shell:typed-in"] -= 100
    ledger.ask("shell:raced-one", sees=True)
    disturbed[0] = ledger.asked["shell:quick"] - 7
    for transaction in ("early", "quick", "typed-in", "raced-one"):
        ledger.hear({"key": "shell", "transaction": transaction, "status": "done"})
    assert ledger.open == ["shell:raced-one"] and ledger.many() == (4, 3)
    took, whose, after = ledger.slowest
    assert 7 <= took < 20 and (whose, after) == ("shell:early", "edge came back")
    ledger.answered("shell:raced-one")
    assert ledger.open == []


def test_what_a_broker_no_longer_retains_is_told() -> None:
    """Lost, changed, or there all at once, after an end in order."""
    assert kept({"a": b"1"}, {"a": b"1"}) == []
    assert kept(None, {}) == ["the broker could not be asked what it retains"]
    assert kept({"a": b"1"}, None) == ["the broker ended in order and retains the facts no more"]
    assert [line.split()[-3] for line in kept({"a": b"1", "b": b"1"}, {"b": b"2", "c": b"1"})] == ["a", "b", "c"]


def test_a_flood_asks_for_nothing() -> None:
    """A third is not sealed, a third too old, a third sealed by somebody else; some are far too long."""
    topic, key, kinds = TOPICS.request("topup"), b"the key", Counter[str]()
    for where, payload in messages(key, 90):
        assert where == topic
        try:
            words, _, _ = open_envelope(topic, payload, {"shell": key})
            kinds["old"] += instant_of(words["valid_until"]) < SystemClock().now()
        except (BadSeal, BadEnvelope) as error:
            kinds["long" if len(payload) == LONG else type(error).__name__] += 1
    assert kinds["old"] == 30 and kinds["long"] == 2 and kinds.total() == 90 and kinds["BadSeal"] >= 30


def test_a_wire_that_goes_dead_tells_nobody() -> None:
    """Frozen, it keeps both connections and carries nothing; then it carries what waited; cut, both ends hear of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = Relay(server.getsockname()[1])
        near = socket.create_connection(("127.0.0.1", relay.port), timeout=5)
        far, _ = server.accept()
        far.settimeout(5)
        near.sendall(b"one")
        assert far.recv(9) == b"one"
        relay.freeze()
        near.sendall(b"two")
        far.settimeout(0.3)
        with pytest.raises(TimeoutError):
            far.recv(9)
        relay.thaw()
        far.settimeout(5)
        assert far.recv(9) == b"two"
        relay.cut()
        with pytest.raises(ConnectionResetError):
            near.recv(9)
        relay.stop()
        near.close(), far.close()
