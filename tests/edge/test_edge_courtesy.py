"""How a meter is spoken to: plainly while that works, gently where it failed, and waited for as long as it needs."""

from __future__ import annotations

from datetime import UTC, datetime

from edge.courtesy import (
    GENTLE_PREAMBLE,
    GENTLE_QUIET_S,
    KEPT_S,
    KNOWN_AT,
    PATIENT_REST_S,
    PLAIN_FAILED,
    SHORTEST_REST_S,
    SHORTEST_WAIT_S,
    Courtesy,
)
from edge.line.request import ROUTINE, USUAL, Manner, Reply, Request

QUESTION = Request(1, ROUTINE, "m1", "energy", b"?")


def answer(now: float, delay_s: float = 0.03, pause_s: float = 0.0) -> Reply:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Reply(QUESTION, "line-1", b"!", None, now, now, at, (), delay_s, b"", False, pause_s)


def failure(now: float, spoken: bool) -> Reply:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Reply(QUESTION, "line-1", None, "noise" if spoken else "silent", now, now, at, spoken=spoken)


class Meter:
    """A meter that answers when it is spoken to as it needs; `needs` FE bytes."""

    def __init__(self, needs: int = 0, delay_s: float = 0.03):
        self.courtesy, self.needs, self.delay_s = Courtesy(), needs, delay_s
        self.preambles: list[int] = []
        self.now = 0.0

    def ask(self, answers: bool = True) -> bool:
        """One question; True when it was answered."""
        self.now += 1.0
        sent, gently = self.courtesy.preamble(0, self.now), self.courtesy.gentle(self.now)
        self.preambles.append(sent)
        answered = answers and sent >= self.needs
        self.courtesy.heard(gently, answer(self.now, self.delay_s) if answered else failure(self.now, False))
        return answered


def test_no_byte_is_sent_that_a_meter_does_not_need() -> None:
    """The first contact is gentle; from then on a meter that answers plain questions gets nothing else."""
    meter = Meter()
    assert all(meter.ask() for _ in range(100))
    assert meter.preambles == [GENTLE_PREAMBLE] + [0] * 99


def test_a_meter_that_needs_waking_is_woken() -> None:
    """It costs a few unanswered questions; then it is spoken to gently for an hour, and plain words are tried again."""
    meter = Meter(needs=2)
    missed = sum(not meter.ask() for _ in range(1000))
    assert missed == PLAIN_FAILED
    meter.now += KEPT_S
    missed = sum(not meter.ask() for _ in range(1000))
    assert missed == PLAIN_FAILED


def test_a_meter_that_was_without_power_is_not_spoken_to_gently_for_an_hour() -> None:
    """It was silent to plain and to gentle words alike: five times in a row off and on, and plain words do."""
    meter = Meter()
    for _ in range(5):
        for answers in (True, True, False, False, False):
            meter.ask(answers)
    meter.ask()
    meter.ask()
    assert meter.preambles[-1] == 0 and meter.courtesy.gentle_until < 0


def test_noise_does_not_make_a_line_slow() -> None:
    """Three answers in a hundred are lost: only the question after a lost one is gentle."""
    meter = Meter()
    for number in range(1000):
        meter.ask(answers=number % 33 != 5)
    assert meter.courtesy.gentle_until < 0
    assert sum(sent > 0 for sent in meter.preambles) == 1 + len(range(5, 1000, 33))


def test_a_model_that_asks_for_more_gets_it() -> None:
    """What the manual says stands above what custom says, plain or gentle."""
    courtesy, own = Courtesy(), Manner(first_byte_s=1.0, quiet_s=0.05)
    assert courtesy.preamble(8, 0.0) == 8 and courtesy.manner(own, 0.0).quiet_s == 0.05
    assert courtesy.manner(USUAL, 0.0).quiet_s == GENTLE_QUIET_S
    courtesy.heard(True, answer(0.0))
    assert courtesy.preamble(8, 1.0) == 8 and courtesy.manner(own, 1.0) == own
    assert courtesy.manner(USUAL, 1.0).quiet_s == 0.0


def test_a_quick_meter_is_not_waited_for_long() -> None:
    """Once its delay is known, a routine question waits four times as long; an order as its model says."""
    meter = Meter(delay_s=0.08)
    for _ in range(KNOWN_AT - 1):
        meter.ask()
    assert meter.courtesy.manner(USUAL, meter.now, learned_wait=True).first_byte_s == USUAL.first_byte_s
    meter.ask()
    assert meter.courtesy.manner(USUAL, meter.now, learned_wait=True).first_byte_s == 4 * 0.08
    assert meter.courtesy.manner(USUAL, meter.now).first_byte_s == USUAL.first_byte_s
    quick, slow = Meter(delay_s=0.001), Meter(delay_s=0.4)
    for _ in range(KNOWN_AT):
        quick.ask()
        slow.ask()
    assert quick.courtesy.manner(USUAL, quick.now, learned_wait=True).first_byte_s == SHORTEST_WAIT_S
    assert slow.courtesy.manner(USUAL, slow.now, learned_wait=True).first_byte_s == USUAL.first_byte_s


def test_who_was_heard_is_not_woken() -> None:
    """An answer that came damaged is asked for again plainly: the meter is awake. One who stays silent is woken."""
    courtesy = Courtesy()
    courtesy.heard(True, answer(0.0))
    courtesy.heard(False, failure(1.0, spoken=True))
    assert courtesy.preamble(0, 1.0) == 0 and courtesy.manner(USUAL, 1.0).quiet_s == 0.0
    courtesy.heard(False, failure(2.0, spoken=False))
    assert courtesy.preamble(0, 2.0) == GENTLE_PREAMBLE


def test_a_broken_off_answer_is_not_waited_for_long() -> None:
    """A meter that answers without pauses is given up soon when it stops; the question after that waits half a second,
    so that one that has begun to pause is heard, and is known from then on."""
    courtesy = Courtesy()
    for n in range(KNOWN_AT):
        courtesy.heard(False, answer(n, pause_s=0.005))
    assert courtesy.manner(USUAL, 9.0, learned_wait=True).rest_s == SHORTEST_REST_S
    assert courtesy.manner(USUAL, 9.0).rest_s == USUAL.rest_s, "an order waits as its model says"
    courtesy.heard(False, failure(9.0, spoken=True))
    assert courtesy.manner(USUAL, 9.0, learned_wait=True).rest_s == PATIENT_REST_S
    courtesy.heard(False, answer(10.0, pause_s=0.3))
    assert courtesy.manner(USUAL, 11.0, learned_wait=True).rest_s == PATIENT_REST_S, "never longer"
    for n in range(16):
        courtesy.heard(False, answer(12.0 + n, pause_s=0.03))
    assert courtesy.manner(USUAL, 30.0, learned_wait=True).rest_s == 4 * 0.03
