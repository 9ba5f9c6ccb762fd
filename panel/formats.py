"""How figures and times look: minus is U+2212, thousands have commas, times are the site's, every value can be aged.

Nothing is computed here: nano-yuan, Wh and W come as published and leave as text.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.contract.units import NANO_PER_FEN, fen_floor, instant_of, kwh_text, price_text, yuan_exact, yuan_text
from panel.words import t

MINUS = "−"
ABSENT = "—"


def grouped(text: str) -> str:
    """Thousands get commas and the minus its own sign: `-1234.50` is `−1,234.50`."""
    sign = MINUS if text.startswith("-") else ""
    whole, dot, decimals = text.lstrip("-").partition(".")
    return f"{sign}{int(whole):,}{dot}{decimals}"


def yuan(nano: int | None) -> str:
    """Money for people, floored to fen."""
    return ABSENT if nano is None else grouped(yuan_text(nano))


def yuan_step(nano: int | None, balance_nano: int | None) -> str:
    """Money that moved, as the list of an account shows it: the change of the shown balance, so that a column adds up
    to the fen; where no balance stands beside it, its size floored."""
    if nano is None or balance_nano is None:
        return yuan_signed(nano)
    fen_moved = fen_floor(balance_nano) - fen_floor(balance_nano - nano)
    return f"{'+' if fen_moved > 0 else ''}{fen(fen_moved)}"


def yuan_signed(nano: int | None) -> str:
    """Money that moved: `+200.00`, `−54.84`. A charge is shown with its size floored, as its balance is."""
    return f"+{yuan(nano)}" if nano is not None and nano > 0 else yuan(nano)


def yuan_all(nano: int) -> str:
    """Money in full, for explanations."""
    return grouped(yuan_exact(nano))


def yuan_exactly(nano: int) -> str:
    """Money that moved, in full: `+200.00`, `−51.826116`."""
    return f"+{yuan_all(nano)}" if nano > 0 else yuan_all(nano)


def price(micro: int) -> str:
    return price_text(micro).replace("-", MINUS)


def kwh(wh: int | None) -> str:
    """Energy in kWh."""
    return ABSENT if wh is None else grouped(kwh_text(wh))


def cubic_metres(litres: int | None) -> str:
    """Water in m³ with three decimals, from whole litres."""
    return ABSENT if litres is None else grouped(f"{litres // 1000}.{litres % 1000:03d}")


def fen(amount_fen: int) -> str:
    """Whole fen as yuan."""
    return grouped(yuan_text(amount_fen * NANO_PER_FEN))


def kilowatts(watts: int | None) -> str:
    """Power in kW with two decimals, from whole watts."""
    if watts is None:
        return ABSENT
    sign = "-" if watts < 0 else ""
    hundredths = (abs(watts) + 5) // 10
    return grouped(f"{sign}{hundredths // 100}.{hundredths % 100:02d}")


def number(value: float | int | None, decimals: int = 1) -> str:
    """A measured value with fixed decimals."""
    return ABSENT if value is None else grouped(f"{value:.{decimals}f}")


def span(seconds: float) -> str:
    """A duration in one or two words: 8 s, 47 min, 2 h 11 min, 3 d."""
    whole = max(0, int(seconds))
    if whole < 60:
        return t("{n} s|seconds", n=whole)
    if whole < 3600:
        return t("{n} min|minutes", n=whole // 60)
    if whole < 86_400:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return t("{h} h {m} min", h=hours, m=minutes) if minutes else t("{h} h|hours", h=hours)
    return t("{n} d|days", n=whole // 86_400)


def lasts(days: float | None) -> str:
    """How long the balance lasts: 12 d, 1.6 d, 3.2 h, 30 min."""
    if days is None:
        return ABSENT
    if days >= 10:
        return t("{n} d|days", n=int(days))
    if days >= 1:
        return t("{n} d|days", n=f"{days:.1f}")
    hours = days * 24
    return t("{h} h|hours", h=f"{hours:.1f}") if hours >= 1 else t("{n} min|minutes", n=int(hours * 60))


def countdown(seconds: float) -> str:
    """Time left as a clock: 29:48, 3:05:10."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


class Wall:
    """The site's wall: instants as its people write them, seen from one `now`."""

    def __init__(self, now: datetime, zone: ZoneInfo, speed: float = 1.0):
        self.instant, self.zone, self.speed = now, zone, speed
        self.now = now.astimezone(zone)

    def _local(self, at: str | datetime) -> datetime:
        return (instant_of(at) if isinstance(at, str) else at).astimezone(self.zone)

    def age_s(self, at: str | datetime) -> float:
        """Seconds since `at`; never below 0, a clock may be a little ahead. Calendar seconds, or with a `speed` real
        ones: in the demo the calendar runs faster than the lines."""
        return max(0.0, (self.instant - self._local(at)).total_seconds()) / self.speed

    def left_s(self, at: str | datetime) -> float:
        return max(0.0, (self._local(at) - self.instant).total_seconds())

    def ago(self, at: str | datetime | None) -> str:
        return t("never") if at is None else t("{span} ago", span=span(self.age_s(at)))

    def clock(self, at: str | datetime | None, seconds: bool = False) -> str:
        """The time alone: 15:20 or 15:20:07."""
        return ABSENT if at is None else f"{self._local(at):%H:%M:%S}" if seconds else f"{self._local(at):%H:%M}"

    def stamp(self, at: str | datetime | None, seconds: bool = False) -> str:
        """Date and time, the year only when it is another one: 11-20 15:20."""
        if at is None:
            return ABSENT
        local = self._local(at)
        day = f"{local:%m-%d}" if local.year == self.now.year else f"{local:%Y-%m-%d}"
        return f"{day} {self.clock(local, seconds)}"

    def full(self, at: str | datetime) -> str:
        """Date and time as they stand on paper, always with the year: 2026-11-20 15:20:07."""
        return f"{self._local(at):%Y-%m-%d %H:%M:%S}"

    def typed(self, at: str | datetime) -> str:
        """As a field for date and time holds it: 2026-11-20T15:20."""
        return f"{self._local(at):%Y-%m-%dT%H:%M}"

    def when(self, at: str | datetime) -> str:
        """As spoken: today at 15:20, tomorrow at 09:00, Mon 11-23 at 09:00."""
        local = self._local(at)
        days = (local.date() - self.now.date()).days
        if days == 0:
            return t("today at {time}", time=self.clock(local))
        if days == 1:
            return t("tomorrow at {time}", time=self.clock(local))
        return t("{weekday} {day} at {time}", weekday=weekday(local), day=f"{local:%m-%d}", time=self.clock(local))

    def brief(self, at: str | datetime) -> str:
        """As short as it can be: 15:20 today, Mon 09:00 within a week, then 12-04."""
        local = self._local(at)
        days = (local.date() - self.now.date()).days
        if days == 0:
            return self.clock(local)
        return f"{weekday(local)} {self.clock(local)}" if 0 < days < 7 else f"{local:%m-%d}"

    def midnight(self, days_ago: int = 0) -> datetime:
        """The start of the local day, `days_ago` days before today, as an aware instant."""
        day = self.now.date() - timedelta(days=days_ago)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)


def weekday(local: datetime) -> str:
    return (t("Mon"), t("Tue"), t("Wed"), t("Thu"), t("Fri"), t("Sat"), t("Sun"))[local.weekday()]
