"""`riser request`: a signed request from the shell, with the same words and the same seal as the panel's."""

from __future__ import annotations

import os
import pwd
import re
import typing
from datetime import tzinfo

from pydantic import ValidationError

from bridge.contract import secrets
from bridge.contract.asking import ask, query
from bridge.contract.clock import from_environment
from bridge.contract.messages import REQUESTS, Response, Topics
from bridge.contract.mistakes import words as words_of
from bridge.contract.permissions import UNSIGNED
from bridge.contract.request import Request
from bridge.contract.secrets import NoSecrets
from bridge.contract.switching import OF_NO_KIND
from host.answer_words import told
from host.asking import USER, answers
from host.exits import FAILED, FINE, USAGE, Trouble
from host.runfile import Run

LIMIT_S = 30.0
TURNING_S = 150.0
"""How long an answer is waited for; what switches may be a valve's, which turns for a minute and more."""


TRUTH = {"true": True, "false": False}


def limit_of(operation: str) -> float:
    return TURNING_S if operation in ("off", "on", "lock", "unlock") else LIMIT_S


def person() -> str:
    """Who sits at this shell, as the operating system knows them: of root the one who became root; in a container
    perhaps a number without a name. What other users write into the environment is no proof, and is not looked at."""
    number = os.getuid()
    if number == 0 and (before := os.environ.get("SUDO_USER")):
        return before
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def fields_of(operation: str, words: tuple[str, ...]) -> dict[str, object]:
    """Read `key=value` words as the fields of an operation. Raises Trouble."""
    if operation in OF_NO_KIND:
        raise Trouble(USAGE, f"`{operation}` would be mistaken for its opposite; ask for `off` or `on`")
    if operation not in REQUESTS:
        raise Trouble(USAGE, f"there is no request {operation!r}; there are {', '.join(sorted(REQUESTS))}")
    known = {
        name: field for name, field in REQUESTS[operation].model_fields.items() if name not in Request.model_fields
    }
    found: dict[str, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            wanted = " ".join(f"{each}=..." for each in known)
            raise Trouble(USAGE, f"{word!r} is not understood; `{operation}` takes {wanted}")
        if name in found:
            raise Trouble(USAGE, f"{name} is given twice; which one is meant?")
        found[name] = _value(name, value, known[name].annotation)
    return found


def _value(name: str, value: str, annotation: object) -> object:
    if any(typing.get_origin(each) is dict for each in (annotation, *typing.get_args(annotation))):
        return _table(name, value)
    if typing.get_origin(annotation) is list:
        return value.split(",")
    if annotation is bool or bool in typing.get_args(annotation):
        if value not in TRUTH:
            raise Trouble(USAGE, f"{name} is true or false, not {value[:24]!r}")
        return TRUTH[value]
    if annotation is not int and int not in typing.get_args(annotation):
        return value
    if re.fullmatch(r"-?[0-9]{1,18}", value) is None:
        raise Trouble(USAGE, f"{name} is a whole number in plain digits, not {value[:24]!r}")
    return int(value)


def _table(name: str, value: str) -> dict[str, object]:
    """Registers, such as `total:88129650,peak:1200`."""
    found: dict[str, object] = {}
    for part in value.split(","):
        key, colon, number = part.partition(":")
        if not colon or not number.strip().isdecimal():
            raise Trouble(USAGE, f"{name} is written like total:88129650,peak:1200, in whole Wh, not {value!r}")
        found[key.strip()] = int(number)
    return found


def request(
    run: Run, operation: str, fields: dict[str, object], *, who: str, role: str, transaction: str | None, limit_s: float
) -> list[Response]:
    """Send a request as key `shell` and return its answers. Raises Trouble when it could not be made or sent."""
    topics = Topics(run.base, run.gateway)
    clock = from_environment({"RISER_CLOCK": run.clock})
    try:
        if operation in UNSIGNED:
            topic, payload, transaction = query(topics, operation, **fields)
        else:
            key = secrets.read(run.directory, USER).keys[USER]
            words = {"who": who, "role": role, "transaction": transaction, "login": person(), **fields}
            topic, payload, transaction = ask(topics, clock, (USER, key), operation, **words)  # type: ignore[arg-type]
        return answers(run, operation, (topic, payload), transaction, limit_s)
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, each['loc']))}: {words_of(each)}" for each in error.errors())
        raise Trouble(USAGE, f"the request is not complete: {mistakes}") from None
    except (NoSecrets, KeyError) as error:
        raise Trouble(FAILED, f"no key to sign with: {error}") from None


def outcome(heard: list[Response], limit_s: float, zone: tzinfo) -> tuple[int, str]:
    """Exit code and one sentence for what was answered, times by the wall of a zone."""
    if not heard:
        return FAILED, f"no answer in {limit_s:g} s; the request may still be carried out, `riser status` tells more"
    last = heard[-1]
    rule = f" ({last.rule})" if last.rule else ""
    match last.status:
        case "done":
            words = last.error or "", told(last.data or {}, zone)
            return FINE, ": ".join(("done", ", ".join(word for word in words if word))).removesuffix(": ")
        case "accepted":
            return FAILED, f"accepted, and not finished within {limit_s:g} s; the panel shows how it goes on"
        case other:
            return FAILED, f"{other}{rule}: {last.error or 'no reason given'}"
