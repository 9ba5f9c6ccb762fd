"""A register that was read a little after midnight is put right at the price of the day it ended, not of the next (R27,
R29)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_exact, instant_text
from edge.audit.charges import Charges
from edge.audit.kept import Kept
from edge.audit.lie import Report
from edge.audit.opened import Reader
from edge.audit.repricing import Repricing
from edge.billing.tariff import local_midnight
from edge.fold import apply
from edge.state import State
from tests.edge.money_desk import CHECKER, MoneyDesk

DAY, NEXT = date(2026, 11, 30), date(2026, 12, 1)
CHARGE = f"charge:m1:{DAY}"
WORDS: dict[str, Any] = {"account": "101", "meter": "m1", "entry": CHARGE, "why": "misread", "papers": "photo 7"}
SHOP: dict[str, Any] = {"id": "shop", "name": "商铺", "kind": "single"}
STEPS = {"period": "month", "bounds": [{"above": "20", "add": "1"}]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 1000)
    for account in made.core.state.accounts.values():
        account.row["household"] = True
    yield made
    made.book.close()


def priced(desk: MoneyDesk, at: datetime | None, **price: Any) -> None:
    when = None if at is None else instant_exact(at)
    proposal = desk.propose("propose-price", role="manager", price=SHOP | price, effective_at=when)
    desk.done("approve-price", role="manager", who=CHECKER, proposal=proposal)


def charged(desk: MoneyDesk, wh: int, after: timedelta) -> None:
    """The meter is charged to a border read so long after the midnight."""
    core, state = desk.core, desk.core.state
    at = local_midnight(NEXT, core.terms.zone) + after
    mark = {"registers_wh": {"total": wh}, "at": instant_exact(at), "read_at": instant_text(at), "source": "border",
            "frames": []}  # fmt: skip
    account = state.accounts["101"]
    draft = desk.closing.charge(
        account, state.meters["m1"], DAY, mark, state.posted_nano("101"), dict(account.counters)
    )
    assert draft is not None and draft[0] == "charge/2"
    core.append(draft)
    desk.clock.advance((at + timedelta(hours=9) - desk.clock.now()).total_seconds())


def derived_again(desk: MoneyDesk, directory: Path) -> None:
    """What `riser verify` works out of a correction, is what it says."""
    state, report = State(), Report("")
    for entry in desk.book.entries():
        if entry.kind == "reading-correction/1":
            pricing, original = Repricing(state, desk.core.terms.zone), desk.book.find(entry.fields["entry"])
            assert original is not None
            Charges(state, desk.core.terms.zone, pricing, report, Kept(Reader(directory), report)).reading_correction(
                entry.fields, original
            )
        apply(state, entry)


AFTER = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=20), timedelta(seconds=60)]


@pytest.mark.parametrize("after", AFTER)
def test_a_price_that_begins_at_that_midnight_is_not_its_price(
    desk: MoneyDesk, tmp_path: Path, after: timedelta
) -> None:
    """30 kWh at 0.8512 were charged; 13 of them go back at 0.8512, although a kWh costs 9 yuan since that midnight."""
    priced(desk, local_midnight(NEXT, desk.core.terms.zone), price="9")
    desk.opened("m1", 100_000)
    charged(desk, 130_000, after)
    desk.agreed("correct-reading", **WORDS, total="117")
    assert desk.core.state.posted_nano("101") == 1000 * 10**9 - 17_000 * 851_200
    (entry,) = desk.of("reading-correction/1")
    assert entry.fields["version"] == 1
    derived_again(desk, tmp_path)


@pytest.mark.parametrize("after", AFTER)
def test_a_month_of_steps_that_ended_is_put_right_in_itself(desk: MoneyDesk, tmp_path: Path, after: timedelta) -> None:
    """Of 30 kWh ten lay in the second step: 13 go back, those ten with their step, and no kWh of the new month is
    cheaper for it."""
    desk.clock.advance(60)
    priced(desk, None, price="0.5", steps=STEPS)
    desk.clock.advance(120)
    desk.opened("m1", 100_000)
    charged(desk, 130_000, after)
    assert desk.core.state.posted_nano("101") == 1000 * 10**9 - 30_000 * 500_000 - 10_000 * 10**6
    desk.agreed("correct-reading", **WORDS, total="117")
    assert desk.core.state.posted_nano("101") == 1000 * 10**9 - 17_000 * 500_000
    counter = desk.core.state.accounts["101"].counters["kWh"]
    assert (counter.period, counter.used_wh) == (date(2026, 11, 1), 17_000)
    derived_again(desk, tmp_path)
