"""After a silence a meter says its own number before what it shows counts (R20-R22): another one may answer there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_text
from edge.line.inline import Answer
from edge.load_record import LoadRecord
from edge.own_number import NO_NUMBER, TRIES, WAITS
from firmware_sim.dlt645_frame import address_bytes
from tests.edge.swapping import ACCOUNT, OLD_SERIAL, POINT, SERIAL, Swapping

NUMBER, FREEZE_ENERGY, FROZEN, RECORDS = "04000402", "05060101", "0506", "06"
NEIGHBOUR = "a102"
EVENING = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai.


class Silent(Swapping):
    """A point whose meter can fall silent, and where another one of the line answers instead."""

    def __init__(self, directory: Path, **more: Any):
        self.dis: list[str] = []
        self.deaf, self.mute, self.hook = False, False, lambda reply: reply
        self.doubted_at: str | None = None
        super().__init__(directory, **more)
        self.run(minutes=5)
        self.dis.clear()

    @property
    def asked(self) -> int:
        """How often it was asked for its number."""
        return self.dis.count(NUMBER)

    def answer_of(self, line: str) -> Answer:
        real = self.shaft.lines[line].answer

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            reply, think_s = real(frame, now, mono)
            plain = frame.lstrip(b"\xfe")
            if plain[1:7] != self.sim_meter(POINT).wire:
                return reply, think_s
            if self.deaf:
                return b"", think_s
            self.dis.append(bytes((byte - 0x33) & 0xFF for byte in plain[13:9:-1]).hex())
            if self.dis[-1] == self.doubted_at:
                self.live.unnamed, self.doubted_at = True, None
            if self.dis[-1] == NUMBER:
                return (b"", think_s) if self.mute else (self.hook(reply), think_s)
            return reply, think_s

        return answer

    def told(self) -> list[tuple[str, str]]:
        """Alarms of its number."""
        alarms = [entry.fields for entry in self.of("alarm/1", meter=POINT)]
        return [(each["alarm"], each["text"]) for each in alarms if each["alarm"] in ("another-meter", "no-number")]

    def silence(self, minutes: float = 30) -> None:
        """Nothing answers for so long; then it is probed within a minute."""
        self.deaf = True
        self.run(minutes=minutes)
        assert self.live.online is False
        self.deaf = False

    def takes_its_place(self) -> None:
        """The meter is dead, and the neighbour's was given its address; its register is a little higher."""
        mine, other = self.sim_meter(POINT), self.sim_meter(NEIGHBOUR)
        mine.advance(self.clock.now(), 0.0)
        other.metrology.total_wus = mine.metrology.total_wus + 300 * 3_600_000_000
        other.metrology.rates_wus = [*mine.metrology.rates_wus[:2], *mine.metrology.rates_wus[2:]]
        other.metrology.rates_wus[2] += 300 * 3_600_000_000
        other.wire, mine.wire = mine.wire, address_bytes("999999000001")
        self.shaft.meters[POINT], self.shaft.meters[NEIGHBOUR] = other, mine

    def is_right_again(self) -> None:
        mine, other = self.sim_meter(NEIGHBOUR), self.sim_meter(POINT)
        mine.wire, other.wire = other.wire, address_bytes("999999000002")
        self.shaft.meters[POINT], self.shaft.meters[NEIGHBOUR] = mine, other


@pytest.fixture
def shop(tmp_path: Path) -> Silent:
    return Silent(tmp_path)


def test_r20_a_meter_that_is_back_says_its_number_once(shop: Silent) -> None:
    """One question more after a silence, none while it answers; then its readings count as before."""
    shop.run(minutes=10)
    assert shop.asked == 0
    before = shop.live.sample
    shop.silence()
    shop.run(minutes=10)
    assert shop.asked == 1 and shop.live.quality == "good" and shop.live.sample.read_at > before.read_at
    assert not shop.told() and shop.live.sample.registers_wh["total"] == pytest.approx(shop.shown_wh(), abs=50)


def test_r20_a_few_missed_rounds_are_no_silence(tmp_path: Path) -> None:
    """Who missed three short rounds was not exchanged meanwhile: no question more."""
    shop = Silent(tmp_path, poll_s=10)
    shop.silence(minutes=1)
    shop.run(minutes=4)
    assert shop.live.online and shop.live.quality == "good" and shop.asked == 0


def test_r22_another_meter_at_its_address_charges_nobody(tmp_path: Path) -> None:
    """Its neighbour was given its address while it was dead, and its register would fit: nothing of it counts, its
    midnights and records are not even asked for, and its day closes without them; a person is told once. When the
    right one is back, its own readings count."""
    shop = Silent(tmp_path, start=EVENING, poll_s=300, idle_s=5)
    before = shop.live.sample
    shop.silence()
    shop.takes_its_place()
    shop.dis.clear()
    shop.run(hours=15)
    assert shop.live.sample is before and shop.live.quality == "unconfirmed"
    assert shop.live.quality_why == f"it says it is {shop.sim_meter(POINT).serial}, {OLD_SERIAL} is meant"
    said = f"the meter says it is {shop.sim_meter(POINT).serial}, and {OLD_SERIAL} is meant"
    assert shop.told() == [("another-meter", said)]
    assert not [di for di in shop.dis if di.startswith((FROZEN, RECORDS))]
    assert not shop.charges() and shop.of("closing/1", account=ACCOUNT)
    shop.is_right_again()
    shop.run(minutes=10)
    assert shop.live.quality == "good" and shop.live.sample.registers_wh["total"] == shop.shown_wh()
    assert len(shop.told()) == 1 and not shop.of("quarantine/1")


def test_r22_another_meter_is_asked_once_a_round(shop: Silent) -> None:
    """However long the wrong one answers, the line carries one question more in each round, and one more at first."""
    shop.silence()
    shop.takes_its_place()
    shop.run(minutes=60)
    assert 55 <= shop.asked <= 62


def test_r22_a_meter_exchanged_while_the_gateway_was_off_is_found(shop: Silent) -> None:
    """A power cut of half an hour is a silence as well."""
    shop.stop_edge()
    shop.clock.advance(1800)
    shop.takes_its_place()
    shop.start_edge()
    shop.run(minutes=5)
    assert shop.live.sample is None and [alarm for alarm, _ in shop.told()] == ["another-meter"]


def test_r20_one_damaged_number_is_no_other_meter(shop: Silent) -> None:
    """A sum may be right by chance: the number is read again, and nobody is told anything."""
    damaged: list[bytes] = []

    def once(reply: bytes) -> bytes:
        if damaged or not reply:
            return reply
        start = reply.index(b"\x68")
        damaged.append(reply)
        body = bytearray(reply[start:])
        body[14] ^= 0x01
        body[-2] = sum(body[:-2]) & 0xFF
        return reply[:start] + bytes(body)

    shop.hook = once
    shop.silence()
    shop.run(minutes=3)
    assert damaged and shop.asked == 2 and shop.live.quality == "good" and not shop.told()


def test_r20_a_number_that_never_comes_keeps_a_good_meter_away_for_a_few_rounds(shop: Silent) -> None:
    """It answers everything but that: asked once a round and no more, then its readings count and a person is told."""
    before = shop.live.sample
    shop.silence()
    shop.mute = True
    shop.run(minutes=TRIES - 2)
    assert shop.live.sample is before and (shop.live.quality, shop.live.quality_why) == ("unconfirmed", WAITS)
    shop.run(minutes=10)
    assert shop.live.quality == "good" and shop.live.sample is not before and shop.asked == TRIES
    assert shop.told() == [("no-number", NO_NUMBER)]


def test_r22_the_new_meter_of_an_approved_exchange_is_itself(shop: Silent) -> None:
    """The number that is awaited is that of the meter that hangs there now."""
    shop.silence()
    shop.swap()
    shop.run(minutes=5)
    shop.agree(shop.replace(serial=SERIAL))
    shop.run(minutes=20)
    assert shop.live.quality == "good" and shop.live.is_itself and not shop.told()


def test_r20_a_midnight_that_was_on_its_way_when_a_doubt_came_is_asked_for_again(tmp_path: Path) -> None:
    """It answers after a silence while its midnight is being read twice: what it told meanwhile goes on no bill."""
    shop = Silent(tmp_path, start=EVENING)
    shop.doubted_at = FREEZE_ENERGY
    shop.run_until(lambda: shop.charges(), hours=15)
    assert shop.doubted_at is None and shop.dis.count(FREEZE_ENERGY) == 4


def test_r22_a_reading_of_the_other_one_is_not_believed_on_the_right_ones_number(shop: Silent) -> None:
    """The other one's reading waited; then the right one answers and says its number before it is read."""
    shop.silence()
    shop.takes_its_place()
    shop.mute = True
    shop.run(minutes=2)
    held = shop.edge.readings.own._waiting[POINT].reply
    shop.is_right_again()
    shop.mute = False
    shop.clock.advance(30)
    frame = shop.edge.core.question(shop.meter, "serial")
    take = shop.edge.polls["line-1"].take
    shop.edge.core.submit(shop.meter, 0, "serial", frame, lambda reply: take(shop.meter, "serial", reply))
    shop.run_until(lambda: shop.live.is_itself, hours=0.1)
    assert shop.live.sample is None or shop.live.sample.mono != held.ended


def test_r24_a_load_record_waits_for_the_number_as_well(shop: Silent) -> None:
    """What a meter stored is asked for once it is known which meter answers."""
    records = LoadRecord(shop.edge.core)
    shop.live.unnamed = True
    assert not records.want(shop.meter, date(2026, 11, 20))
    shop.live.unnamed = False
    assert records.want(shop.meter, date(2026, 11, 20))


def test_a_border_is_read_right_after_a_start(tmp_path: Path) -> None:
    """A price takes effect in the seconds of a restart: the number is had before the border's tries are used up, so
    that what is used is not split by a guess, on which nobody could be cut."""
    silent = Silent(tmp_path)
    silent.run(minutes=10)
    core = silent.edge.core
    (old,) = core.state.tariffs[core.state.accounts[ACCOUNT].row["tariff"]]
    effective = instant_text(silent.clock.now() + timedelta(seconds=5))
    core.append(("tariff/1", "tariff:new", old | {"version": 2, "effective_at": effective}))
    silent.restart_after(10)
    silent.run(minutes=3)
    assert silent.of("border/1", meter=POINT)
