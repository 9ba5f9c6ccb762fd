"""From a message on the wire to a fact: the topic says which class it is, the class says whether it can be read.

    riser/shaft-a/meter/301/relay   ->   Fact(gateway="shaft-a", id="301", message=Relay(...))

What is not one of our facts is left to the sinks as it came; what claims to be one and is not is a BadFact.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from bridge.contract.messages import MESSAGES, Message
from bridge.contract.sound import odd_number
from bridge.contract.units import is_id

LARGEST_FACT_BYTES = 1_000_000
"""`meters` of a thousand meters has 600 kB; what is larger is not read."""

PROGRAMS = frozenset({"bridge", "panel"})
"""`<base>/bridge/status` and `<base>/panel/status` have the shape of a gateway's topic and belong to programs."""


class BadFact(ValueError):
    """A message on one of our topics that is not what its topic says; the same bytes again cannot help."""


@dataclass(frozen=True)
class Fact:
    """One message of one gateway. `id` is the meter, account, tariff or operation in the topic, or empty."""

    gateway: str
    id: str
    message: Message
    retained: bool


def _of_gateway() -> dict[tuple[str, ...], type[Message]]:
    """The parts of a topic below the gateway, `*` for its id -> the class."""
    return {
        tuple("*" if part == "{id}" else part for part in cls.topic.split("/")): cls
        for cls in MESSAGES
        if not cls.topic.startswith("/")
    }


_CLASSES = _of_gateway()


def filter_of(base: str, message: type[Message], id: str = "+") -> str:
    """The subscription that brings this kind of message from every gateway of the site."""
    return f"{base}/+/{message.topic.replace('{id}', id)}"


def read(base: str, topic: str, payload: bytes, retained: bool) -> Fact | None:
    """The fact in a message; None for another's topic and for a fact that was taken back (empty payload).

    Raises BadFact with one sentence.
    """
    if not topic.startswith(base + "/"):
        return None
    gateway, *parts = topic[len(base) + 1 :].split("/")
    if gateway in PROGRAMS or not is_id(gateway):
        return None
    exact, id = tuple(parts), ""
    cls = _CLASSES.get(exact)
    if cls is None and len(parts) >= 2:
        cls, id = _CLASSES.get((parts[0], "*", *parts[2:])), parts[1]
    if cls is None or not payload:
        return None
    if id and not is_id(id):
        raise BadFact(f"{topic!r}: {id!r} is not an id")
    if len(payload) > LARGEST_FACT_BYTES:
        raise BadFact(f"{topic!r}: {len(payload)} bytes, at most {LARGEST_FACT_BYTES} are read")
    try:
        message = cls.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise BadFact(f"{topic!r}: {where or 'the whole'}: {first['msg']}") from None
    if why := odd_number(message):
        raise BadFact(f"{topic!r}: {why}")
    return Fact(gateway, id, message, retained)
