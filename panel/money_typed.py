"""What was typed into a form about money, read into the words of its request; a mistake stands beside its field.

Here is judged only the form of what was typed. Whether it may be done is the gateway's to say, and `money_effects`
says beforehand what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.contract.site_prices import amount_wh
from bridge.contract.units import NANO_PER_FEN, BadAmount, fen_of, yuan_text
from panel.mirror import View
from panel.money_acts import LONGEST, METHODS, REASONS, REGISTERS, Act
from panel.typed import Mistake, Typed, begun, unfit
from panel.words import later, t


def read(act: Act, account: str, form: Mapping[str, str], view: View) -> Typed[Act]:
    """Read a form that was sent. The words are whole where there are no mistakes."""
    typed = begun(act, form, {"account": account})
    words, mistakes = typed.words, typed.mistakes
    for name, text in typed.values.items():
        try:
            if name in CHOICES or name in READERS:
                words |= READERS.get(name, _choice)(name, text, act, view)
            else:
                words[name] = _text(name, text, act)
        except (Mistake, BadAmount) as mistake:
            mistakes[name] = str(mistake)
    if act.operation in ("compensate", "deduct") and words.get("reason") == "other" and words.get("why") == "":
        mistakes["why"] = t("Another reason is told in words as well (R12).")
    if words.get("to_account") == account:
        mistakes["to_account"] = t("A correction is between two accounts, not from one to itself (R12).")
    return typed.shown()


def typed_from(words: Mapping[str, Any]) -> dict[str, str]:
    """The way back: the fields of a request as they stand in its form."""
    found = {name: str(value) for name, value in words.items() if isinstance(value, str)}
    for name, key in (("amount", "amount_fen"), ("cap", "weekly_cap_fen")):
        if isinstance(fen := words.get(key), int) and (fen or name == "amount"):
            found[name] = yuan_text(fen * NANO_PER_FEN)
    if isinstance(share := words.get("share_percent"), int):
        found["share"] = str(share)
    found.pop("account", None)
    return found


# --- fields ---


def _text(name: str, text: str, act: Act) -> str:
    if not text and name not in act.optional:
        raise Mistake(t(EMPTY[name]))
    if wrong := unfit(text, LONGEST[name]):
        raise Mistake(wrong)
    return text


def _fen(text: str) -> int:
    try:
        return fen_of(text)
    except BadAmount:
        raise Mistake(
            t("“{text}” is not an amount: digits with at most two decimals, such as 200 or 200.50.", text=text[:24])
        ) from None


def _amount(name: str, text: str, act: Act, view: View) -> dict[str, Any]:
    fen = _fen(text)
    if act.operation == "bring" and fen == 0:
        raise Mistake(t("An opening balance of zero needs no entry (R10)."))
    if act.operation != "bring" and fen <= 0:
        raise Mistake(t("An amount is at least 0.01 yuan (R10)."))
    return {"amount_fen": fen}


def _cap(name: str, text: str, act: Act, view: View) -> dict[str, Any]:
    fen = _fen(text) if text else 0
    if fen < 0:
        raise Mistake(t("An amount is at least 0.01 yuan (R10)."))
    return {"weekly_cap_fen": fen}


def _share(name: str, text: str, act: Act, view: View) -> dict[str, Any]:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100):
        raise Mistake(t("A share is a whole number from 1 to 100."))
    return {"share_percent": int(text)}


def _choice(name: str, text: str, act: Act, view: View) -> dict[str, Any]:
    if text not in CHOICES[name]:
        raise Mistake(t("Choose one of them."))
    return {name: text}


def _to_account(name: str, text: str, act: Act, view: View) -> dict[str, Any]:
    """An account by its number, or by a room in which one tenant lives."""
    wanted = text.partition(" ")[0]
    if wanted in view.accounts:
        return {name: wanted}
    of_room = [row.id for row in view.accounts.values() if row.room.casefold() == text.casefold() and text]
    if len(of_room) > 1:
        raise Mistake(t("Several accounts belong to this room; type the account number."))
    if not of_room:
        raise Mistake(t("There is no account with this number or room."))
    return {name: of_room[0]}


def _register(name: str, text: str, act: Act, view: View) -> dict[str, Any]:
    """A register as the display shows it, in kWh or m3. A comma is no point: nobody shall guess which one was meant."""
    try:
        amount_wh(text)
    except ValueError:
        raise Mistake(t("Write a register as the display shows it, such as 88129.65.")) from None
    return {name: text}


CHOICES = {"method": METHODS, "reason": REASONS}
READERS: dict[str, Callable[[str, str, Act, View], dict[str, Any]]] = {
    "amount": _amount, "cap": _cap, "share": _share, "to_account": _to_account,
    **dict.fromkeys(REGISTERS, _register),
}  # fmt: skip

EMPTY = {
    "receipt": later("Choose the top-up that is taken back."),
    "why": later("A reason is needed; it stands in the book."),
    "papers": later("Papers are needed: their numbers, or where they lie (R12)."),
    "consent": later("Without the tenant's consent nothing is taken (R12): write how and when it was given."),
    "reference": later("The number of the signed slip or of the channel is needed (R12)."),
}
