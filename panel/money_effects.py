"""What an act would do as things stand: the figures it depends on, before and after, and what already forbids it.

All of it is of the newest facts and is told so that nobody asks in vain; the gateway looks again and decides. Each
function takes a `Sight` and gives the sentence of the rule that stands against it, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.contract.messages import Account, AccountRow
from bridge.contract.units import NANO_PER_FEN, fen_floor, nano_of_yuan
from panel.formats import Wall, fen, yuan
from panel.history import Line
from panel.mirror import View
from panel.money_acts import Act
from panel.money_topups import TopUps
from panel.parts import Parts
from panel.states import Room
from panel.words import t

Mistakes = dict[str, str]


@dataclass(frozen=True)
class Sight:
    """What is known of an account when an act is prepared. `other` is the account that a correction gives to."""

    stand: Parts
    view: View
    wall: Wall
    row: AccountRow
    account: Account | None
    rooms: list[Room]
    topups: TopUps

    @property
    def floor_nano(self) -> int:
        """How far an act may bring the available balance down (R15)."""
        return -nano_of_yuan(self.stand.site.policy.overdraft)

    @property
    def stays_nano(self) -> int:
        """What a deduction or a correction leaves: emergency credit is for energy only (R16)."""
        return self.floor_nano + (self.account.credit_nano if self.account else 0)

    @property
    def emergency_nano(self) -> int:
        return nano_of_yuan(self.stand.site.policy.emergency_credit)

    @property
    def owed_nano(self) -> int:
        """Arrears in whole fen."""
        return 0 if self.account is None else max(-fen_floor(self.account.available_nano), 0) * NANO_PER_FEN


@dataclass(frozen=True)
class Side:
    """An available balance before and after. Absent where nothing is known."""

    title: str
    before_nano: int | None
    after_nano: int | None


@dataclass(frozen=True)
class Effect:
    """What the confirmation shows."""

    sides: list[Side]
    notes: list[str]


# --- what already forbids it ---


def forbidden(sight: Sight, act: Act) -> str | None:
    """What stands against the act whatever is typed; None where nothing is known to."""
    account = sight.account
    if account is None:
        return t("Nothing is known of this account yet")
    if account.ended_at is not None:
        return t("This account is settled; it takes and gives no money any more (R33).")
    match act.operation:
        case "refund" if account.refundable_nano is not None and account.refundable_nano <= 0:
            return t("Nothing can be refunded: no money here is the tenant's own (R12).")
        case "lend" if not sight.emergency_nano:
            return t("This site lends no emergency credit (R16).")
        case "lend" if account.credit_nano:
            owed = yuan(account.credit_nano)
            return t("{amount} yuan of emergency credit are not repaid yet; it is lent once until then (R16).",
                     amount=owed)  # fmt: skip
        case "defer" if not sight.owed_nano:
            return t("There are no arrears that could be deferred (R16).")
        case "bring" if sight.topups.brought_in:
            return t("The opening balance was brought in already; that is done once (R10).")
        case "settle" if account.available_nano - account.credit_nano - account.debt_nano <= -NANO_PER_FEN:
            missing = yuan(account.credit_nano + account.debt_nano - account.available_nano)
            return t("{amount} yuan are owed; they are paid before the tenancy is settled (R33).", amount=missing)
    return None


def limits(sight: Sight, act: Act, words: dict[str, Any]) -> Mistakes:
    """What forbids the act as it was typed, beside the field that must change."""
    account = sight.account
    if account is None:
        return {}
    nano = words.get("amount_fen", 0) * NANO_PER_FEN
    left = account.available_nano - nano
    match act.operation:
        case "refund" if account.refundable_nano is not None and nano > account.refundable_nano:
            most = yuan(account.refundable_nano)
            return {"amount": t("At most {most} yuan can be refunded (R12).", most=most)}
        case "deduct" | "correct" if left < sight.stays_nano and account.credit_nano:
            lent, most = yuan(account.credit_nano), yuan(max(left + nano - sight.stays_nano, 0))
            told = t("{lent} yuan are lent for energy only and stay; at most {most} can be taken (R16).",
                     lent=lent, most=most)  # fmt: skip
            return {"amount": told}
        case "deduct" | "correct" if left < sight.floor_nano:
            words_left = {"left": yuan(left), "floor": yuan(sight.floor_nano)}
            return {"amount": t("{left} yuan would be left, and at least {floor} must be (R15).", **words_left)}
        case "defer" if nano > sight.owed_nano:
            owed = yuan(sight.owed_nano)
            return {"amount": t("Only {amount} yuan are owed; no more can be deferred (R16).", amount=owed)}
        case "reverse":
            return _reversal(sight, account, str(words.get("receipt", "")))
    if act.operation == "correct":
        other = sight.view.get(Account, words.get("to_account", ""))
        if other is not None and other.ended_at is not None:
            return {"to_account": t("This account is settled; it takes and gives no money any more (R33).")}
    return {}


def _reversal(sight: Sight, account: Account, receipt: str) -> Mistakes:
    line = sight.topups.of(receipt)
    if line is None:
        return {"receipt": t("There is no such top-up of this account, or it is on its way to the archive (R12).")}
    if line.seq in sight.topups.reversed:
        return {"receipt": t("This top-up was reversed already; that is done once (R12).")}
    lent = account.credit_nano if sight.topups.lent_since(line.seq) else 0  # It is no part of the top-up.
    left = account.available_nano - lent - (line.amount_nano or 0)
    if left < sight.floor_nano:
        return {"receipt": t("This top-up is spent: {left} yuan would be left without it (R12).", left=yuan(left))}
    return {}


# --- before and after ---


def effect_of(sight: Sight, act: Act, words: dict[str, Any]) -> Effect:
    """Before and after, and what follows besides."""
    before = sight.account.available_nano if sight.account else None
    nano = words.get("amount_fen", 0) * NANO_PER_FEN
    change, notes = CHANGES[act.operation](sight, nano, words)
    sides = [Side(f"{sight.row.room} {sight.row.name}", before, None if before is None else before + change)]
    if act.operation == "correct":
        row = sight.view.accounts.get(words["to_account"])
        other = sight.view.get(Account, words["to_account"])
        has = other.available_nano if other else None
        title = f"{row.room} {row.name}" if row else str(words["to_account"])
        sides.append(Side(title, has, None if has is None else has + nano))
    return Effect(sides, notes)


def _plus(sight: Sight, nano: int, words: dict[str, Any]) -> tuple[int, list[str]]:
    return nano, []


def _minus(sight: Sight, nano: int, words: dict[str, Any]) -> tuple[int, list[str]]:
    return -nano, []


def _reversed(sight: Sight, nano: int, words: dict[str, Any]) -> tuple[int, list[str]]:
    line = sight.topups.of(str(words["receipt"]))
    assert line is not None, "limits() asks before"
    notes = [t("The top-up of {time} is taken back.", time=sight.wall.stamp(line.at))]
    if (amount := _booked_nano(line)) != line.amount_nano:
        notes.append(t("What it had repaid of {amount} yuan is owed again.", amount=yuan(amount)))
    return -(line.amount_nano or 0), notes


def _booked_nano(line: Line) -> int:
    return int(line.body.get("amount_fen") or 0) * NANO_PER_FEN


def _lent(sight: Sight, nano: int, words: dict[str, Any]) -> tuple[int, list[str]]:
    return sight.emergency_nano, [t("It is lent, not given: the next top-ups repay it before anything else.")]


def _deferred(sight: Sight, nano: int, words: dict[str, Any]) -> tuple[int, list[str]]:
    account, share = sight.account, int(words["share_percent"])
    notes = [t("{amount} yuan are owed beside the balance from then on.",
               amount=yuan(nano + (account.debt_nano if account else 0)))]  # fmt: skip
    if account is not None and account.debt_nano:
        notes.append(t("This share and this cap take the place of those agreed before."))
    most_fen = min(share * 100, words.get("weekly_cap_fen") or share * 100)
    return nano, [*notes, t("Of a top-up of 100 yuan, {amount} yuan go to the debt.", amount=fen(most_fen))]


def _settled(sight: Sight, nano: int, words: dict[str, Any]) -> tuple[int, list[str]]:
    account = sight.account
    before, owed = (account.available_nano, account.credit_nano + account.debt_nano) if account else (0, 0)
    paid = yuan(max(fen_floor(before - owed), 0) * NANO_PER_FEN)
    notes = [t("About {amount} yuan are paid out; the final readings at the approval decide.", amount=paid)]
    if owed:
        notes.append(t("{amount} yuan of credit and debt are taken before.", amount=yuan(owed)))
    return -before, [*notes, t("Have every meter read right before the approval: a fresh final reading is needed.")]


CHANGES: dict[str, Callable[[Sight, int, dict[str, Any]], tuple[int, list[str]]]] = {
    "reverse": _reversed, "refund": _minus, "compensate": _plus, "deduct": _minus, "correct": _minus, "bring": _plus,
    "lend": _lent, "defer": _deferred, "settle": _settled,
}  # fmt: skip
"""By operation: what it adds to the available balance in nano-yuan, and what follows besides."""
