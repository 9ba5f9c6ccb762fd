"""Orders to a DL/T 645-2007 meter that its status word, clock, freeze memory or parameter shows afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from edge.by_hand.carrying import Carrying, Order
from edge.by_hand.desk import NotDone, Stopped
from edge.by_hand.own_ways import own_way
from edge.by_hand.reading import CLOCK, STATUS_3, ask, drift_s
from edge.by_hand.talk import NoAnswer
from edge.codec import dlt645_orders
from edge.codec.dlt645_orders import Act, Password
from edge.codec.errors import CodecError, Refused
from edge.explain.status import sentences
from edge.explain.values import name_of, read_value

ClockWrite = Callable[[datetime, Password], Act]

READ_BACK_S = 10.0
"""Relays and their feedback take seconds; the status word is read until it matches or so long."""

MOST_MINUTES = 24 * 60

OFF = ("trip", "cut the supply behind this meter: its relay opens", 4, True)
ON = ("direct", "close the relay: the supply comes back at once", 4, False)

RELAY: dict[str, tuple[str, str, int, bool]] = {
    "off": OFF,
    "on": ON,
    "trip": OFF,
    "close": ON,
    "permit": ("permit", "permit closing: a person presses the meter's button", 6, False),
    "alarm": ("alarm", "switch the meter's alarm on", 7, True),
    "alarm-off": ("alarm-off", "switch the meter's alarm off", 7, False),
    "keep": ("keep", "keep power on: the meter ignores all trips from now on, its own too", 12, True),
    "keep-off": ("keep-off", "no longer keep power on: trips count again", 12, False),
}  # fmt: skip
"""By command: the codec's word, what is said, and the bit of status word 3 that shows it."""


class Orders(Carrying):
    """What can be ordered."""

    # --- relay, alarm, keep power ---

    def relay(self, command: str, minutes: int) -> str:
        """Off, on, permit, alarm, keep; void after `minutes` by the meter's own clock."""
        word, says, bit, wanted = RELAY[command]
        meter = self.meter()
        before = self._word_3()
        self.desk.say(f"now: {', '.join(sentences(3, before))}")
        shown, ahead_s = drift_s(self.talk, self.own, self.zone)
        if abs(ahead_s) > 60:
            self.desk.say(f"the meter's clock is {ahead_s:+d} s off; the order is made for its own time")
        until = shown + timedelta(minutes=minutes)
        order = Order(f"{says}; void after {until:%Y-%m-%d %H:%M} by the meter's clock",
                      lambda password: dlt645_orders.relay(word, password, until))  # fmt: skip
        lost: NoAnswer | None = None
        try:
            self.carry_out(meter, order)
        except NoAnswer as trouble:
            lost = trouble  # It may have been heard; the status word tells.
        word_3 = self._until(lambda now: bool(now >> bit & 1) is wanted)
        now = ", ".join(sentences(3, word_3))
        if bool(word_3 >> bit & 1) is not wanted:
            why = "the order was not answered" if lost else "it was answered"
            raise NotDone(f"{why}, and the meter does not show it within {READ_BACK_S:.0f} s: {now}")
        button = "; press the meter's button to close" if command == "permit" and word_3 >> 4 & 1 else ""
        return f"read back: {now}{button}"

    def _word_3(self) -> int:
        raw = self.read_back(STATUS_3)
        if len(raw) < 2:
            raise NotDone("status word 3 is too short to be one")
        return int.from_bytes(raw[:2], "little")

    def _until(self, shows: Callable[[int], bool]) -> int:
        """Status word 3 as soon as it shows something, or as it stands after ten seconds."""
        over = self.talk.clock.monotonic() + READ_BACK_S
        while not shows(word := self._word_3()) and self.talk.clock.monotonic() < over:
            self.talk.clock.wait(0.5)
        return word

    # --- clock, freeze ---

    def clock(self) -> str:
        """Write date and time (0400010C), and read them back."""
        meter = self.meter()
        shown, ahead_s = drift_s(self.talk, self.own, self.zone)
        self.desk.say(f"its clock says {shown:%Y-%m-%d %H:%M:%S}, {ahead_s:+d} s from this machine's")
        clock, zone = self.talk.clock, self.zone
        says = f"set its {{}} to this machine's, now {clock.now().astimezone(zone):%Y-%m-%d %H:%M:%S} in {zone.key}"
        for words, make in self._clock_writes():
            order = Order(says.format(words), partial(_at, make, lambda: clock.now().astimezone(zone)))
            self.carry_out(meter, order)
        shown, ahead_s = drift_s(self.talk, self.own, self.zone)
        if abs(ahead_s) > 5:
            raise NotDone(f"it was answered, and the clock is still {ahead_s:+d} s off")
        return f"read back: {shown:%Y-%m-%d %H:%M:%S}, {ahead_s:+d} s off"

    def _clock_writes(self) -> list[tuple[str, ClockWrite]]:
        """Date and time in one; a meter of before the filing has two parameters, and no 0400010C."""
        try:
            ask(self.talk, self.own, CLOCK)
        except Refused:
            return [("time", dlt645_orders.write_time), ("date", dlt645_orders.write_date)]
        except CodecError:
            pass  # A clock that shows nonsense is the one that must be set.
        return [("date and time", dlt645_orders.write_clock)]

    def freeze(self, when: list[str]) -> str:
        """Freeze all registers, now or at a time that comes again; what was frozen now is read back."""
        words, act = _freeze(when)
        meter = self.meter()
        before = self._frozen_at() if words == "now" else None
        self.carry_out(meter, Order(f"freeze its registers {words}", lambda _: act, password=False))
        if words != "now":
            return f"answered; what it freezes {words} can be read when it has come, as `freeze-timed 1`"
        after = self._frozen_at()
        if after is None or after == before:
            raise NotDone("it was answered, and no new instant freeze can be read")
        return f"read back: frozen at {after}"

    def _frozen_at(self) -> str | None:
        try:
            return read_value("05010001", ask(self.talk, self.own, "05010001"))[0].text
        except CodecError:
            return None

    # --- parameters ---

    def write(self, identifier: str, value: bytes) -> str:
        """Write a parameter of group 04, and read it back."""
        identifier = identifier.upper()
        if (command := own_way(identifier)) is not None:
            raise Stopped(f"nothing was sent: {_named(identifier)} is changed with `{command}`")
        if not identifier.startswith("04"):
            raise Stopped("nothing was sent: only parameters are written, and their identifiers begin with 04")
        meter = self.meter()
        before = self._shown(identifier)
        says = f"write {name_of(identifier)} ({identifier}): now {before}, then {told(identifier, value)}"
        self.carry_out(meter, Order(says, lambda password: dlt645_orders.write(identifier, value, password)))
        after = self.read_back(identifier)
        if after != value:
            raise NotDone(f"it was answered, and reads back as {told(identifier, after)}")
        return f"read back: {told(identifier, after)}"

    def _shown(self, identifier: str) -> str:
        try:
            return told(identifier, ask(self.talk, self.own, identifier))
        except CodecError as trouble:
            return f"not readable ({trouble})"


def _at(make: ClockWrite, now: Callable[[], datetime], password: Password) -> Act:
    """The act of setting a clock, made when the password has been typed: until then time has passed."""
    return make(now(), password)


def _named(identifier: str) -> str:
    """What an identifier is, a block by its digits."""
    return identifier if "FF" in identifier else name_of(identifier)


def told(identifier: str, raw: bytes) -> str:
    """A value in words, all its parts."""
    return ", ".join(
        f"{v.label} {'not available' if v.text is None else v.text} {v.unit}".strip()
        for v in read_value(identifier, raw)
    )


def _freeze(when: list[str]) -> tuple[str, Act]:
    """now | hourly MM | daily HH:MM | monthly DD HH:MM. Raises Stopped."""
    match when:
        case [] | ["now"]:
            return "now", dlt645_orders.freeze()
        case ["hourly", minute]:
            parts = {"minute": minute}
        case ["daily", time]:
            parts = dict(zip(("hour", "minute"), time.split(":"), strict=False))
        case ["monthly", day, time]:
            parts = {"day": day, **dict(zip(("hour", "minute"), time.split(":"), strict=False))}
        case _:
            parts = {}
    most = {"minute": 59, "hour": 23, "day": 28}
    right = "minute" in parts and all(v.isdecimal() and len(v) == 2 and int(v) <= most[k] for k, v in parts.items())
    if not right or parts.get("day") == "00":
        raise Stopped("nothing was sent: write freeze now, hourly MM, daily HH:MM, or monthly DD HH:MM (day 01 to 28)")
    return " ".join(when), dlt645_orders.freeze(**parts)
