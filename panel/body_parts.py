"""What the bodies of several kinds of entries are made of; see `bodies.py`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bridge.contract.fields import Instant, Whole

Hex = Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2})*$")]

Exchange = Annotated[list[Hex], Field(min_length=1, max_length=64)]
"""A question as it was sent and each part of its answer, in hex."""

Registers = dict[str, Whole]


class Body(BaseModel):
    """Keys that are not named here may be what they like."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Moving(Body):
    """What moves money; `moves_of` leaves out what is no move."""

    moves: list[dict[str, Any]] = Field(default_factory=list)
    balance_after_nano: Whole | None = None


def moves_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The moves of an entry: each {from, to, amount_nano}."""
    return [
        move
        for move in body.get("moves", ())
        if isinstance(move.get("from"), str)
        and isinstance(move.get("to"), str)
        and type(move.get("amount_nano")) is int
    ]


class Stood(Body):
    """A register at an instant."""

    at: Instant
    registers_wh: Registers
    source: str = ""


class Register(Stood):
    read_at: Instant | None = None
    frames: list[Exchange] | None = None
    rests_on: list[Stood] = Field(default_factory=list)
    days: list[Registers] = Field(default_factory=list)
