"""The site file: one TOML that says how a site is wired and, once, what is installed.

*Wiring* (`site`, `broker`, `panel`, `clock`, `ports`, `policy`, `bridge`) is read at every start and wins.
*Installation* (`tariffs`, `meters`, `accounts`) fills an empty book once; from then on the book wins.
Texts keep their zeros: addresses and money are quoted.
"""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from bridge.contract.cutting import Closing
from bridge.contract.site_cutting import CuttingPolicy
from bridge.contract.site_cutting import CutWindow as CutWindow
from bridge.contract.site_money import MoneyPolicy
from bridge.contract.site_prices import Tariff as Tariff
from bridge.contract.site_words import STRICT, Gateway, Id, Label, Phone, Word, Yuan, Zone
from bridge.contract.site_words import wall_minutes as wall_minutes


class Strict(BaseModel):
    model_config = STRICT


class SiteTable(Strict):
    name: Label
    gateway: Gateway
    base: Word = "riser"
    zone: Zone = "Asia/Shanghai"
    own_supply: Label = ""
    """Where the gateway's own supply comes from, as who wired it says: before every relay that it controls (R8)."""
    own_meter: Id | None = None
    """The meter that counts the gateway's own supply, where one of the site's does; nothing may switch it."""


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
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")] | None = None


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


class Policy(CuttingPolicy, MoneyPolicy, Strict):
    """Every number of R1-R9 that a site may set, and those of R15 and R16."""

    border_lead_s: Annotated[int, Field(strict=True, ge=0, le=50)] = 0
    markup_limit_percent: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = None
    """How far the mean price of a kWh may lie above what is paid upstream before people are warned (R30)."""


class Port(Strict):
    """One RS-485 line. A relative `device` is looked up in the data directory."""

    id: Id
    device: str
    protocol: Literal["dlt645-2007", "dlt645-1997", "cjt188", "modbus-rtu"]
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400] = 2400
    parity: Literal["E", "N", "O"] = "E"
    poll_s: Annotated[int, Field(strict=True, ge=0, le=3600)] = 0
    """Seconds from the start of one round to the next; 0 reads round after round."""


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
    phone: Phone = ""
    tariff: Id | None = None
    """What a kWh costs; needed where one of its meters counts electricity."""
    water_tariff: Id | None = None
    """What a m3 costs; needed where one of its meters counts water."""
    meters: Annotated[list[Id], Field(min_length=1)]
    category: Word | None = None
    """Which surcharges it pays: a word that one of them names, or `home` or `shop`."""
    household: Annotated[bool, Field(strict=True)] | None = None
    """Only households have steps (R29); unsaid, an account of category `home` is one."""
    close: Closing | None = None
    """How its supply comes back (R6); unsaid, as the meter says."""
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
