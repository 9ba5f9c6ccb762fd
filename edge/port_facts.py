"""Renders `port/<id>`: a line's figures and the newest raw exchange of each of its meters, with no password in them."""

from __future__ import annotations

from datetime import datetime

from bridge.contract import messages as m
from bridge.contract.port_statistics import ErrorCounts, MeterOnPort, RawExchange
from bridge.contract.units import instant_text
from edge.core import Core
from edge.line.request import Reply
from edge.model import Model
from edge.statistics import Counted, Statistics

LARGEST_BYTES = 20_000
"""A message of this size passes a slow network every ten seconds and is not noticed."""

LARGEST_WHOLE = 32_000
"""No message is larger, however many meters a line has: the figures of 160 circuits with every kind of error fit."""

LEFT_OUT_BYTES = 32
"""What it takes to say how many meters were left out."""

EXCHANGE_BYTES, SHORTEST = 110, 24
"""What an exchange takes in the message without its bytes, and the fewest bytes of it worth telling: who and what."""

START = 0x68


def port_fact(
    core: Core, statistics: Statistics, id: str, closed: tuple[float, datetime] | None = None
) -> m.PortStatistics:
    """The message about a port; one that is `closed` is told as it was at that second and instant."""
    now, at = closed or (core.clock.monotonic(), core.now())
    counted, window_s = statistics.port(id), statistics.window_s(now)
    tally, total, turnarounds = counted.window(now), counted.total, counted.turnarounds()
    asked = {
        meter.id: found
        for meter in core.state.meters.values()
        if meter.row["port"] == id and (found := statistics.meter(id, meter.id)) is not None
    }
    rows = [_row(meter, found, now) for meter, found in asked.items()]
    message = m.PortStatistics(
        at=instant_text(at),
        since=instant_text(statistics.since),
        window_s=round(window_s, 1),
        asked=tally.asked,
        failed=tally.failed,
        repeated=tally.repeated,
        errors=ErrorCounts(**tally.errors),
        bytes_out=tally.bytes_out,
        bytes_in=tally.bytes_in,
        wire_s=round(tally.wire_s, 2),
        busy_s=round(tally.busy_s, 2),
        lost_s=round(tally.lost_s, 2),
        wire_percent=_percent(tally.wire_s, window_s),
        busy_percent=_percent(tally.busy_s, window_s),
        failed_percent=_percent(tally.failed, tally.asked),
        turnaround_s=round(turnarounds[0], 3) if turnarounds else None,
        slowest_s=round(turnarounds[1], 3) if turnarounds else None,
        asked_total=total.asked,
        failed_total=total.failed,
        repeated_total=total.repeated,
        errors_total=ErrorCounts(**total.errors),
        bytes_out_total=total.bytes_out,
        bytes_in_total=total.bytes_in,
        lost_s_total=round(total.lost_s, 1),
        meters=rows,
    )
    size = len(message.payload())
    if size > LARGEST_WHOLE:
        rows = _worst(rows, LARGEST_WHOLE - LEFT_OUT_BYTES - (size - sum(map(_size, rows))))
        return message.model_copy(update={"meters": rows, "left_out": len(asked) - len(rows)})
    last = _last(core, asked, rows, LARGEST_BYTES - size)
    return message.model_copy(update={"meters": [row.model_copy(update={"last": last.get(row.id)}) for row in rows]})


def _size(row: MeterOnPort) -> int:
    return len(row.model_dump_json(exclude_none=True)) + len(",")


def _worst(rows: list[MeterOnPort], room: int) -> list[MeterOnPort]:
    """The rows that fit into `room` bytes, in their order; who fails least, and answers quickest, is left out."""
    kept = set()
    for row in sorted(rows, key=lambda row: (-row.failed, -row.failed_total, -(row.turnaround_s or 0))):
        room -= _size(row)
        if room < 0:
            break
        kept.add(row.id)
    return [row for row in rows if row.id in kept]


def _row(id: str, counted: Counted, now: float) -> MeterOnPort:
    tally, turnarounds = counted.window(now), counted.turnarounds()
    return MeterOnPort(
        id=id,
        asked=tally.asked,
        failed=tally.failed,
        repeated=tally.repeated or None,
        errors=ErrorCounts(**tally.errors) if tally.errors else None,
        lost_s=round(tally.lost_s, 1),
        turnaround_s=round(turnarounds[0], 3) if turnarounds else None,
        slowest_s=round(turnarounds[1], 3) if turnarounds else None,
        asked_total=counted.total.asked,
        failed_total=counted.total.failed,
    )


def _last(core: Core, asked: dict[str, Counted], rows: list[MeterOnPort], room: int) -> dict[str, RawExchange]:
    """The newest exchange of each meter, in `room` bytes; where they do not all fit, of those that fail most."""
    worst_first = sorted(rows, key=lambda row: -row.failed)
    newest = [(row.id, last) for row in worst_first if (last := asked[row.id].last) is not None]
    newest = newest[: max(0, room) // (EXCHANGE_BYTES + 2 * SHORTEST)]
    most = (room // len(newest) - EXCHANGE_BYTES) // 2 if newest else 0
    return {id: exchange_of(core.lives[id].model, last, most) for id, last in newest}


def exchange_of(model: Model, reply: Reply, most: int = 1024) -> RawExchange:
    """An exchange fit to be shown; of its two sides together at most `most` bytes."""
    asked = model.masked(reply.request.frame)
    answer = b"".join(map(model.masked, reply.parts))
    # What was heard instead may be our own question, damaged on its way back: then nothing of it is shown (I24).
    heard = masked_within(model, reply.heard) if asked == reply.request.frame else b""
    came, left = answer or heard, most - min(len(asked), most // 2)
    return RawExchange(
        at=instant_text(reply.at),
        question=asked[: most // 2].hex(),
        answer=answer[:left].hex() or None,
        heard=heard[:left].hex() or None,
        error=reply.error,
        whole_bytes=len(came) if len(came) > left else None,
    )


def masked_within(model: Model, heard: bytes) -> bytes:
    """Whatever was heard, with the password of every piece of a frame in it masked, also of another master's."""
    out = bytearray(heard)
    place = heard.find(START)
    while 0 <= place < len(heard) - 2:
        length = heard[place + 2]
        piece = heard[place : place + 5 + length]  # 68H C L DATA CS 16H: a frame from its second 68H.
        whole = bytes([START]) + bytes(6) + piece.ljust(5 + length, b"\0")
        out[place : place + len(piece)] = model.masked(whole)[7 : 7 + len(piece)]
        place = heard.find(START, place + 1)
    return bytes(out)


def _percent(part: float, whole: float) -> float | None:
    return round(min(100.0, 100 * part / whole), 1) if whole > 0 else None
