"""A maintenance lock, as a padlock at a breaker (R5): who set it lifts it, or somebody in their place, by name.

While it stands nothing closes the meter and nobody is cut for arrears on it (I7, I10). That is not decided here: a lock
is a hold like others, and supply comes back by itself when the last one is lifted.
"""

from __future__ import annotations

import logging

from bridge.contract.locking import Lock, Unlock
from bridge.contract.people import same_person
from bridge.contract.units import micros_of
from edge.acts import Acts
from edge.asked import Asked, Refusal
from edge.core import Core
from edge.holds import LOCKOUT
from edge.switch_words import locked_words

log = logging.getLogger("riser.requests")


LONG_US = 24 * 3600 * 1_000_000
"""A lock that stands so long may be a forgotten one: somebody sits in the dark, or uses what nobody may cut."""


class Locking:
    """The operations `lock` and `unlock`."""

    def __init__(self, core: Core, acts: Acts):
        self._core, self._acts = core, acts
        self._alarmed: set[int] = set()

    def lock(self, asked: Asked, body: Lock) -> None:
        """Where supply is off already it is held off, whatever was asked: nobody who works there wants it on again."""
        meter = self._acts.relay_meter(body.meter)
        if (locked := locked_words(meter, self._core.terms.zone)) is not None:
            raise Refusal("R5", f"meter {meter.id} is {locked}; only one lock stands at a time")
        if body.off:
            self._acts.may_go_off(meter)
        off = body.off or self._core.lives[meter.id].relay_open is True
        self._acts.hold(asked, meter, LOCKOUT, True, off=off)
        log.info("meter %s: locked for work by %s", meter.id, body.who)

    def unlock(self, asked: Asked, body: Unlock) -> None:
        meter = self._acts.relay_meter(body.meter)
        if (lock := meter.lock) is None:
            raise Refusal("R5", f"meter {meter.id} is not locked; there is nothing to unlock")
        told: dict[str, str] = {}
        if not same_person(body.who, lock.by):
            if body.in_place_of is None or not same_person(body.in_place_of, lock.by):
                locked = locked_words(meter, self._core.terms.zone)
                raise Refusal("R5", f"meter {meter.id} is {locked}; they unlock it, or somebody who names "
                              "them and has made sure that nobody works there")  # fmt: skip
            told = {"in_place_of": lock.by}
        self._acts.hold(asked, meter, LOCKOUT, False, **told)
        log.info("meter %s: unlocked by %s", meter.id, body.who)

    def tick(self) -> None:
        """Raise the alarm of each lock that has stood for a day, once; it goes on standing."""
        core = self._core
        if not core.book.trusted:
            return
        for meter in [each for each in core.state.meters.values() if each.holds]:
            lock = meter.lock
            if lock is None or lock.seq in self._alarmed or micros_of(core.now()) - lock.since < LONG_US:
                continue
            self._alarmed.add(lock.seq)
            if core.book.find(id := f"alarm:lock:{meter.id}:{lock.seq}") is None:
                text = f"still {locked_words(meter, core.terms.zone)}; is the work done, it is to be unlocked"
                fields = {"meter": meter.id, "account": meter.account, "alarm": "lock-stands", "text": text}
                core.append(("alarm/1", id, fields))
                log.warning("meter %s: %s", meter.id, text)
