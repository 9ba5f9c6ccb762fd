"""Programs are killed at random moments and at chosen writes: nothing is lost, nothing doubled, all settled soon."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.edge.money_desk import MoneyDesk
from tests.proof.afterwards import settled
from tests.proof.dying import dying
from tests.proof.payers import FEN, Ledger
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
    assert found["harm"]["second edge"] == 1


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
