"""What the doctor says of meters that keep prepaid money themselves: who pays twice, and who is dark by it."""

from __future__ import annotations

from typing import Any

import pytest
from doctor_snapshots import broker, facts, found, only, relay, row, snapshot, values

from bridge.contract import messages as m
from host.doctor.seen import Snapshot
from panel.edge_purse_words import OWN_PURSE


def seen(**changes: Any) -> Snapshot:
    return snapshot(broker=broker(facts=facts(**changes)))


def test_who_pays_twice_is_named() -> None:
    """A purse that counts beside an account is wrong, with the cure; beside no account, or silent, it is not."""
    told = only(seen(values={"a101": values(purse_counts=True), "a102": values(purse_counts=False)}))
    assert (told.severity, told.about) == ("wrong", "a101") and "the tenant pays twice" in told.sentence
    assert "account 7" in told.sentence and "Switch the prepay function off in the meter" in told.remedy
    common = m.Meters(meters=[row("a101", account=None), row("a102")])
    told = only(seen(values={"a101": values(purse_counts=True), "a102": values()}, meters=common))
    assert "pays twice" not in told.sentence, "it is told only that it has no account"


@pytest.mark.parametrize(
    ("own_purse", "remedy", "command"),
    [
        ("empty", "a close from here does not last", ""),
        ("low", "Press the button", ""),
        ("perhaps", "Look at the meter's display", './riser request on meter=a101 why="..."'),
    ],
)
def test_a_relay_that_its_own_purse_opened_has_another_cure(own_purse: str, remedy: str, command: str) -> None:
    """Empty, low and nobody knows are three cases: only an empty purse opens it again, and each has its own remedy. The
    word decides, whatever the sentence is."""
    why = "a sentence in words of its own"
    told = only(seen(relays={"a101": relay(observed="open", why=why, own_purse=own_purse), "a102": relay()}))
    assert told.severity == "worth knowing" and why in told.sentence and told.command == command
    assert told.remedy.startswith(remedy) or remedy in told.remedy
    assert ("does not last" in told.remedy) == (own_purse == "empty")


def test_any_other_open_relay_is_still_a_persons_to_close() -> None:
    """Open by hand, or not following: as before."""
    by_hand = "open by itself or by hand; nobody here ordered it, so a person decides"
    told = only(seen(relays={"a101": relay(observed="open", why=by_hand), "a102": relay()}))
    assert told.command and "close meter=a101" in told.command
    stuck = relay(observed="open", why=OWN_PURSE[0], own_purse="empty", following=False)
    assert sorted(each.severity for each in found(seen(relays={"a101": stuck, "a102": relay()}))) == [
        "worth knowing",
        "wrong",
    ]
