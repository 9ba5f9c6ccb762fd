"""A price in plain words: its rates with their hours, what counts on other days, steps, surcharges, fee, mark-up.

The same words stand on the page of prices and, side by side, where a proposal is compared with what counts now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.contract.messages import TariffVersion, Window
from bridge.contract.price_facts import TariffSteps, TariffSurcharge, TariffTable
from bridge.contract.site_prices import SINGLE
from bridge.contract.site_words import wall_minutes
from bridge.contract.units import RATES
from panel.price_versions import plain
from panel.states import RATE_WORDS
from panel.words import later, t

DAY_WORDS = {
    "workday": later("working days"),
    "weekend": later("weekends"),
    "holiday": later("public holidays"),
}
CATEGORY_WORDS = {"home": later("homes"), "shop": later("shops")}


@dataclass(frozen=True)
class Hours:
    """The hours of some days: `when` says which, `rates` are (rate, word, hours), `bar` is (rate, minute, minutes)."""

    when: str
    rates: list[tuple[str, str, str]]
    bar: list[tuple[str, int, int]]


@dataclass(frozen=True)
class Told:
    """A version as the page shows it."""

    version: TariffVersion
    per: str
    rates: list[tuple[str, str, str]]
    """(rate, its word, its price)."""
    days: list[Hours]
    more: list[tuple[str, str]]


@dataclass(frozen=True)
class Change:
    """One line of a comparison; absent is None."""

    label: str
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before != self.after


def told_version(version: TariffVersion) -> Told:
    """Everything a version says."""
    days = [_hours(_days_of(table), table.windows) for table in version.tables]
    if version.windows:
        days.append(_hours(t("all other days") if days else t("every day"), version.windows))
    more = [line for key, line in _lines(version).items() if key[0] not in ("kind", "price", "hours")]
    return Told(version, per(version.unit), _rates(version.prices), days, more)


def changes(before: TariffVersion | None, after: TariffVersion) -> list[Change]:
    """What two versions say, line by line, in one order; with nothing before, everything is new."""
    old, new = _lines(before) if before else {}, _lines(after)
    keys = sorted({*old, *new}, key=lambda key: (_ORDER.index(key[0]), key[1:]))
    return [
        Change((new.get(key) or old[key])[0], *(side[key][1] if key in side else None for side in (old, new)))
        for key in keys
    ]


def per(unit: str) -> str:
    return t("yuan/m³") if unit == "m3" else t("yuan/kWh")


def unit_word(unit: str) -> str:
    return "m³" if unit == "m3" else unit


def rate_name(rate: str) -> str:
    return t("Price|of a unit") if rate == SINGLE else t(RATE_WORDS[rate]) if rate in RATE_WORDS else rate


def category_name(category: str | None) -> str:
    if category is None:
        return t("everybody")
    return t(CATEGORY_WORDS[category]) if category in CATEGORY_WORDS else category


def signed(price: str) -> str:
    """What is added, with its sign."""
    return f"−{price[1:]}" if price.startswith("-") else f"+{price}"


# --- lines, each with a key by which two versions are compared ---

_ORDER = ("kind", "price", "hours", "steps", "step", "surcharge", "fee", "bought", "markup")
_Key = tuple[str, ...]


def _lines(version: TariffVersion) -> dict[_Key, tuple[str, str]]:
    """Key to (label, text). Keys of one kind sort as people read them."""
    unit = per(version.unit)
    found: dict[_Key, tuple[str, str]] = {
        ("kind",): (t("Kind|of price"), t("by the hours of the day") if version.kind == "tou" else t("one price"))
    }
    for rate, word, price in _rates(version.prices):
        found["price", _place(rate)] = (word, f"{price} {unit}")
    for number, table in enumerate(version.tables):
        found["hours", f"{number:02d}"] = (t("Hours: {days}", days=_days_of(table)), _in_order(table.windows))
    if version.windows:
        days = t("all other days") if version.tables else t("every day")
        found["hours", "99"] = (t("Hours: {days}", days=days), _in_order(version.windows))
    if version.steps is not None:
        found |= _steps(version.steps, version.unit)
    for each in version.surcharges:
        found["surcharge", each.name, each.category or ""] = (
            t("Surcharge “{name}”", name=each.name), _surcharge(each, unit)
        )  # fmt: skip
    if version.daily_fee:
        found["fee",] = (t("Fee a day"), t("{amount} yuan", amount=version.daily_fee))
    for rate, word, price in _rates(version.purchase or {}):
        label = t("Paid upstream") if rate == SINGLE else t("Paid upstream, {rate}", rate=word)
        found["bought", _place(rate)] = (label, f"{price} {unit}")
    if version.markup_percent is not None:
        found["markup",] = (t("Mark-up"), t("{n} % above what is paid, on the mean of a day", n=version.markup_percent))
    return found


def _rates(prices: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(rate, rate_name(rate), prices[rate]) for rate in sorted(prices, key=_place)]


def _place(rate: str) -> str:
    return str(RATES.index(rate) + 1) if rate in RATES else f"0{rate}" if rate == SINGLE else f"9{rate}"


def _steps(steps: TariffSteps, unit: str) -> dict[_Key, tuple[str, str]]:
    begins = t("counted by the month, anew on day {day}", day=steps.day)
    above = later("Above {n} {unit} a month")
    if steps.period == "year":
        begins = t("counted by the year, anew on {month}-{day}", month=f"{steps.month:02d}", day=f"{steps.day:02d}")
        above = later("Above {n} {unit} a year")
    moving = t("a new tenant has full steps") if steps.moving_in == "full" else t("a new tenant's are in proportion")
    found: dict[_Key, tuple[str, str]] = {("steps",): (t("Steps"), t("; |between words").join((begins, moving)))}
    for number, step in enumerate(steps.steps):
        label = t(above, n=plain(step.above), unit=unit_word(unit))
        found["step", f"{number:02d}"] = (label, t("{price} more", price=f"{step.add} {per(unit)}"))
    return found


def _surcharge(each: TariffSurcharge, unit: str) -> str:
    return t("{price} for {whom}", price=f"{signed(each.price)} {unit}", whom=category_name(each.category))


# --- hours ---


def _days_of(table: TariffTable) -> str:
    """In which season, on which kinds of days."""
    seasons = [t("{start} to {end}", start=a, end=b) for a, _, b in (text.partition("..") for text in table.seasons)]
    kinds = [t(DAY_WORDS[day]) if day in DAY_WORDS else day for day in table.days]
    return t("{season}, {days}", season=_and(seasons), days=_and(kinds)) if seasons and kinds else _and(seasons + kinds)


def _and(words: Sequence[str]) -> str:
    return t(", |between words").join(words)


def _sorted(windows: Iterable[Window]) -> list[Window]:
    return sorted(windows, key=lambda each: wall_minutes(each.from_))


def _hours(when: str, windows: Sequence[Window]) -> Hours:
    spans: dict[str, list[str]] = {}
    bar = []
    for window in _sorted(windows):
        spans.setdefault(window.rate, []).append(f"{window.from_}–{window.to}")
        first, last = wall_minutes(window.from_), wall_minutes(window.to)
        bar.append((window.rate, first, max(0, last - first)))
    rates = [(rate, rate_name(rate), _and(spans[rate])) for rate in sorted(spans, key=_place)]
    return Hours(when, rates, bar)


def _in_order(windows: Iterable[Window]) -> str:
    return _and([f"{each.from_}–{each.to} {rate_name(each.rate)}" for each in _sorted(windows)])
