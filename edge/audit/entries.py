"""What every entry must keep to, before and after it is folded: money, ids, meters; then what its kind asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import CHARGES, KINDS, TARIFFS, TENANT
from bridge.contract.people import same_person
from bridge.contract.units import BALANCE_LIMIT_NANO
from edge.audit import frames, meters
from edge.audit.acts import MONEY, Acts
from edge.audit.agreed import ASKED, Agreed
from edge.audit.charges import Charges
from edge.audit.days import Days
from edge.audit.kept import Kept
from edge.audit.lie import Lie, Report, Wrong, must
from edge.audit.opened import Reader, Row
from edge.audit.read import Read
from edge.audit.repricing import Repricing
from edge.audit.restored import Restores
from edge.audit.warned import Warned
from edge.fold import apply
from edge.state import State

Fields = dict[str, Any]

NUMBERED_BY_DAY = (*CHARGES, "closing/1", "fee/1")
"""Kinds whose ids follow from account, meter and contiguous days, and are proven unique by that."""


INSTALLING = (*TARIFFS, "account/1", "calendar/1")
"""Kinds after which prices are other ones."""

NAMING = ("meter/1", "alarm/1")
"""Kinds that may name a meter which is not there: one installs it, the other warns."""


class Entries:
    """Folds a book from empty, and checks each entry on the way."""

    def __init__(self, report: Report, reader: Reader, ours: Callable[[str], bool] | None = None):
        """`ours` says of which meters the charges are looked at, where another process looks at the others."""
        self.state, self._report, self._reader, self._ours = State(), report, reader, ours
        self._kept = Kept(reader, report)
        self._ids: set[str] = set()
        self._receipts: dict[str, int] = {}
        self._begin(ZoneInfo("UTC"))

    def _begin(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._pricing = Repricing(self.state, zone)
        self._charges = Charges(self.state, zone, self._pricing, self._report, self._kept)
        self._days = Days(self.state, zone, self._charges)
        self._acts, self._agreed = Acts(self.state, self._reader), Agreed(self.state)
        self._warned = Warned(self.state, zone, self._report, self._reader)
        self._restores = Restores(self.state)

    def take(self, row: Row) -> None:
        """Check and fold one row that the chain has taken. Raises Lie."""
        self._taken(row, self._before, self._after)

    def price(self, row: Row) -> None:
        """Fold one row, and check only whether it is one of our charges and right. Raises Lie."""
        self._taken(row, self._priced, self._installed)

    def _taken(self, row: Row, before: Callable[[Read], None], after: Callable[[Read], None]) -> None:
        try:
            entry = Read(row)
            before(entry)
            apply(self.state, entry)
            after(entry)
        except Wrong as found:
            raise Lie(row[0], row[1].decode("utf-8", "backslashreplace"), found.wrong, found.expected) from None
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, LookupError) as error:
            wrong = f"it does not say what its kind must say ({type(error).__name__}: {error})"
            raise Lie(
                row[0], row[1].decode("utf-8", "backslashreplace"), wrong, "an entry as the edge writes it"
            ) from None

    # --- before it is folded ---

    def _priced(self, entry: Read) -> None:
        """A charge of a meter that is ours to look at."""
        if entry.kind in CHARGES and (self._ours is None or self._ours(entry.fields["meter"])):
            self._charges.charge(entry.id, entry.kind, entry.fields)
            self._report.count("charges priced again")
        elif entry.seq == 1 and entry.kind == "genesis/1":
            self._begin(ZoneInfo(entry.fields["zone"]))

    def _before(self, entry: Read) -> None:
        kind, fields = entry.kind, entry.fields
        self._report.count("entries")
        if kind not in NUMBERED_BY_DAY:
            if entry.id in self._ids:
                raise Wrong("an entry of this id stands before it (I4)", "one entry of this id")
            self._ids.add(entry.id)
        if "moves" in fields:
            self._moves(fields["moves"])
        if fields.get("approved_by", "") != "" and same_person(fields["approved_by"], fields.get("who", "")):
            raise Wrong(f"{fields['who']} made and approved it (I18)", "two people")
        if (meter := fields.get("meter")) is not None and meter not in self.state.meters and kind not in NAMING:
            raise Wrong(f"there is no meter {meter!r}", "a meter/1 before it")
        if (receipt := fields.get("receipt")) is not None:
            must(receipt[8:], f"-{entry.seq:06d}", "the end of its receipt")
        if "former" in fields:
            self._restores.came_back(entry, fields)
        if kind in ASKED:
            self._agreed.act(kind, fields)
        if kind in MONEY:
            self._acts.check(entry.seq, kind, fields)
            self._report.count("acts with money worked out again")
        if kind in CHARGES:
            self._days.charged(entry.id, kind, fields)
            self._priced(entry)
        elif kind == "fee/1":
            self._days.charged(entry.id, kind, fields)
            self._charges.fee(entry.id, fields)
            self._report.count("fees")
        elif kind == "closing/1":
            self._days.closing(entry.id, fields)
            self._report.count("closings")
        elif "charges" in fields:
            self._days.settled(fields)
        elif kind in _CHECKS:
            _CHECKS[kind](self, entry, fields)
        elif kind not in KINDS:
            self._report.count(f"of unknown kind {kind}, their money and hashes only")

    def _moves(self, moves: list[Fields]) -> None:
        for move in moves:
            amount, giver, taker = move["amount_nano"], move["from"], move["to"]
            if type(amount) is not int or amount <= 0:
                raise Wrong(f"it moves {amount!r}", "a positive integer (I1, I6)")
            if type(giver) is not str or type(taker) is not str or giver == taker:
                raise Wrong(f"it moves from {giver!r} to {taker!r}", "two accounts of the ledger (I1)")
            for side in (giver, taker):
                if side.startswith(TENANT) and side.removeprefix(TENANT) not in self.state.accounts:
                    raise Wrong(f"there is no account {side.removeprefix(TENANT)!r}", "an account/1 before it")
            self._report.count("moves of money")

    def _genesis(self, entry: Read, fields: Fields) -> None:
        if entry.seq != 1:
            raise Wrong("the book begins here", "entry 1")
        self._begin(ZoneInfo(fields["zone"]))

    def _topup(self, entry: Read, fields: Fields) -> None:
        if "receipt" not in fields:
            return  # Of before receipts.
        if self._receipts.setdefault(fields["receipt"], entry.seq) != entry.seq:
            raise Wrong(f"its receipt {fields['receipt']} is that of entry {self._receipts[fields['receipt']]}",
                        "a receipt of its own (I4)")  # fmt: skip
        self._report.count("top-ups")

    def _reading_correction(self, entry: Read, fields: Fields) -> None:
        original = self._reader.entry_by_id(fields["entry"])
        if original is None or original.seq >= entry.seq:
            raise Wrong(f"there is no entry {fields['entry']!r}", "the charge or opening that was wrong, before it")
        self._charges.reading_correction(fields, original)
        self._report.count("readings put right")

    def _opening(self, entry: Read, fields: Fields) -> None:
        must(fields["source"], "opening", "its source")
        self._read_mark(entry, fields)

    def _read_mark(self, entry: Read, fields: Fields) -> None:
        meter = self.state.meters[fields["meter"]]
        mark = {"source": "quarantine", **fields}
        meters.vacancy(self.state, fields)
        if frames.check(meter.row, mark, self._zone, "the reading"):
            self._report.count("registers read again from raw frames")

    def _border(self, entry: Read, fields: Fields) -> None:
        self._warned.border(entry.id, fields)
        self._read_mark(entry, fields)

    def _done(self, entry: Read, fields: Fields) -> None:
        if fields["request"] not in self._ids or entry.id != f"{fields['request']}:done":
            raise Wrong(f"its request is {fields['request']!r}", "one that stands before it")

    # --- after it was folded ---

    def _installed(self, entry: Read) -> None:
        if entry.kind in INSTALLING:
            self._pricing.changed()

    def _after(self, entry: Read) -> None:
        self._installed(entry)
        fields = entry.fields
        if (after := fields.get("balance_after_nano")) is not None:
            posted = self.state.posted_nano(fields["account"])
            if abs(posted) > BALANCE_LIMIT_NANO:
                raise Wrong(f"the balance is {posted}", f"at most {BALANCE_LIMIT_NANO} (I6)")
            must(after, posted, "its balance_after_nano")
            self._report.count("balances")
        if (after := fields.get("to_balance_after_nano")) is not None:
            must(after, self.state.posted_nano(fields["to_account"]), "its to_balance_after_nano")
            self._report.count("balances")


_CHECKS: dict[str, Callable[[Entries, Read, Fields], None]] = {
    "genesis/1": Entries._genesis,
    "topup/1": Entries._topup,
    "meter/1": lambda own, entry, fields: meters.place_is_free(own.state, fields),
    "replacement/1": lambda own, entry, fields: meters.replaced(own.state, fields, own._zone, own._report),
    "ratio/1": lambda own, entry, fields: meters.ratio(own.state, fields, own._zone, own._report),
    "account/1": lambda own, entry, fields: own._agreed.tenancy(entry, fields),
    "opening/1": Entries._opening,
    "border/1": Entries._border,
    "reading-correction/1": Entries._reading_correction,
    "quarantine/1": Entries._read_mark,
    "tariff/1": lambda own, entry, fields: own._agreed.price(fields),
    "tariff/2": lambda own, entry, fields: own._agreed.price(fields),
    "proposal/1": lambda own, entry, fields: own._agreed.proposed(entry, fields),
    "decision/1": lambda own, entry, fields: own._agreed.decided(entry, fields),
    "final/1": lambda own, entry, fields: own._warned.final(entry.id, fields, entry.at),
    "delivered/1": lambda own, entry, fields: own._warned.delivered(entry.id, fields),
    "cancelled/1": lambda own, entry, fields: own._warned.of_episode(entry.id, fields),
    "close-way/1": lambda own, entry, fields: own._warned.close_way(fields),
    "protection/1": lambda own, entry, fields: own._warned.protection(fields, entry.at),
    "level/1": lambda own, entry, fields: own._warned.level(entry.kind, fields),
    "rearm/1": lambda own, entry, fields: own._warned.level(entry.kind, fields),
    "hold/1": lambda own, entry, fields: own._warned.hold(fields),
    "close/1": lambda own, entry, fields: own._warned.close(fields),
    "withdrawn/1": lambda own, entry, fields: own._warned.withdrawn(fields),
    "trip/1": lambda own, entry, fields: own._warned.trip(fields, entry.at),
    "done/1": Entries._done,
    "restored/1": lambda own, entry, fields: own._restores.restored(entry, fields),
    "missed/1": lambda own, entry, fields: own._restores.missed(entry, fields),
    "brought-back/1": lambda own, entry, fields: own._restores.all_brought(entry, fields),
}
"""Kinds with promises of their own, beyond those that all keep."""
