"""A reading is accepted, read again, or set aside: a checksum alone never puts a number on a bill (R19-R21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import gate, model
from edge.gate import ACCEPT, Verdict, ceiling_wh, check, rates_apart_wh
from edge.live import Sample

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
SINGLE = model.load("dlt645-1p")
PLAIN = replace(SINGLE, rates=())
FULL = SINGLE.full_scale_wh


def at(seconds: float, total: int, **rates: int) -> Sample:
    """A reading `seconds` after the start."""
    return Sample({"total": total, **rates}, START + timedelta(seconds=seconds), 1000 + seconds, ())


def split(seconds: float, total: int, off: int = 0) -> Sample:
    """A reading whose four rates add up to the total, or are `off` Wh beside it."""
    return at(seconds, total, sharp=0, peak=total // 2, flat=total - total // 2 - off, valley=0)


def judged(before: Sample | None, *readings: Sample, kind: model.Model = PLAIN, offset: int | None = None) -> list[str]:
    """What becomes of readings one after the other, as the loop handles them."""
    actions, suspect = [], None
    for sample in readings:
        verdict = check(kind, before, suspect, sample, offset)
        actions.append(verdict.action)
        if verdict == ACCEPT:
            before, suspect = sample, None
        else:
            suspect = sample if verdict.action == "again" else None
    return actions


# --- opening ---


def test_one_read_opens_no_meter() -> None:
    """R19: the first register is read a second time; only when both agree is it the one to charge from."""
    assert check(PLAIN, None, None, at(0, 5000), None) == Verdict("again", "R19", "opening read")
    assert judged(None, at(0, 5000), at(1, 5010)) == ["again", "accept"]


def test_two_opening_reads_that_differ_open_nothing() -> None:
    """Two first reads that cannot both be true are read again until two agree."""
    assert judged(None, at(0, 5000), at(1, 99_000), at(2, 5010), at(3, 5010)) == ["again", "again", "again", "accept"]
    assert judged(None, at(0, 5010), at(1, 5000)) == ["again", "again"]


# --- a single garbage read ---


@given(st.integers(0, FULL - 1))
def test_one_garbage_read_is_read_again_and_forgotten(garbage: int) -> None:
    """A damaged frame that passed its sum shows any number: it is read again, the good read is taken, nothing else."""
    before, good = at(0, 500_000), at(62, 500_100)
    actions = judged(before, at(60, garbage), good)
    if 0 <= garbage - 500_000 <= ceiling_wh(PLAIN, 60):
        assert actions[0] == "accept", "within what the meter can carry it is a reading"
    else:
        assert actions == ["again", "accept"]


def test_two_equal_garbage_reads_are_set_aside() -> None:
    """What is impossible and reads the same twice is not noise: it is set aside for a person, nothing is charged."""
    before = at(0, 500_000)
    assert judged(before, at(60, 900_000), at(61, 900_000)) == ["again", "set-aside"]
    assert judged(before, at(60, 900_000), at(61, 900_005)) == ["again", "set-aside"], "it may have counted on"
    assert judged(before, at(60, 900_000), at(61, 700_000)) == ["again", "again"], "two different ones are noise"
    assert judged(before, at(60, 900_000), at(61, 900_000), at(120, 500_050))[-1] == "accept"


# --- a smaller register ---


def test_a_register_that_fell_is_not_negative_use() -> None:
    """R20: reset to zero, or another meter in its place: set aside, named by its rule, never a credit."""
    before = at(0, 500_000)
    verdict = check(PLAIN, before, None, at(60, 499_990), None)
    assert (verdict.action, verdict.rule) == ("again", "R20") and "fell from 500000 to 499990" in (verdict.why or "")
    assert judged(before, at(60, 0), at(61, 0)) == ["again", "set-aside"]


def test_a_roll_over_is_accepted_only_near_the_top() -> None:
    """R20: 999999.99 kWh and then zero is use, when the old value stood in the last tenth and the step is possible."""
    assert judged(at(0, FULL - 50), at(60, 100)) == ["accept"]
    rolled = [at(3600 * 10_000, 0), at(3600 * 10_000 + 1, 0)]
    assert judged(at(0, FULL * 9 // 10), *rolled) == ["again", "accept"], "the last tenth begins at nine tenths"
    assert judged(at(0, FULL * 9 // 10 - 1), at(3600 * 10_000, 0)) == ["again"]
    assert judged(at(0, FULL - 50), at(60, 50_000), at(61, 50_000)) == ["again", "set-aside"], "too much for a minute"


def test_a_meter_with_rates_rolls_over_too() -> None:
    """The total reaches its top before any of its rates: a roll-over, not registers that disagree (R20, R28)."""
    before = at(0, FULL - 50, sharp=0, peak=400_000_000, flat=FULL - 50 - 400_000_000, valley=0)
    after = at(60, 20, sharp=0, peak=400_000_070, flat=FULL - 50 - 400_000_000, valley=0)
    assert judged(before, after, kind=SINGLE, offset=0) == ["accept"]
    worse = at(60, 20, sharp=0, peak=400_009_070, flat=FULL - 50 - 400_000_000, valley=0)
    assert judged(before, worse, worse, kind=SINGLE, offset=0) == ["again", "set-aside"]


# --- ceiling ---


@pytest.mark.parametrize(("id", "limit_w"), [("dlt645-1p", 15_840), ("dlt645-3p", 79_200), ("eastron-sdm630", 82_800)])
def test_the_ceiling_is_what_the_meter_can_carry(id: str, limit_w: int) -> None:
    """R21: 1.2 x Imax x U x phases x hours, to the watt-hour, and one register step of rounding."""
    kind = model.load(id)
    assert ceiling_wh(kind, 3600) == limit_w + kind.step_wh
    assert ceiling_wh(kind, 86_400) == 24 * limit_w + kind.step_wh
    before = at(0, 1_000_000)
    plain = replace(kind, rates=())
    most = 1_000_000 + limit_w + kind.step_wh
    assert check(plain, before, at(3599, most), at(3600, most), None) == ACCEPT
    assert check(plain, before, None, at(3600, 1_000_001 + limit_w + kind.step_wh), None).rule == "R21"


def test_two_quick_reads_may_differ_by_a_step() -> None:
    """Two reads a second apart are allowed the energy of a minute, or one register step would look impossible."""
    assert ceiling_wh(PLAIN, 0) == ceiling_wh(PLAIN, 60) >= 2 * PLAIN.step_wh
    assert judged(at(0, 1000), at(1, 1010)) == ["accept"]


def test_a_second_look_allows_what_is_used_meanwhile() -> None:
    """Two looks seconds apart agree when a meter can have used the difference; where the calendar runs 60 times as
    fast, as in the demo, it uses 60 times as much, or nobody could replace a meter there."""
    first, second = at(0, 1_000_000), at(2, 1_000_100)
    assert not gate.at_once(PLAIN, first, second, 1.0) and gate.at_once(PLAIN, first, second, 60.0)
    assert gate.at_once(PLAIN, first, at(2, 1_000_010), 1.0), "a step of the register"
    assert not gate.at_once(PLAIN, first, at(11, 1_000_010), 60.0), "a later reading is no second look"
    assert not gate.at_once(PLAIN, first, at(2, 999_990), 60.0)


def test_after_a_long_silence_much_is_possible() -> None:
    """A meter that was silent for days may have used what days allow; the limit grows with the time."""
    late = 5 * 86_400
    assert judged(at(0, 1_000_000), at(late, 2_800_000), at(late + 1, 2_800_000)) == ["again", "accept"]
    assert judged(at(0, 1_000_000), at(3600, 2_800_000)) == ["again"]


def test_a_leap_after_a_silence_is_read_twice() -> None:
    """One wrong frame with a right sum must not make a debt: more than a quarter of an hour at full load is doubted."""
    quarter = ceiling_wh(PLAIN, 900)
    assert judged(at(0, 1_000_000), at(7200, 1_000_000 + quarter)) == ["accept"]
    assert judged(at(0, 1_000_000), at(7200, 1_000_000 + quarter + 10), at(7201, 1_000_100)) == ["again", "accept"]


def test_beyond_the_scale_is_no_register() -> None:
    """A number that the register cannot show is not read as one, not even as a first reading."""
    verdict = check(PLAIN, None, None, at(0, FULL), None)
    assert (verdict.action, verdict.rule) == ("again", "R21")
    assert judged(None, at(0, FULL), at(1, FULL)) == ["again", "set-aside"]


# --- rates and total ---


def test_rates_must_move_with_the_total() -> None:
    """R28: what the total counts the rates count; more apart than rounding is one wrong register, and is set aside."""
    before, allowed = split(0, 1_000_000), gate.RATES_APART_STEPS * SINGLE.step_wh * len(SINGLE.rates)
    assert rates_apart_wh(SINGLE, before.registers_wh) == 0
    assert judged(before, split(60, 1_000_200, off=allowed), kind=SINGLE, offset=0) == ["accept"]
    wrong = split(60, 1_000_200, off=allowed + 1), split(61, 1_000_200, off=allowed + 1)
    assert judged(before, *wrong, kind=SINGLE, offset=0) == ["again", "set-aside"]
    assert check(SINGLE, before, None, wrong[0], 0).rule == "R28"


def test_an_old_difference_between_rates_and_total_is_no_fault() -> None:
    """A meter that came with rates 7 kWh beside its total is judged by how they move, not by where they stood."""
    before = split(0, 1_000_000, off=7000)
    assert judged(before, split(60, 1_000_100, off=7000), kind=SINGLE, offset=7000) == ["accept"]
    assert judged(before, split(60, 1_000_100), kind=SINGLE, offset=7000) == ["again"]


def test_a_register_that_vanished_is_noticed() -> None:
    """A reply without a register that was there before is not a reading of that meter."""
    verdict = check(SINGLE, split(0, 1_000_000), None, at(60, 1_000_100), None)
    assert (verdict.action, verdict.rule) == ("again", "R20") and "missing" in (verdict.why or "")
    assert rates_apart_wh(SINGLE, {"total": 5}) is None and rates_apart_wh(PLAIN, {"total": 5}) is None


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 40)), max_size=30), st.integers(0, FULL - 1))
def test_an_honest_meter_is_always_accepted(steps: list[tuple[int, int]], begin: int) -> None:
    """Whatever a meter honestly counts, over its top or not, is accepted at the first reading, a leap at the second."""
    seconds, total = 0, begin
    before, before_total = at(0, begin), begin
    for span, tenths in steps:
        seconds, total = seconds + span, total + tenths * 396 * span // 3600  # Up to the rated 15.84 kW.
        sample = at(seconds, total % FULL)
        if total >= FULL and before.registers_wh["total"] * 10 < FULL * 9 and total % FULL < begin:
            return
        verdict = check(PLAIN, before, None, sample, None)
        if verdict != ACCEPT:
            assert (total - before_total) > ceiling_wh(PLAIN, 900)
            assert check(PLAIN, before, sample, at(seconds + 1, total % FULL), None) == ACCEPT
        before, before_total = sample, total
