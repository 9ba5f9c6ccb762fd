"""A line whose meters nobody wrote down is found out: each meter once, an address given twice by name, with an end."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from edge.codec import dlt645, modbus
from edge.codec.dlt645 import Frame
from edge.scan.search import (
    Found,
    Outcome,
    Probe,
    Search,
    cjt188_meters,
    dlt645_meters,
    dlt1997_meters,
    modbus_meters,
)
from tests.edge.published import sample

Answer = Callable[[Probe], Outcome]


def run(search: Search, answer: Answer) -> tuple[list[Found], int]:
    """(what was found, how many questions it took)."""
    asked, outcome = 0, None
    while True:
        try:
            probe = search.send(outcome)  # type: ignore[arg-type]
        except StopIteration as end:
            return end.value, asked
        asked, outcome = asked + 1, answer(probe)


def line(*addresses: str, number: Callable[[str], str] = lambda address: address[::-1]) -> Answer:
    """DL/T 645 meters on one line: one that fits answers, several at once are noise."""

    def answer(probe: Probe) -> Outcome:
        asked = dlt645.decode(probe.frame)
        fits = [a for a in addresses if all(w in ("a", d) for w, d in zip(asked.address, a, strict=True))]
        if len(fits) != 1:
            return Outcome(None, "noise" if fits else "silent")
        value = bytes.fromhex(number(fits[0]))[::-1] if asked.identifier == "04000402" else bytes(4)
        return Outcome(dlt645.encode(Frame(fits[0], 0x91, asked.data[:4] + value), 0))

    return answer


def test_an_empty_line_is_one_question() -> None:
    """Nobody answers the question to everybody: there is nothing to look for."""
    assert run(dlt645_meters(), line()) == ([], 1)


def test_a_single_meter_names_itself() -> None:
    """Five questions: who is there, your number, how many phases, is money prepaid in you, what is left of it."""
    found, asked = run(dlt645_meters(), line("202611000101"))
    assert found == [Found("dlt645-2007", "202611000101", "101000116202", phases=1)] and asked == 5


@pytest.mark.parametrize("count", [2, 12, 32])
def test_every_meter_is_found_once(count: int) -> None:
    """Whatever the addresses are, each comes once, with its number."""
    chance = random.Random(count)
    addresses = {f"{chance.randrange(10**12):012d}" for _ in range(count)} | {"000000000001", "000000000101"}
    found, asked = run(dlt645_meters(), line(*addresses))
    assert sorted(each.address for each in found) == sorted(addresses)
    assert all(each.number == each.address[::-1] and not each.doubled for each in found)
    assert asked < 3 * 100 * len(addresses)


def test_meters_of_one_batch_are_found_by_their_last_digits() -> None:
    """Twelve neighbours from one box: one round of a hundred questions."""
    addresses = [f"2026110001{number:02d}" for number in range(12)]
    found, asked = run(dlt645_meters(), line(*addresses))
    assert [each.address for each in found] == addresses
    assert asked == 2 + 100 + 4 * 12


def test_an_address_given_twice_is_named() -> None:
    """Two meters with one address are noise down to the last digit: said, not searched for ever."""
    found, _ = run(dlt645_meters(), line("202611000101", "202611000101", "202611000102"))
    assert Found("dlt645-2007", "202611000101", None, doubled=True) in found
    assert [each.address for each in found if not each.doubled] == ["202611000102"]


def test_a_spark_is_not_two_meters() -> None:
    """Noise once is asked again; only noise twice is narrowed."""
    quiet, sparks = line("202611000101"), iter([True])

    def answer(probe: Probe) -> Outcome:
        return Outcome(None, "noise") if next(sparks, False) else quiet(probe)

    found, asked = run(dlt645_meters(), answer)
    assert len(found) == 1 and asked == 6


def test_a_meter_that_keeps_its_number_is_found_all_the_same() -> None:
    """A meter that refuses the question for its number still has an address."""

    def answer(probe: Probe) -> Outcome:
        asked = dlt645.decode(probe.frame)
        refused = asked.identifier == "04000402"
        data = b"\x02" if refused else asked.data + bytes(4)
        return Outcome(dlt645.encode(Frame("202611000101", 0xD1 if refused else 0x91, data), 0))

    assert run(dlt645_meters(), answer)[0] == [Found("dlt645-2007", "202611000101", None, phases=1)]


def test_modbus_slaves_are_tried_one_by_one_and_a_refusal_counts() -> None:
    """Slave 3 answers, slave 7 refuses the register, slave 9 is two slaves: all three are there."""

    def answer(probe: Probe) -> Outcome:
        slave = probe.frame[0]
        if slave == 9:
            return Outcome(None, "noise")
        body = {3: bytes([3, 3, 4, 0, 0, 0, 1]), 7: bytes([7, 0x83, 2])}.get(slave)
        return Outcome(None, "silent") if body is None else Outcome(body + modbus.crc(body))

    found, asked = run(modbus_meters(), answer)
    assert found == [
        Found("modbus-rtu", "3"),
        Found("modbus-rtu", "7"),
        Found("modbus-rtu", "9", doubled=True),
    ]
    assert asked == 248


@pytest.mark.parametrize(
    ("search", "protocol", "id", "address"),
    [
        (dlt1997_meters, "dlt645-1997", "d97-kts-fwd-resp-003", "201708176934"),
        (cjt188_meters, "cjt188", "c188-read-resp-lua", "00000805000001"),
    ],
)
def test_older_and_other_meters_answer_for_themselves(
    search: Callable[[], Search], protocol: str, id: str, address: str
) -> None:
    """Where a protocol has no narrowing, the one that answers is told, and a crowd is told as one."""
    assert run(search(), lambda _: Outcome(sample(id).raw))[0] == [Found(protocol, address)]
    assert run(search(), lambda _: Outcome(None, "silent"))[0] == []
    assert run(search(), lambda _: Outcome(None, "noise"))[0] == [Found(protocol, "", doubled=True)]


def test_no_question_of_a_search_changes_a_meter() -> None:
    """Looking is harmless: every frame of every search is a read (I13)."""
    frames: list[bytes] = []

    def answer(probe: Probe) -> Outcome:
        frames.append(probe.frame)
        return Outcome(None, "noise" if len(frames) < 300 else "silent")

    for search in (dlt645_meters(), dlt1997_meters(), cjt188_meters()):
        run(search, answer)
    assert {frame.lstrip(b"\xfe")[8] for frame in frames if frame.lstrip(b"\xfe")[7] == 0x68} <= {0x11, 0x01}
    run(modbus_meters(), lambda probe: (frames.clear(), frames.append(probe.frame), Outcome(None, "silent"))[2])
    assert frames[0][1] == 3
