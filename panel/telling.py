"""The one thing that matters now about an account, and what a top-up will do: sentences, from published facts only.

No news, no banner.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.contract.messages import Account, HoldFacts, ProtectionFacts
from bridge.contract.units import NANO_PER_FEN, nano_of_yuan
from panel.edge_words import person, reason, said
from panel.final_warning import undelivered, warning_words, way_words
from panel.formats import Wall, kilowatts, span, yuan
from panel.locking import words_of_lock
from panel.paying_words import WATER, Paying, all_water, paying_for
from panel.protections import kind_words, standing
from panel.repaying import least_fen
from panel.rules import RULES
from panel.situation import Situation, situation_of
from panel.states import HOLDS, Room, lock_of, other_holds
from panel.words import t


@dataclass(frozen=True)
class Banner:
    """`state` paints it; `until` counts down."""

    state: str
    title: str
    text: str
    until: str | None = None


def rule_words(rule: str | None) -> str:
    """What a rule's number means; its number where we have no words."""
    return t(RULES[rule]) if rule in RULES else (rule or "")


def hold_words(holds: list[HoldFacts]) -> str:
    return hold_words_of([hold.kind for hold in holds])


def hold_words_of(kinds: list[str]) -> str:
    """Kinds of holds in words; a kind we have no word for as it is."""
    return t(", |between words").join(t(HOLDS[kind]) if kind in HOLDS else kind for kind in kinds)


def protection_words(one: ProtectionFacts, wall: Wall, water: bool = False) -> str:
    """A protection in a line: the bill is disputed until Mon 11-23 at 09:00 (王敏, 11-20 14:50): register doubted."""
    return t(
        "{kind} until {when} ({by}, {time}): {why}", kind=kind_words(one.kind, water), when=wall.when(one.until),
        by=person(one.by), time=wall.stamp(one.since), why=reason(one.by, one.why),
    )  # fmt: skip


def banner_of(rooms: list[Room], account: Account | None, wall: Wall) -> Banner | None:
    """The banner of an account whose meters are `rooms`, the most urgent first."""
    situation = situation_of(rooms, account, wall)
    if account is None:
        return Banner("stale", t("Nothing is known of this account yet"), t("The gateway has not published it."))
    if situation == "ended":
        title = t("Settled {when}", when=wall.full(account.ended_at or ""))
        return Banner("stale", title, t("The tenancy has ended. This account takes and gives no money any more (R33)."))
    if situation == "kept":
        return _kept(rooms, account, wall)
    if situation in ("waits", "blocked", "untold", "due", "uncuttable", "undelivered"):
        return _warned(situation, rooms, account, wall)
    return _of_room(situation, rooms[0], account, wall) if rooms else None


def _of_room(situation: Situation, room: Room, account: Account, wall: Wall) -> Banner | None:
    relay = room.relay
    match situation:
        case "by-itself" | "by-purse" | "returning" | "cut":
            return _cut(situation, room, account, wall)
        case "off" | "held":
            return _held(room, account, wall)
        case "locked" if (lock := lock_of(relay)) is not None:
            title, words = t("Locked for work; it stays as it stands"), words_of_lock(lock, wall)
            return Banner("held", title, t("{locked}. Nobody is cut on it before it is unlocked (R5).", locked=words))
        case "silent" if room.availability is not None:
            since = span(wall.age_s(room.availability.since))
            why = said(room.availability.why) or t("Use is counted by the meter and charged when it answers again.")
            return Banner("off", t("The meter has not answered for {span}", span=since), why)
        case "stale":
            read_at = room.facts.read_at if room.facts else None
            title = t("The newest reading is old: {ago}", ago=wall.ago(read_at))
            return Banner("stale", title, t("Nothing is cut on it."))
        case "meter-keeps":
            text = t("The meter is set to keep power on; it is not cut for arrears.")
            return Banner("keep", t("Power is kept on"), text)
    return None


def _kept(rooms: list[Room], account: Account, wall: Wall) -> Banner:
    kept, water = standing(account, wall), all_water(rooms)
    when = wall.when(kept[0].until)
    title = (
        t("Nobody shuts off this tenant's water until {when}", when=when)
        if water
        else t("Nobody cuts this tenant until {when}", when=when)
    )
    after = t("Then a final warning and its time to pay begin anew.")
    return Banner("keep", title, " · ".join([*(protection_words(one, wall, water) for one in kept), after]))


def _returning(room: Room) -> tuple[str, str]:
    if room.meter.relay == "permit":
        return t("Ready: press the button on the meter"), t(
            "Switching on is permitted; the meter waits for the button."
        )
    return t(room.words.returning), t(room.words.returning_says)


def _cut(situation: Situation, room: Room, account: Account, wall: Wall) -> Banner:
    relay = room.relay
    if situation == "by-itself" and relay is not None:
        title = t(room.words.found_off, time=wall.stamp(relay.observed_since))
        return Banner("cut", title, t(room.words.look_first))
    if situation == "by-purse" and relay is not None:
        title = t("Supply off since {time}, by the meter itself", time=wall.stamp(relay.observed_since))
        return Banner("cut", title, said(relay.why))
    if situation == "returning":
        return Banner("keep", *_returning(room))
    since = relay.observed_since if relay else None
    words = paying_for([room])
    title = t(words.cut_since, time=wall.stamp(since)) if since else t(words.is_cut)
    text = t(words.returns_above, limit=yuan(account.restore_above_nano))
    if room.meter.relay == "permit":
        text = t(
            "Top up until the balance is above {limit} yuan, then press the button on the meter.",
            limit=yuan(account.restore_above_nano),
        )
    if holds := other_holds(relay):
        text += " " + t("A payment does not lift this hold: {holds}.", holds=hold_words(holds))
    return Banner("cut", title, text)


def _warned(situation: Situation, rooms: list[Room], account: Account, wall: Wall) -> Banner:
    paying, tenant = paying_for(rooms), rooms[0].tenant if rooms else None
    way = way_words(account, tenant.phone if tenant else "") if undelivered(account) and account.can_cut else ""
    if situation == "waits" and account.protected_until:
        words = t("Balance {balance} yuan. Decided again on a fresh read then.", balance=yuan(account.available_nano))
        title = t("Protected until {when}", when=wall.when(account.protected_until))
        return Banner("keep", title, " ".join(filter(None, (words, way))))
    if situation == "blocked":
        why = said(account.blocked_why) or rule_words(account.blocked)
        return Banner("stale", t("Not cut now ({rule})", rule=account.blocked), why)
    words = " · ".join([*warning_words(account, wall), *_empty(account, paying, wall)])
    words = words[:1].upper() + words[1:]
    if situation == "untold":
        return Banner("final", t("The final warning has reached nobody yet: the cut-off waits"), f"{words}. {way}")
    words = ". ".join(filter(None, (words, way)))
    if situation == "due" and account.cut_at:
        return Banner("final", t(paying.will_be_cut, when=wall.when(account.cut_at)), words, account.cut_at)
    if situation == "uncuttable":
        return Banner("final", t("Final warning; this account cannot be cut"), words)
    return Banner("final", t("Final warning; the cut-off waits until it has been delivered"), words)


def _empty(account: Account, paying: Paying, wall: Wall) -> list[str]:
    """When the money is used up, and at which load."""
    if not account.zero_at:
        return []
    zero = wall.clock(account.zero_at)
    if account.load_w is None or paying is WATER:
        return [t("empty at {time}", time=zero)]
    return [t("empty at {time} at {load} kW", time=zero, load=kilowatts(account.load_w))]


def _held(room: Room, account: Account, wall: Wall) -> Banner:
    assert room.relay is not None
    holds = other_holds(room.relay)
    paid = account.available_nano > account.restore_above_nano
    if room.relay.observed == "open":
        title = t(room.words.is_off_though_paid if paid else room.words.supply_is_off)
    else:
        title = t(paying_for([room]).will_go_off)
    told = [
        t("{hold} ({by}, {time}): {why}", hold=t(HOLDS[h.kind]), by=person(h.by), time=wall.stamp(h.since),
          why=reason(h.by, h.why))
        for h in holds
    ]  # fmt: skip
    more = t(room.words.returns)
    if lock_of(room.relay) is not None:
        more += " " + t("Nothing switches it on before it is unlocked: no payment, no other person.")
    return Banner("held", title, "; ".join(told) + ". " + more)


def effect_of(account: Account, rooms: list[Room], after_nano: int, cut_limit: str, wall: Wall) -> tuple[bool, str]:
    """What a top-up that brings the balance to `after_nano` will do: (good news?, one sentence)."""
    enough = after_nano > account.restore_above_nano
    room, paying = rooms[0] if rooms else None, paying_for(rooms)
    holds = [hold for each in rooms for hold in other_holds(each.relay) if hold.off]
    if holds:
        return False, t("A hold remains that money does not lift: {holds}.", holds=hold_words(holds))
    if alone := next((each for each in rooms if each.off_by_its_purse or each.off_by_itself), None):
        why = said(alone.relay.why if alone.relay else None)
        return False, t("A payment here does not bring {place} back: {why}.", place=alone.place, why=why)
    if room is not None and room.state == "cut":
        if not enough:
            limit = yuan(account.restore_above_nano)
            return False, t(paying.stays_off, limit=limit)
        if room.meter.relay == "permit":
            return True, t("Then press the button on the meter to switch on.")
        return True, t(paying.returns)
    if account.cut_at:
        time = wall.clock(account.cut_at)
        if enough:
            return True, t(paying.calls_off, time=time)
        if after_nano > nano_of_yuan(cut_limit):
            return False, t(paying.puts_off, time=time)
        return False, t(paying.not_called_off, time=time)
    return True, t(paying.goes_on)


def least_nano(account: Account | None, rooms: list[Room], smallest_nano: int) -> int | None:
    """The smallest top-up after which supply returns, in whole fen; None where it is not cut for arrears alone."""
    cut = bool(rooms) and rooms[0].state == "cut" and rooms[0].relay is not None and rooms[0].relay.desired == "open"
    if account is None or not cut or any(other_holds(room.relay) for room in rooms):
        return None
    # The balance must rise above the limit, not to it, and what is repaid does not raise it.
    return max(least_fen(account, account.restore_above_nano) * NANO_PER_FEN, smallest_nano)
