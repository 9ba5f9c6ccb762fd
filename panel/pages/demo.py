"""The demo's timeline: the seven steps of one prepared account, each with its time, and what comes next.

The page exists only where the demo was started; everything on it is the real gateway's doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from bridge.contract.asking import new_transaction
from bridge.contract.messages import Account, Info
from bridge.contract.units import instant_of
from panel.edge_words import said
from panel.formats import yuan
from panel.guard import quiet
from panel.history import Line
from panel.pages.account import Tenancy, tenancy
from panel.pages.answers import answer_to
from panel.pages.entries import FIRST_LOOK
from panel.parts import Parts, parts
from panel.words import later, t

blueprint = Blueprint("demo", __name__)
quiet("demo.now")

STEPS = {
    "low1": ("w1", later("Low 1")),
    "low2": ("w2", later("Low 2")),
    "low3": ("w3", later("Low 3")),
    "final": ("final", later("Final warning")),
    "cut": ("cut", later("Cut off")),
    "topup": ("paid", later("Topped up")),
    "restored": ("on", later("Supply back")),
}
KINDS = ("level/1", "final/1", "trip/1", "relay/1", "topup/1", "delivered/1")


@dataclass(frozen=True)
class Step:
    """One of the seven. `at` when it happened, `until` when it is expected, `state` done, passed, next or ahead."""

    name: str
    icon: str
    word: str
    state: str
    at: datetime | None
    until: datetime | None
    text: str


@dataclass
class Round:
    """One round through the seven: the entry of each step that has happened, by name."""

    seen: dict[str, Line]

    @property
    def over(self) -> bool:
        """Supply has returned, or money came before it was cut."""
        return "restored" in self.seen or ("topup" in self.seen and "cut" not in self.seen)


def rounds_of(lines: Sequence[Line]) -> list[Round]:
    """The rounds that the entries tell, oldest first; a round begins with the first warning after one that is over."""
    rounds: list[Round] = []
    cause = "arrears"
    for line in lines:
        if line.kind == "trip/1":
            cause = str(line.body.get("cause", ""))
            continue
        seen = rounds[-1].seen if rounds else {}
        name = _step_of(line, seen, cause)
        if name is None:
            continue
        warning = name in ("low1", "low2", "low3", "final")
        if not rounds or (warning and (rounds[-1].over or name in seen)):
            rounds.append(Round({}))
        rounds[-1].seen[name] = line
    return rounds


def _step_of(line: Line, seen: dict[str, Line], cause: str) -> str | None:
    """Which step an entry is; None for what belongs to no round, such as a person's trip or a first look."""
    if line.body.get("why") == FIRST_LOOK:
        return None
    match line.kind:
        case "level/1":
            return f"low{line.body['level']}"
        case "final/1":
            return "final"
        case "relay/1" if line.body.get("observed") == "open":
            return "cut" if cause == "arrears" and "restored" not in seen else None
        case "relay/1" if "cut" in seen and "restored" not in seen:
            return "restored"
        case "topup/1" if seen and "restored" not in seen:
            return "topup"
    return None


def told_rounds(stand: Parts, found: Tenancy) -> list[list[Step]]:
    """The newest round, and below it the one before while the newest is still under way."""
    lines = stand.history.of_kinds(found.row.id, found.row.meters, KINDS)
    rounds = rounds_of(lines) or [Round({})]
    told = [_steps(stand, found, rounds[-1], lines)]
    whole = [each for each in rounds[:-1] if "restored" in each.seen]
    if whole and not rounds[-1].over:
        told.append(_steps(stand, found, whole[-1], lines))
    return told


def coming_of(stand: Parts, found: Tenancy) -> str:
    """What begins the next round, once the newest is over."""
    return _expected("low1", found.account, stand)[1]


def _steps(stand: Parts, found: Tenancy, round: Round, lines: Sequence[Line]) -> list[Step]:
    """The seven steps in order. A step that was passed over, such as a cut that a top-up called off, is said so."""
    seen, order = round.seen, list(STEPS)
    last = max((order.index(name) for name in seen), default=-1)
    steps, waiting = [], True
    for number, name in enumerate(order):
        icon, word = STEPS[name]
        line = seen.get(name)
        if line is not None:
            steps.append(Step(name, icon, t(word), "done", line.at, None, _told(name, line, lines)))
        elif number < last or round.over:
            text = t("supply was not interrupted") if name == "restored" else t("not needed this time")
            steps.append(Step(name, icon, t(word), "passed", None, None, text))
        else:
            until, text = _expected(name, found.account, stand) if waiting else (None, "")
            steps.append(Step(name, icon, t(word), "next" if waiting else "ahead", None, until, text))
            waiting = False
    return steps


def _told(name: str, line: Line, lines: Sequence[Line]) -> str:
    body = line.body
    if name.startswith("low"):
        return t(
            "balance {balance}, below {limit} yuan",
            balance=yuan(body.get("available_nano")),
            limit=yuan(body.get("threshold_nano")),
        )
    if name == "final":
        episode = body.get("episode")
        heard = any(each.kind == "delivered/1" and each.body.get("episode") == episode for each in lines)
        shown = yuan(body.get("available_nano"))
        return t("{balance} yuan left; delivered", balance=shown) if heard else t("{balance} yuan left", balance=shown)
    if name == "topup":
        return t("{amount} yuan, receipt {number}", amount=yuan(line.amount_nano), number=body.get("receipt", ""))
    return t("read back from the meter")


def _expected(name: str, account: Account | None, stand: Parts) -> tuple[datetime | None, str]:
    """(when, in words) of the step that comes next."""
    if account is None:
        return None, ""
    zero_at = instant_of(account.zero_at) if account.zero_at else None
    if name.startswith("low"):
        limit = stand.site.policy.levels[int(name[-1]) - 1]
        return None, t(
            "when the balance falls below {limit} yuan; now {balance}",
            limit=limit,
            balance=yuan(account.available_nano),
        )
    if name == "final":
        lead = stand.site.policy.lead_min
        return zero_at, t("{n} min before the balance is empty; empty at", n=lead)
    if name == "cut":
        if account.protected_until:
            return instant_of(account.protected_until), t("protected time; decided again at")
        if account.blocked:
            return None, said(account.blocked_why) or account.blocked
        return (instant_of(account.cut_at) if account.cut_at else None), t("unless paid, at the earliest at")
    if name == "topup":
        return None, t("take {amount} yuan with the button beside", amount=amount_text(stand))
    return None, t("within 10 minutes of the top-up, by itself")


def amount_text(stand: Parts) -> str:
    """What the button takes, in yuan as a person would type it."""
    assert stand.demo is not None
    whole, fen = divmod(stand.demo.amount_fen, 100)
    return f"{whole}.{fen:02d}" if fen else str(whole)


def _now(stand: Parts) -> dict[str, Any]:
    if stand.demo is None:
        abort(404)
    found = tenancy(stand.demo.account)
    rounds = told_rounds(stand, found)
    over = all(step.state in ("done", "passed") for step in rounds[0])
    return {
        "it": found,
        "rounds": rounds,
        "coming": coming_of(stand, found) if over else "",
        "amount": amount_text(stand),
        "wall": stand.wall(),
        "speed": stand.clock.speed,
        "days": stand.history.closed_days(),
        "gateway": stand.mirror.view().get(Info),
    }


@blueprint.get("/demo/timeline")
def timeline() -> str:
    """The page."""
    shown = _now(parts())
    return render_template(
        "demo.html", transaction=new_transaction(), answer=answer_to(request.args.get("answer")), **shown
    )


@blueprint.get("/demo/now")
def now() -> str:
    """The changing part."""
    shown = _now(parts()) | {"oob": True}
    return render_template("parts/demo_now.html", **shown) + render_template("parts/demo_days.html", **shown)
