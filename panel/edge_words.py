"""The edge's own sentences in the reader's language: a known one by its pattern, an unknown one as it comes.

The edge writes plain English into its facts and its book, whoever reads them later. Each sentence it can write stands
below with its places, is matched whole, and is shown from the catalogue; what people wrote is never touched.

    said("held open: arrears")     已断开：欠费
    person("policy")               网关
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from panel.edge_doubts import DOUBTS
from panel.edge_meter_words import OF_METERS
from panel.edge_money_words import OF_MONEY
from panel.edge_port_words import OF_PORTS
from panel.edge_price_words import OF_PRICES
from panel.edge_purse_words import OF_PURSES
from panel.edge_table_words import OF_TABLES
from panel.edge_water_words import MOVING, OF_WATER, VALVE
from panel.protections import kind_words
from panel.states import COVERS, HOLDS, RATE_WORDS
from panel.switches import RELAY as RELAY_WORDS
from panel.words import language_now, later, t

READ_BACK = later("relay read back {relay} ({why})")
"""Told whenever a relay was read back in another state, ordered or not."""

SENTENCES = (
    # the relay
    later("the status word was not read yet"),
    later("held open: {holds}"),
    later("to be opened: {holds}"),
    later("a cut for arrears is due"),
    later("nothing holds it"),
    later("closing"),
    later("closing is permitted: press the button on the meter"),
    RELAY_WORDS.by_itself,
    later("first look"),
    later("as ordered"),
    later("moved by itself or by hand"),
    later("already closed"),
    later("supply should be back ({why}) and was not read back closed for ten minutes"),
    later("the relay was found {relay} and nobody here had ordered it"),
    READ_BACK,
    later("the relay does not follow ({wish}, {n} attempts): {why}"),
    later("the order did not leave ({why})"),
    later("the line broke when the order had left; the relay will tell"),
    later("read back, and the relay has not moved"),
    later("no answer"),
    later("the gateway was stopped while the meter was being read for this; nothing was done. Ask again"),
    later(
        "a request {operation} stood retained at the broker and was cleared from there. "
        "Whatever program sent it must not set the retain flag"
    ),
    later("no fresh {question} before the trip ({why})"),
    later("trip about to leave ({cause})"),
    later("the first byte did not leave in time"),
    later("the meter has no tenant"),
    later("there is no cause to close any more"),
    later("a hold is set: {holds}"),
    later("{hold} lifted by {who}: {why}"),
    later("episode {n}"),
    later("alarm of meter {meter} read back on"),
    later("sent|step"),
    later("done|step"),
    later("read back|step"),
    later("press the button|step"),
    later("paid|why"),
    later("a payment came"),
    later("the forecast moved far away"),
    later("this is a restored copy: who was warned before may have paid since"),
    # readings
    later("opening read"),
    later("the first reading is read twice"),
    later("opening register confirmed by a second read"),
    later("reading set aside: {why}"),
    later("the doubted reading was a passing one: the register stands below it again"),
    later("a large step after a silence is read twice"),
    later("no reading of meter {meter} is set aside"),
    later("meter {meter} is being read for {n} others already; see its newest values"),
    later("rates and total moved {n} Wh apart; at most {m} Wh is rounding"),
    later("the register {rate} is missing"),
    later("the register fell from {a} to {b} Wh and had not been near its top"),
    later("the register {rate} rose by {n} Wh, more than the meter can carry"),
    later("{tariff} is charged on the register {rate}, which the meter does not give"),
    later("the meter's clock is {s} s off (R25); set it with `riser meter PORT ADDRESS clock --set`"),
    later("the clock was set by broadcast; it was {s} s off (R25)"),
    later("it says it is {serial}, {meant} is meant"),
    later("silent in {n} rounds"),
    later("it does not stop talking when it is asked"),
    later("the meter's own number is not known, so it cannot be told from a neighbour"),
    later("the meter says it is {serial}, and {meant} is meant"),
    later("the meter's number was not read just before"),
    later("the registers were not read in the last minute"),
    # the line and what a meter refuses
    later("not opened yet"),
    *OF_PORTS,
    *OF_PURSES,
    *OF_WATER,
    *OF_PRICES,
    *OF_TABLES,
    later("the meter refused: {reasons} (error {code})"),
    later("the meter refused: {reasons} (exception {code})"),
    later("no reason given"),
    later("other error"),
    later("no data for this identifier"),
    later("wrong password or not authorised"),
    later("speed cannot be changed"),
    later("too many year zones"),
    later("too many day periods"),
    later("too many tariffs"),
    later("MAC wrong"),
    later("wrong password"),
    later("authentication expired"),
    later("the command's time has passed"),
    later("power is kept on"),
    later("automatic restoring refused"),
    later("restoring time invalid"),
    later("it does not know this function"),
    later("it has no such register"),
    later("it does not take this count or value"),
    later("it failed while answering"),
    later("it needs longer; ask again later"),
    later("it is busy"),
    later("for a reason of its maker's own"),
    later("the {cover} was opened at {at} by the meter's clock; it counts {n}"),
    later("the {cover} was closed again at {at} by the meter's clock"),
    later("the {cover} counts {n} openings and had counted {m}: cleared, or another meter"),
    *DOUBTS,
    # requests
    *OF_METERS,
    *OF_MONEY,
    later("a top-up is {low} to {high} yuan, not {amount}"),
    later("the balance would leave the limits of the book"),
    later("there is no account {id} on this gateway"),
    later("there is no meter {id} on this gateway"),
    later("meter {id} has no relay or valve that can be controlled"),
    later("the meter itself is set to keep power on; lift that first"),
    later("the hold `{hold}` is already set by {who}: {words}"),
    later(
        "this was asked before what {who} asked of meter {id} at {at}, which came first and stands; ask anew if it is "
        "still wanted"
    ),
    later("the hold `{hold}` is lifted; supply stays off: {holds}"),
    later("supply stays off: the hold {holds} remains, and closing does not lift it"),
    later("not read back within a minute; it is tried again as long as the hold says so"),
    later("meter {id} did not answer ({why}); it is asked again in the next round"),
    later("the brake on mass cuts is not on"),
    later("this transaction id was used for another request; nothing was done. Make a new id"),
    later("the role {role} may not ask for {operation}"),
    later("the request expired at {at}; ask anew"),
    later("the request was issued at {at}, which is yet to come; set the asker's clock"),
    later("a retained request is never carried out; it was cleared from the broker"),
    # a rule or a day before another sentence
    later("{rule}: {why}"),
    later("{day}: {why}"),
)
"""Every sentence the edge can show to a person; a bar separates a note that keeps one word's meanings apart."""

LONGEST_SENTENCE = 500
"""A longer text is no sentence of the edge; searching it for one would take long."""

MODES = {
    "normal": later("normal"),
    "time": later("clock not trusted|mode"),
    "recovery": later("recovery|mode"),
    "version": later("unknown entries|mode"),
    "identity": later("name used twice|mode"),
    "disk": later("disk full|mode"),
    "book": later("book differs|mode"),
}

PEOPLE = {
    "policy": later("the gateway|who"),
    "site file": later("the site file|who"),
    "demo payer": later("the demo's payer|who"),
}
"""Names of no person, under which the edge and the demo act."""

QUESTIONS = {
    "serial": later("number|question"),
    "energy": later("register|question"),
    "volume": later("register|question"),
    "status": later("state|question"),
}
WISHES = {"trip": later("Trip"), "close": later("Close")}
CAUSES = {"arrears": later("for arrears"), "manual": later("by a person")}
RELAY = {"open": later("open|relay"), "closed": later("closed|relay"), "unknown": later("unknown|relay")}


def _from(table: dict[str, str]) -> Callable[[str], str]:
    return lambda word: t(table[word]) if word in table else word


def _each(words: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: t(", |between words").join(words(one) for one in text.split(", "))


def person(who: str | None) -> str:
    """A person's name as it is; what acts without one, such as `policy`, by its own word."""
    return _from(PEOPLE)(who or "")


def said(text: str | None) -> str:
    """A sentence of the edge in the language of this request; one that is not known is shown as it comes."""
    if not text or len(text) > LONGEST_SENTENCE:
        return text or ""
    if language_now() == "en" and not any(f" by {who}" in text for who in PEOPLE):
        return text  # It is English already, but for names of no person.
    for sentence, pattern, _ in _patterns():
        if found := pattern.fullmatch(text):
            return t(sentence, **{name: _PLACES[name](words) for name, words in found.groupdict().items()})
    return text


def reason(who: str | None, why: str | None) -> str:
    """Why something was done: the edge's own reasons are translated, a person's words are shown as typed."""
    return said(why) if who in PEOPLE else (why or "")


def known(text: str) -> str | None:
    """The sentence that a text is an instance of; None when the edge says something new."""
    return next((sentence for sentence, pattern, _ in _patterns() if pattern.fullmatch(text)), None)


_PLACES: dict[str, Callable[[str], str]] = {
    "holds": _each(_from(HOLDS)), "hold": _from(HOLDS), "who": person, "why": said, "reasons": _each(said),
    "relay": _from(RELAY), "wish": _from(WISHES), "cause": _from(CAUSES), "question": _from(QUESTIONS),
    "mode": _from(MODES), "rate": _from(RATE_WORDS), "other": _from(RATE_WORDS), "cover": _from(COVERS),
    "valve": _from(VALVE), "turn": _from(MOVING), "protection": kind_words,
}  # fmt: skip
"""How the words in a place are shown; other places, such as numbers and names, as they stand."""

_SHAPES = {
    "holds": "[a-z]+(?:, [a-z]+)*", "hold": "arrears|lockout|contract|malignant|manual", "mode": "[a-z]+",
    "relay": "open|closed|unknown", "rate": "[a-z]+", "wish": "[a-z]+", "cause": "[a-z]+", "question": "[a-z]+",
    "rule": "[RI][0-9]+", "day": "[0-9]{4}-[0-9]{2}-[0-9]{2}", "n": "-?[0-9]+", "m": "-?[0-9]+", "a": "[0-9]+",
    "b": "[0-9]+", "s": "[+-]?[0-9]+", "cover": "cover|terminal cover", "unit": "Wh|L", "other": "[a-z]+",
    "valve": "open|closed|fault|unknown", "turn": "opening|closing",
}  # fmt: skip


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], int]]:
    """(sentence, its pattern, number of places); sentences without places come first and win."""
    found = []
    for sentence in SENTENCES:
        pieces = re.split(r"\{(\w+)\}", sentence.partition("|")[0])
        pattern = "".join(
            f"(?P<{piece}>{_SHAPES.get(piece, '.+?')})" if number % 2 else re.escape(piece)
            for number, piece in enumerate(pieces)
        )
        for name in pieces[1::2]:
            _PLACES.setdefault(name, str)
        found.append((sentence, re.compile(pattern, re.S), len(pieces) // 2))
    return sorted(found, key=lambda each: each[2] > 0)
