"""A cut and what leads to it: the warning, its delivery, the evidence of a trip, against the state before (I7, R1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from bridge.contract.cutting import Closing, Protecting
from bridge.contract.people import folded, same_person
from bridge.contract.site_cutting import LEAST_LEAD_MIN, LONGEST_DAYS
from bridge.contract.units import instant_of_micros, instant_text, micros_of_text
from edge.audit import frames
from edge.audit.lie import Report, Wrong, must
from edge.audit.opened import Reader
from edge.borders import BORDER_S
from edge.holds import LOCKOUT
from edge.pricing import mark_body
from edge.state import AccountState, State

Fields = dict[str, Any]

LONGEST_US = timedelta(days=LONGEST_DAYS) // timedelta(microseconds=1)
BY_ITSELF, BY_A_PERSON = ("lamp", "attempted"), ("person",)
BY_A_PROGRAM = {"notices": ("notice",), "tenant": ("page",)}
"""Channels of a warning: without a request, by a person's, and by those of programs, by their role."""


class Warned:
    """Warnings and trips of one book, against its state so far."""

    def __init__(self, state: State, zone: ZoneInfo, report: Report, reader: Reader):
        self._state, self._zone, self._report, self._reader = state, zone, report, reader

    def _account(self, fields: Fields) -> AccountState:
        if (account := self._state.accounts.get(fields["account"])) is None:
            raise Wrong(f"there is no account {fields['account']!r}", "an account/1 before it")
        return account

    def _unprotected(self, account: AccountState, at: int) -> None:
        """Whom a person protects is neither warned nor cut (R3)."""
        if standing := account.protected(at):
            raise Wrong(f"a person protects the tenant, by entry {standing[0].seq}", "nothing while that stands (R3)")

    def final(self, id: str, fields: Fields, at: int) -> None:
        account = self._account(fields)
        self._unprotected(account, at)
        must(fields["episode"], account.episode + 1, "its episode")
        must(id, f"final:{account.id}:{fields['episode']}", "its id")

    def of_episode(self, id: str, fields: Fields) -> None:
        """A warning delivered or taken back."""
        account = self._account(fields)
        must(fields["episode"], account.episode, "its episode")
        if "request" not in fields:  # A person's word has the id of its request.
            must(id, f"{id.partition(':')[0]}:{account.id}:{account.episode}", "its id")
        if account.final is None:
            raise Wrong("no final warning stands", "a final/1 before it")

    def delivered(self, id: str, fields: Fields) -> None:
        """Once for each warning; by a person only on a request of theirs, by a notice with its number."""
        self.of_episode(id, fields)
        if (final := self._account(fields).final) is not None and final.delivered_seq is not None:
            raise Wrong(f"its warning was delivered by entry {final.delivered_seq}", "one delivery of a warning (R1)")
        by_request = BY_A_PROGRAM.get(fields.get("role", ""), BY_A_PERSON)
        channels = by_request if "request" in fields else BY_ITSELF
        if fields["channel"] not in channels:
            raise Wrong(f"its channel is {fields['channel']!r}", " or ".join(channels))
        if by_request is not BY_A_PERSON:
            must(fields["how"], fields["channel"], "its how")
        if fields["channel"] == "notice" and not folded(fields.get("reference", "")):
            raise Wrong("its notice has no reference", "the number that its channel gave")

    def level(self, kind: str, fields: Fields) -> None:
        """Levels are crossed one by one, and rise again at once."""
        was, level = self._account(fields).level, fields["level"]
        if kind == "level/1":
            again = "repeat" in fields
            must(level, was if again else was + 1, "its level")
            if again:
                must(fields["repeat"], self._account(fields).level_repeats + 1, "how often it was told")
            if fields["available_nano"] >= fields["threshold_nano"]:
                raise Wrong(f"its threshold_nano is {fields['threshold_nano']}", "more than what was available")
        elif not 0 <= level < was:
            raise Wrong(f"its level is {level!r}", f"less than {was}")

    def protection(self, fields: Fields, at: int) -> None:
        """One that is set ends later than it begins, and not for ever later; one that is lifted stood."""
        account = self._account(fields)
        if fields["protection"] not in get_args(Protecting):
            raise Wrong(f"it is a protection {fields['protection']!r}", " or ".join(get_args(Protecting)))
        if not fields["set"] and fields["protection"] not in account.protections:
            raise Wrong(f"{fields['protection']} is lifted and did not stand", "a protection/1 that sets it")
        if fields["set"] and not at < micros_of_text(fields["until"]) <= at + LONGEST_US:
            begins = instant_text(instant_of_micros(at))
            raise Wrong(f"its until is {fields['until']}", f"later than {begins}, at most {LONGEST_DAYS} days")

    def close_way(self, fields: Fields) -> None:
        """A way to close a relay, of a tenancy that has not ended, and another one than before."""
        account, way = self._account(fields), fields["close"]
        if account.ended:
            raise Wrong("its tenancy had ended", "no such entry after an exit/1")
        if way not in get_args(Closing):
            raise Wrong(f"its close is {way!r}", " or ".join(get_args(Closing)))
        if account.row.get("close") == way:
            raise Wrong(f"its close was {way} before it", "the other one")

    def trip(self, fields: Fields, at: int) -> None:
        """I7: the balance, the register it was charged to, the reading and the warning are those of the book."""
        meter = self._state.meters[fields["meter"]]
        must(fields["account"], meter.account, "its account")
        if (read := fields.get("read")) is not None:
            must(read["serial"], meter.serial or read["serial"], "the number that the meter said")
            mark = {"source": "read", "registers_wh": read["registers_wh"], "frames": read["frames"][:-1]}
            if frames.check(meter.row, mark, self._zone, "its reading"):
                self._report.count("registers read again from raw frames")
        if fields["cause"] != "arrears":
            return
        if (lock := meter.lock) is not None:
            raise Wrong(f"{lock.by} had locked it for work", "no cut for arrears under a lock (I7)")
        account = self._account(fields)
        assert meter.billed is not None
        if (final := account.final) is None or final.delivered_seq is None:
            raise Wrong("no final warning was delivered (R1)", "a final/1 and a delivered/1 before it")
        self._unprotected(account, at)
        if self._state.brake is not None:
            raise Wrong("the brake on mass cuts was on (R4)", "a named person who released it before")
        if type(fields["warned_s"]) is not int or fields["warned_s"] < LEAST_LEAD_MIN * 60:
            raise Wrong(f"its warned_s is {fields['warned_s']!r}", f"at least {LEAST_LEAD_MIN * 60} (R1)")
        posted = self._state.posted_nano(account.id)
        own = (account.episode, account.last_money_seq, posted, final.seq, final.delivered_seq)
        told = [fields[key] for key in ("episode", "balance_seq", "posted_nano", "final_seq", "delivered_seq")]
        must(told, list(own), "the balance and the warning that it rests on")
        must(fields["billed"], mark_body(meter.billed), "the register that was charged last")
        must(fields["available_nano"], posted - fields["provisional_nano"], "its available_nano")
        if fields["available_nano"] > fields["cut_limit_nano"]:
            raise Wrong(f"{fields['available_nano']} were available", f"at most {fields['cut_limit_nano']}")

    def hold(self, fields: Fields) -> None:
        """One lock at a time, and it is lifted by whose it is, or by somebody who names them (R5)."""
        if fields["hold"] != LOCKOUT:
            return
        lock = self._state.meters[fields["meter"]].lock
        if fields["set"] is (lock is not None):
            raise Wrong("one stood before it" if lock else "no lock stood", "one lock at a time, set and then lifted")
        if lock is not None and not same_person(fields["who"], lock.by):
            must(fields.get("in_place_of"), lock.by, "whose lock it was")

    def close(self, fields: Fields) -> None:
        """I10: nothing is closed while a hold stands, a lock before all."""
        meter = self._state.meters[fields["meter"]]
        if holds := meter.holds:
            raise Wrong(f"it was closed under the hold {', '.join(holds)}", "no hold (I10)")
        account, way = self._state.accounts.get(meter.account or ""), meter.row["relay"]
        if "valve" not in fields:  # Of an empty room, as who has left while it waited wanted it.
            left = meter.waiting.way if meter.waiting is not None else None
            way = (left if account is None else account.row.get("close")) or way
        must(fields["command"], way, "how it was closed (R6)")

    def withdrawn(self, fields: Fields) -> None:
        """It takes back the evidence of a trip of its meter."""
        seq = fields["evidence_seq"]
        found = self._reader.entry(seq) if type(seq) is int and 0 < seq <= self._state.seq else None
        if found is None or found.kind != "trip/1" or found.fields["meter"] != fields["meter"]:
            raise Wrong(f"entry {seq} is no trip of meter {fields['meter']}", "the evidence that it takes back")

    def border(self, id: str, fields: Fields) -> None:
        must(id, f"border:{fields['meter']}:{fields['border']}", "its id")
        if abs(micros_of_text(fields["at"]) - micros_of_text(fields["border"])) > BORDER_S * 1_000_000:
            raise Wrong(f"it was read at {fields['at']}", f"within {BORDER_S} s of {fields['border']}")
        must(fields["source"], "border", "its source")
        must(fields["read_at"], instant_text(instant_of_micros(micros_of_text(fields["at"]))), "its read_at")
