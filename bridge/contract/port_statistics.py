"""What passes over a line, for whoever stands at it: how busy it is, what goes wrong, and with which meter."""

from __future__ import annotations

from pydantic import Field

from bridge.contract.message import Message, Part

SENT_ERRORS = ("silent", "noise", "babble", "unfinished")
"""What can become of a question that left; these make a request a failed one."""

UNSENT_ERRORS = ("closed", "late", "withdrawn")
"""Why a request never became an exchange; these are no fault of a meter."""

REFUSED = "refused"
"""The meter answered, and said no."""


class ErrorCounts(Part):
    """How often each kind happened; one that is absent did not happen."""

    silent: int | None = Field(default=None, description="nobody spoke")
    noise: int | None = Field(default=None, description="what came is no answer")
    babble: int | None = Field(default=None, description="somebody did not stop speaking")
    unfinished: int | None = Field(default=None, description="a part of a long answer is missing")
    refused: int | None = Field(default=None, description="the meter understood, and said no; not a failed question")
    closed: int | None = Field(default=None, description="not sent: the port was closed")
    late: int | None = Field(default=None, description="not sent: the time for it had passed")
    withdrawn: int | None = Field(default=None, description="a trip that the gateway took back before its first byte")


class RawExchange(Part):
    at: str = Field(description="when it was over")
    question: str = Field(description="in hex; passwords are zeros, and the checksum then never fits (I24)")
    answer: str | None = Field(default=None, description="all parts of it, in hex")
    heard: str | None = Field(
        default=None, description="in hex, what came instead of an answer; untold where the question held a password"
    )
    error: str | None = None
    whole_bytes: int | None = Field(
        default=None, description="length of what was heard, where not all of it is told here"
    )


class MeterOnPort(Part):
    id: str
    asked: int
    failed: int
    repeated: int | None = Field(default=None, description="asked again as the answer was damaged; absent: never")
    errors: ErrorCounts | None = Field(default=None, description="absent where nothing went wrong")
    lost_s: float = Field(description="seconds the line waited for this meter and got no answer")
    turnaround_s: float | None = Field(default=None, description="the middle one of its newest answers")
    slowest_s: float | None = Field(default=None, description="the slowest of its newest answers")
    asked_total: int
    failed_total: int
    last: RawExchange | None = Field(
        default=None,
        description="the newest exchange with it; where a line is so full that not all fit, of those that fail most",
    )


class PortStatistics(Message):
    """What passes over one line. Figures reach back `window_s` seconds, those in `_total` to `since`.

    Told at most every ten seconds. Bytes are those of questions, of answers, and of what came instead, as far as it was
    kept (512 bytes); a turnaround is the time from the last byte of a question to the first of its answer.
    """

    topic = "port/{id}"
    retained = True
    at: str
    since: str = Field(description="when counting began: the start of the gateway's program")
    window_s: float = Field(description="seconds of the line that the figures reach back, at most 900")
    asked: int = Field(description="questions that left")
    failed: int = Field(description="questions without a good answer")
    repeated: int = Field(description="questions asked again because the answer was damaged")
    errors: ErrorCounts
    bytes_out: int
    bytes_in: int
    wire_s: float = Field(description="seconds in which bytes were on the line")
    busy_s: float = Field(description="seconds in which an exchange was going on; the rest was free")
    lost_s: float = Field(description="seconds that were waited for answers that did not come")
    wire_percent: float | None = Field(default=None, description="wire_s of window_s")
    busy_percent: float | None = Field(default=None, description="busy_s of window_s: the utilisation")
    failed_percent: float | None = Field(default=None, description="failed of asked; absent where nothing was asked")
    turnaround_s: float | None = None
    slowest_s: float | None = None
    asked_total: int
    failed_total: int
    repeated_total: int
    errors_total: ErrorCounts
    bytes_out_total: int
    bytes_in_total: int
    lost_s_total: float
    meters: list[MeterOnPort]
    left_out: int | None = Field(
        default=None,
        description="meters whose rows are untold, those that fail least: the line has more than a message holds",
    )
