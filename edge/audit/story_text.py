"""An explained entry as lines for people, in English or Chinese. Pure."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import REPLACED
from bridge.contract.units import NANO_PER_FEN, price_text, yuan_exact
from edge.audit import figures, grounds, meter_story
from edge.audit.words import WORDS, say

Fields = dict[str, Any]

SHOWN_PLAIN = (int, str, bool)


def lines_of(story: Fields, language: str) -> list[str]:
    """The whole text."""
    zone = ZoneInfo(story["zone"])
    lines = [f"{title(story, language)}  {story['id']}"]
    lines.append(say("written", language, seq=story["seq"], at=figures.written_at(story["at"], zone)))
    if not story["trusted"]:
        lines[-1] += f" ({say('clock-doubted', language)})"
    if story["account"]:
        lines.append(say("of-account", language, **story["account"]))
    if story["meter"]:
        meter = {**story["meter"], "model": story["meter"]["model_name"]}
        lines.append(say("of-meter", language, **meter))
    if "used" in story:
        lines += ["", *_readings(story, zone, language), "", *_use(story, language), ""]
        lines += [*_prices(story, zone, language), *_priced(story, language)]
        lines += _said({"fields": story["fields"]}, zone, language)
    elif story["kind"] in ("opening/1", *REPLACED):
        told = meter_story.lines_of(story, zone, language)
        lines += ["", *told, *_said(story, zone, language), *_frames(story["frames"], language)]
    elif story["kind"] == "trip/1":
        lines += ["", *_trip(story, zone, language), *_frames(story["frames"], language)]
    else:
        lines += ["", *_said(story, zone, language), *_frames(story["frames"], language)]
    lines += [*_money(story, language), say("hash", language, hash=story["hash"])]
    if "used" in story:
        for key in ("start", "end"):
            frames = _frames(story[key]["frames"], language)
            lines += ["", say("from" if key == "start" else "to", language), *frames] if frames else []
    return lines


def title(story: Fields, language: str) -> str:
    """The kind in words."""
    base = story["kind"].split("/")[0]
    if base == "charge" and story.get("unit") == "m3":
        base = "water-charge"
    return say(base if base in WORDS else "money" if story["moves"] else "entry", language)


def _readings(story: Fields, zone: ZoneInfo, language: str) -> list[str]:
    lines = _mark("from", story["start"], story, zone, language)
    for mark in story["between"]:
        lines += _mark("between", {**mark, "frames": None}, story, zone, language)
    return lines + _mark("to", story["end"], story, zone, language)


def _mark(key: str, mark: Fields, story: Fields, zone: ZoneInfo, language: str) -> list[str]:
    unit = story["unit"]
    registers = ", ".join(
        f"{figures.rate_word(name, language)} {figures.quantity(mark['registers_wh'][name], unit)}"
        for name in figures.in_order(mark["registers_wh"])
    )
    lines = [f"{say(key, language):8} {figures.instant(mark['at'], zone)}  {registers}"]
    lines.append(f"         {figures.source_word(mark['source'], language)}")
    if mark["frames"] is not None and not mark["frames"]:
        lines.append("         " + say("no-frames", language))
    marks = [story["start"], *story["between"], story["end"]]
    return lines + grounds.lines_of(mark, marks, unit, zone, language)


def _frames(frames: list[Fields], language: str) -> list[str]:
    lines = []
    for frame in frames:
        shown = bytes.fromhex(frame["hex"]).hex(" ").upper()
        lines += [f"{say(frame['way'], language)}: {shown}", *("  " + line for line in frame["lines"])]
    return [say("frames", language) + ":", *lines] if lines else []


def _use(story: Fields, language: str) -> list[str]:
    unit, lines = story["unit"], []
    for row in story["used"]:
        figures_of = {key: figures.quantity(row[key], unit) for key in ("start", "end", "used", "all")}
        rolled = f" ({say('rolled', language)})" if row["rolled"] else ""
        told = say("difference", language, **figures_of, rolled=rolled, multiplier=story["multiplier"])
        lines.append(f"{figures.rate_word(row['register'], language):12} {told}")
    if len(story["used"]) > 1:
        lines.append(say("by-borders" if story["by"] == "borders" else "by-registers", language))
    if story["guessed"]:
        what = "; ".join(figures.source_word(source, language) for source in story["guessed"])
        lines.append(say("guessed", language, what=what))
    return lines


def _prices(story: Fields, zone: ZoneInfo, language: str) -> list[str]:
    lines = []
    for price in story.get("prices", ()):
        if "seq" not in price:
            lines.append(say("price-unknown", language, **price))
            continue
        when = {"since": figures.instant(price["effective_at"], zone), "at": figures.written_at(price["at"], zone)}
        told = say("price", language, **{**price, **when})
        who = price["approved_by"]
        lines.append(f"{told}; {say('approved', language, who=who) if who else say('not-approved', language)}")
    return lines


def _priced(story: Fields, language: str) -> list[str]:
    unit, lines = story["unit"], []
    many = len({line["version"] for line in story["lines"]}) > 1
    for line in story["lines"]:
        name = figures.line_word(line, language) + (f" (v{line['version']})" if many else "")
        quantity = figures.quantity(line["wh"], unit)
        cost = yuan_exact(line["amount_nano"])
        lines.append(f"  {name:24} {quantity:>16} x {price_text(line['price_micro']):>9} = {cost:>16}")
    total = sum(line["amount_nano"] for line in story["lines"])
    lines.append(
        f"  {say('sum', language):24} {figures.quantity(story['wh'], unit):>16}   {'':>9} = {yuan_exact(total):>16}"
    )
    if (counter := story["counter"]) is not None and counter["period"] is not None:
        before = story["counter_before"]
        used = {**dict(before.get("others", ())), before["period"]: before["used_wh"]}.get(counter["period"], 0)
        lines.append(say(
            "counter", language, period=counter["period"], before=figures.quantity(used, unit),
            after=figures.quantity(counter["used_wh"], unit),
        ))  # fmt: skip
    return lines


def _trip(story: Fields, zone: ZoneInfo, language: str) -> list[str]:
    fields = story["fields"]
    if "available_nano" not in fields:
        return _said(story, zone, language)
    money = {key: yuan_exact(fields[f"{key}_nano"]) for key in ("available", "posted", "provisional")}
    limit = yuan_exact(fields["cut_limit_nano"])
    lines = [say("trip-money", language, **money, seq=fields["balance_seq"], limit=limit)]
    warned = {"final": fields["final_seq"], "delivered": fields["delivered_seq"], "minutes": fields["warned_s"] // 60}
    lines.append(say("trip-warned", language, **warned))
    if fields["window"]:
        begin, end = (figures.instant(each, zone) for each in fields["window"])
        lines.append(say("trip-window", language, begin=begin, end=end))
    return lines


def _said(story: Fields, zone: ZoneInfo, language: str) -> list[str]:
    """What any other entry says: what people ask for in words, all else by its name."""
    fields, lines = dict(story["fields"]), []
    if "who" in fields:
        lines.append(say("by-whom", language, who=fields.pop("who"), role=fields.pop("role", "")))
    if login := (fields.get("request") or {}).get("login"):
        lines.append(say("at-shell", language, login=login))
    if isinstance(fields.get("approved_by"), str):
        lines.append(say("approved", language, who=fields.pop("approved_by")))
    for key in ("receipt", "reference", "why"):
        if fields.get(key):
            lines.append(say(key, language, **{key: fields.pop(key)}))
    plain = {key: value for key, value in fields.items() if isinstance(value, SHOWN_PLAIN) and value != ""}
    hidden = ("account", "meter", "amount_nano", "balance_after_nano", *(("amount_fen",) if story.get("moves") else ()))
    lines += [_field(key, value, zone) for key, value in plain.items() if key not in hidden]
    for rate, micro in (fields.get("prices_micro") or {}).items():
        lines.append(f"price {figures.rate_word(rate, language)}: {price_text(micro)}")
    if meters := fields.get("meters"):
        lines.append(f"meters: {', '.join(meters)}")
    return lines + _prices(story, zone, language)


def _field(key: str, value: Any, zone: ZoneInfo) -> str:
    """One plain field by its name: money in yuan and instants on the site's wall, as everywhere on this page."""
    if type(value) is int and key.endswith("_nano"):
        return f"{key.removesuffix('_nano')}: {yuan_exact(value)}"
    if type(value) is int and key.endswith("_fen"):
        return f"{key.removesuffix('_fen')}: {yuan_exact(value * NANO_PER_FEN)}"
    if isinstance(value, str) and key.endswith("_at"):
        with suppress(ValueError):  # A text of another program stands as it is.
            return f"{key}: {figures.instant(value, zone)}"
    return f"{key}: {value}"


def _money(story: Fields, language: str) -> list[str]:
    lines = []
    if "amount_fen" in story:
        fen = yuan_exact(story["amount_fen"] * NANO_PER_FEN)
        exact, residue = yuan_exact(story["amount_nano"]), yuan_exact(story["residue_nano"])
        lines.append(say("amount", language, exact=exact, fen=fen, residue=residue))
    for move in story["moves"]:
        amount = yuan_exact(move["amount_nano"])
        lines.append(say("move", language, amount=amount, giver=move["from"], taker=move["to"]))
    if "balance_after_nano" in story:
        both = (yuan_exact(story[f"balance_{when}_nano"]) for when in ("before", "after"))
        lines.append(say("balance", language, **dict(zip(("before", "after"), both, strict=True))))
    return lines
