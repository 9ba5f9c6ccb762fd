"""The site file: one TOML that says how a site is wired and, once, what is installed.

*Wiring* (`site`, `broker`, `panel`, `clock`, `ports`, `policy`, `bridge`) is read at every start and wins.
*Installation* (`tariffs`, `meters`, `accounts`) fills an empty book once; from then on the book wins.
Texts keep their zeros: addresses and money are quoted.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.contract.site_money import MoneyPolicy, Yuan
from bridge.contract.units import RATES, is_id, micro_of_price, nano_of_yuan


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("an id is 1 to 32 of a-z, 0-9 and -, and begins with a letter or digit")
    return text


def _price(text: str) -> str:
    micro_of_price(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone; write for example Asia/Shanghai") from None
    return text


def _wall(text: str) -> str:
    wall_minutes(text)
    return text


def _gateway(text: str) -> str:
    if text in ("bridge", "panel"):
        raise ValueError(f"{text!r} is a topic of its own below the base; name the gateway otherwise")
    return _id(text)


Id = Annotated[str, AfterValidator(_id)]
Price = Annotated[str, AfterValidator(_price)]
Wall = Annotated[str, AfterValidator(_wall)]
Label = Annotated[str, Field(max_length=64)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


def wall_minutes(text: str) -> int:
    """Minutes after midnight of a local wall time `HH:MM`; `24:00` is the day's end. Raises ValueError."""
    hours, colon, minutes = text.partition(":")
    if not (
        colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    ):
        raise ValueError(f"{text!r} is no wall time; write HH:MM")
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > 1440:
        raise ValueError(f"{text!r} is no wall time; write 00:00 to 24:00")
    return total


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteTable(Strict):
    name: Label
    gateway: Annotated[str, AfterValidator(_gateway)]
    base: Word = "riser"
    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"


class Broker(Strict):
    """Without `url`, Riser runs a Mosquitto of its own on `listen`."""

    url: Annotated[str, Field(pattern=r"^mqtts?://[^/\s@]+(:\d+)?$")] | None = None
    user: str | None = None
    password_file: str | None = None
    listen: str = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"


class Panel(Strict):
    listen: str = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 8080


class BridgeTable(Strict):
    """Outward: where the archive lives (SQLAlchemy URL), and Home Assistant's discovery prefix."""

    archive: str = "sqlite"
    home_assistant: bool = True
    discovery_prefix: Word = "homeassistant"
    discovery_form: Literal["device", "entity"] = "device"


class ClockTable(Strict):
    """`auto` believes the kernel's word that the clock is synchronised; `always` believes the clock as it is.

    `set_meters`: the gateway sets the meters' clocks by broadcast, once a day, when they are 10 s to 5 min off (R25).
    """

    trust: Literal["auto", "always"] = "auto"
    set_meters: bool = True


class CutWindow(Strict):
    """When a cut for arrears may happen (R2): left-closed, right-open, on workdays or every day."""

    days: Literal["workdays", "all"] = "workdays"
    from_: Wall = Field("09:00", alias="from")
    to: Wall = "16:00"

    @model_validator(mode="after")
    def _forward(self) -> CutWindow:
        if wall_minutes(self.from_) >= wall_minutes(self.to):
            raise ValueError("the cut window ends before it begins")
        return self


class Policy(MoneyPolicy, Strict):
    """Every number of R1-R9 that a site may set, and those of R15 and R16."""

    lead_min: Annotated[int, Field(strict=True, ge=30, le=10_080)] = 30
    cut_at: Yuan = "0.00"
    restore_above: Yuan = "1.00"
    levels: list[Yuan] = ["50.00", "20.00", "10.00"]
    level_margin: Yuan = "1.00"
    cut_window: CutWindow = CutWindow.model_validate({})
    rest_days: list[date] = []
    work_days: list[date] = []
    stale_min: Annotated[int, Field(strict=True, ge=1, le=1440)] = 15
    warning_counts: Literal["delivered", "attempted"] = "delivered"
    brake_meters: Annotated[int, Field(strict=True, ge=1)] = 5
    brake_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 10
    border_lead_s: Annotated[int, Field(strict=True, ge=0, le=50)] = 0

    @model_validator(mode="after")
    def _order(self) -> Policy:
        levels = [nano_of_yuan(text) for text in self.levels]
        if len(levels) != 3 or levels != sorted(levels, reverse=True) or len(set(levels)) != 3:
            raise ValueError("levels are three amounts from high to low")
        if nano_of_yuan(self.restore_above) < nano_of_yuan(self.cut_at):
            raise ValueError("restore_above lies below cut_at: supply would chatter (R6)")
        return self


class Port(Strict):
    """One RS-485 line. A relative `device` is looked up in the data directory."""

    id: Id
    device: str
    protocol: Literal["dlt645-2007", "dlt645-1997", "cjt188", "modbus-rtu"]
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400] = 2400
    parity: Literal["E", "N", "O"] = "E"
    poll_s: Annotated[int, Field(strict=True, ge=0, le=3600)] = 0
    """Seconds from the start of one round to the next; 0 reads round after round."""


class TariffWindow(Strict):
    from_: Wall = Field(alias="from")
    to: Wall
    rate: Literal["sharp", "peak", "flat", "valley", "deep"]


class Tariff(Strict):
    id: Id
    name: Label
    kind: Literal["single", "tou"]
    price: Price | None = None
    prices: dict[str, Price] = {}
    windows: list[TariffWindow] = []

    @model_validator(mode="after")
    def _whole(self) -> Tariff:
        if self.kind == "single":
            if self.price is None or self.prices or self.windows:
                raise ValueError("a single price has `price` and neither `prices` nor `windows`")
            return self
        if self.price is not None or not self.windows:
            raise ValueError("a time-of-use price has `prices` and `windows`, no `price`")
        if unknown := set(self.prices) - set(RATES):
            raise ValueError(f"unknown rates {sorted(unknown)}; rates are {', '.join(RATES)}")
        if missing := {window.rate for window in self.windows} - set(self.prices):
            raise ValueError(f"windows name rates without a price: {sorted(missing)}")
        edge = 0
        for window in sorted(self.windows, key=lambda each: wall_minutes(each.from_)):
            if wall_minutes(window.from_) != edge or wall_minutes(window.to) <= edge:
                raise ValueError(f"windows leave a gap or overlap at {edge // 60:02d}:{edge % 60:02d}")
            edge = wall_minutes(window.to)
        if edge != 1440:
            raise ValueError("windows do not reach 24:00")
        return self


class Meter(Strict):
    id: Id
    model: Word
    port: Id
    address: str
    circuit: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None
    """Which circuit of a box that has one address for many meters."""
    serial: Annotated[str, Field(pattern=r"^(\d{12}|\d{14})$")] | None = None
    room: Label
    floor: Label = ""
    shaft: Label = ""
    name: Label = ""
    multiplier: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1
    relay: Literal["direct", "permit", "none"] = "direct"
    purse: Literal["meter", "off"] = "meter"
    """Of a meter that keeps a balance of its own: it does, or that purse is switched off in the meter (R14)."""


class Account(Strict):
    id: Id
    name: Label
    room: Label
    phone: Annotated[str, Field(pattern=r"^[0-9+ -]{0,20}$")] = ""
    tariff: Id
    meters: Annotated[list[Id], Field(min_length=1)]
    opening: Yuan = "0.00"


class Site(Strict):
    """The whole file. `site_file.load` reads and checks it."""

    site: SiteTable
    broker: Broker = Broker()
    panel: Panel = Panel()
    bridge: BridgeTable = BridgeTable()
    clock: ClockTable = ClockTable()
    policy: Policy = Policy()
    ports: list[Port] = []
    tariffs: list[Tariff] = []
    meters: list[Meter] = []
    accounts: list[Account] = []

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.zone)
