"""What Home Assistant is shown of a gateway, a meter and an account: tables of entities, one row each.

A row reads one key of one retained fact through a template that answers `None` (unknown) where the key is
absent, so nothing is ever shown as 0 that was not read. Nobody's name or phone number is used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

from bridge.contract.messages import Account, Info, Message, MeterFacts, MeterRow, PortStatistics, Relay, Status, Valve

Extras = dict[str, Any]


@dataclass(frozen=True)
class Entity:
    """One entity: `key` is unique in its device, `template` reads `message`, `extras` are Home Assistant's words.

    `id` is that of the message where it is not the device's own: a port has no device, it belongs to its gateway.
    """

    platform: str
    key: str
    name: str
    message: type[Message]
    template: str
    extras: Extras = field(default_factory=dict)
    id: str = ""


DIAGNOSTIC: Extras = {"entity_category": "diagnostic"}
MEASURED: Extras = {"state_class": "measurement"}
COUNTED: Extras = {"device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "kWh"}
WATER: Extras = {"device_class": "water", "state_class": "total_increasing", "unit_of_measurement": "m³"}
MONEY: Extras = {"device_class": "monetary", "unit_of_measurement": "CNY", "suggested_display_precision": 2}
INSTANT: Extras = {"device_class": "timestamp"}
PROBLEM: Extras = {"device_class": "problem"}


def options(message: type[Message], key: str) -> Extras:
    """An enum entity must list its values: those of the message's field."""
    return {"device_class": "enum", "options": list(get_args(message.model_fields[key].annotation))}


def plain(key: str) -> str:
    """The value as it stands."""
    return f"{{{{ value_json.{key} | default(None) }}}}"


def kwh(key: str, multiplier: int) -> str:
    """A register in Wh as kWh that were used, in litres as m³: times the transformer ratio."""
    factor = f" * {multiplier}" if multiplier != 1 else ""
    return f"{{{{ value_json.{key}{factor} / 1000 if value_json.{key} is defined else None }}}}"


def times(key: str, multiplier: int) -> str:
    """A value of the meter's own side of the transformer as the line's."""
    return (
        plain(key)
        if multiplier == 1
        else f"{{{{ value_json.{key} * {multiplier} if value_json.{key} is defined else None }}}}"
    )


def yuan(key: str) -> str:
    """Nano-yuan as yuan, floored to fen as everywhere where money is shown (R11)."""
    return f"{{{{ (value_json.{key} / 1000000000) | round(2, 'floor') }}}}"


def fen(key: str) -> str:
    """Whole fen as yuan."""
    return f"{{{{ value_json.{key} / 100 if value_json.{key} is defined else None }}}}"


def flag_or_none(key: str) -> str:
    """A key that may be absent, true or false."""
    return f"{{{{ ('ON' if value_json.{key} else 'OFF') if value_json.{key} is defined else None }}}}"


def flag(key: str) -> str:
    """A key that is always there, true or false."""
    return f"{{{{ 'ON' if value_json.{key} else 'OFF' }}}}"


def relay_word(key: str) -> str:
    """A closed relay is on; one that was not read back is unknown (I11)."""
    return f"{{{{ {{'closed': 'ON', 'open': 'OFF'}}.get(value_json.{key}) }}}}"


def valve_word(key: str) -> str:
    """An open valve is on, as a closed relay is: water flows. One that was not read back, or is broken, is unknown."""
    return f"{{{{ {{'open': 'ON', 'closed': 'OFF'}}.get(value_json.{key}) }}}}"


GATEWAY: tuple[Entity, ...] = (
    Entity("binary_sensor", "connection", "连接", Status,
           "{{ 'ON' if value_json.state == 'online' else 'OFF' }}", {"device_class": "connectivity", **DIAGNOSTIC}),
    Entity("sensor", "mode", "运行模式", Info, plain("mode"), {**options(Info, "mode"), **DIAGNOSTIC}),
    Entity("binary_sensor", "clock_trusted", "时钟可信", Info, flag("clock_trusted"), DIAGNOSTIC),
    Entity("binary_sensor", "brake", "批量断电待确认", Info,
           "{{ 'ON' if value_json.brake is defined else 'OFF' }}", {**PROBLEM, **DIAGNOSTIC}),
    Entity("sensor", "meters_read", "本轮读到的表", Info, plain("meters_read"), {**MEASURED, **DIAGNOSTIC}),
    Entity("sensor", "meters_installed", "已装的表", Info, plain("meters_installed"), DIAGNOSTIC),
    Entity("sensor", "seq", "账本最新序号", Info, plain("seq"), DIAGNOSTIC),
)  # fmt: skip

PRICE = "purse_price_micro_per_kwh"


def of_port(id: str) -> tuple[Entity, ...]:
    """How busy a line is and how much fails on it."""
    percent = {"unit_of_measurement": "%", **MEASURED, **DIAGNOSTIC}
    return tuple(
        Entity("sensor", f"port_{id}_{key}", f"线路 {id} {name}", PortStatistics, plain(key), percent, id)
        for key, name in (("busy_percent", "占用率"), ("failed_percent", "出错率"))
    )


VOLTS: Extras = {"device_class": "voltage", "unit_of_measurement": "V", **MEASURED}
AMPS: Extras = {"device_class": "current", "unit_of_measurement": "A", **MEASURED}


def quantities(multiplier: int) -> tuple[Entity, ...]:
    """What a meter may measure; the key is that of `meter/<id>`. Voltage, power factor and frequency have no ratio."""
    counted = (
        ("energy_wh", "电量"), ("energy_sharp_wh", "尖电量"), ("energy_peak_wh", "峰电量"),
        ("energy_flat_wh", "平电量"), ("energy_valley_wh", "谷电量"), ("energy_today_wh", "今日用电"),
    )  # fmt: skip
    rows = [Entity("sensor", key, name, MeterFacts, kwh(key, multiplier), COUNTED) for key, name in counted]
    power = {"device_class": "power", "unit_of_measurement": "W", **MEASURED}
    rows.append(Entity("sensor", "power_w", "功率", MeterFacts, times("power_w", multiplier), power))
    for phase in "abc":
        volts, amps = f"voltage_{phase}_v", f"amps_{phase}"
        rows.append(Entity("sensor", volts, f"{phase.upper()} 相电压", MeterFacts, plain(volts), VOLTS))
        rows.append(Entity("sensor", amps, f"{phase.upper()} 相电流", MeterFacts, times(amps, multiplier), AMPS))
    factor = {"device_class": "power_factor", **MEASURED}
    hertz = {"device_class": "frequency", "unit_of_measurement": "Hz", **MEASURED}
    offset = {"device_class": "duration", "unit_of_measurement": "s", **MEASURED, **DIAGNOSTIC}
    rows.append(Entity("sensor", "volume_l", "用水量", MeterFacts, kwh("volume_l", multiplier), WATER))
    low = {"device_class": "battery", **DIAGNOSTIC}
    rows.append(Entity("binary_sensor", "battery_low", "电池电量低", MeterFacts, flag_or_none("battery_low"), low))
    purse = (
        ("remaining", "表内余额"),
        ("overdrawn", "表内透支"),
        ("alarm_1", "表内报警金额 1"),
        ("alarm_2", "表内报警金额 2"),
    )
    for name, word in purse:
        key = f"purse_{name}_fen"
        rows.append(Entity("sensor", key, word, MeterFacts, fen(key), MONEY))
    price = f"{{{{ value_json.{PRICE} / 1000000 if value_json.{PRICE} is defined else None }}}}"
    per_kwh = {"unit_of_measurement": "CNY/kWh", **MEASURED, "suggested_display_precision": 4}
    return (
        *rows,
        Entity(
            "sensor", "purse_count", "购电次数", MeterFacts, plain("purse_count"), {"state_class": "total_increasing"}
        ),
        Entity("sensor", PRICE, "表内当前电价", MeterFacts, price, per_kwh),
        Entity("sensor", "power_factor", "功率因数", MeterFacts, plain("power_factor"), factor),
        Entity("sensor", "frequency_hz", "频率", MeterFacts, plain("frequency_hz"), hertz),
        Entity("sensor", "clock_offset_s", "表钟偏差", MeterFacts, plain("clock_offset_s"), offset),
    )


ALWAYS: tuple[Entity, ...] = (
    Entity("sensor", "read_at", "最近读数时间", MeterFacts, plain("read_at"), {**INSTANT, **DIAGNOSTIC}),
    Entity("sensor", "quality", "读数质量", MeterFacts, plain("quality"),
           {**options(MeterFacts, "quality"), **DIAGNOSTIC}),
)  # fmt: skip

RELAY: tuple[Entity, ...] = (
    Entity("binary_sensor", "relay", "供电", Relay, relay_word("observed"), {"device_class": "power"}),
    Entity("binary_sensor", "relay_desired", "应供电", Relay, relay_word("desired"), DIAGNOSTIC),
    Entity("binary_sensor", "not_following", "继电器不动作", Relay,
           "{{ 'OFF' if value_json.following else 'ON' }}", {**PROBLEM, **DIAGNOSTIC}),
    Entity("binary_sensor", "alarm", "欠费报警灯", Relay, flag("alarm"), PROBLEM),
    Entity("binary_sensor", "keep_power", "保电", Relay, flag("keep_power"), DIAGNOSTIC),
)  # fmt: skip

VALVE: tuple[Entity, ...] = (
    Entity("binary_sensor", "relay", "阀门", Valve, valve_word("observed"), {"device_class": "opening"}),
    Entity("binary_sensor", "relay_desired", "阀门应为", Valve, valve_word("desired"),
           {"device_class": "opening", **DIAGNOSTIC}),
    Entity("binary_sensor", "valve_moving", "阀门动作中", Valve,
           "{{ 'ON' if value_json.moving is defined else 'OFF' }}", {"device_class": "moving", **DIAGNOSTIC}),
    Entity("binary_sensor", "valve_fault", "阀门故障", Valve,
           "{{ 'ON' if value_json.observed == 'fault' else 'OFF' }}", {**PROBLEM, **DIAGNOSTIC}),
    Entity("binary_sensor", "not_following", "阀门不动作", Valve,
           "{{ 'OFF' if value_json.following else 'ON' }}", {**PROBLEM, **DIAGNOSTIC}),
)  # fmt: skip
"""In place of a relay's. The keys that both have are the same, and on is supply for both: what an earlier version
announced keeps its history, and an automation goes on meaning the same."""

ACCOUNT: tuple[Entity, ...] = (
    Entity("sensor", "balance", "可用余额", Account, plain("balance"), {**MONEY, "state_class": "total"}),
    Entity("sensor", "posted", "账面余额", Account, yuan("posted_nano"), MONEY),
    Entity("sensor", "provisional", "未入账电费", Account, yuan("provisional_nano"), MONEY),
    Entity("sensor", "days_left", "可用天数", Account, plain("days_left"),
           {"device_class": "duration", "unit_of_measurement": "d", **MEASURED, "suggested_display_precision": 1}),
    Entity("sensor", "level", "预警级别", Account, plain("level"), {}),
    Entity("sensor", "state", "状态", Account, plain("state"), options(Account, "state")),
    Entity("sensor", "zero_at", "预计用完时间", Account, plain("zero_at"), INSTANT),
    Entity("sensor", "cut_at", "最早断电时间", Account, plain("cut_at"), INSTANT),
    Entity("sensor", "price_now", "当前电价", Account, plain("price_now"),
           {"unit_of_measurement": "CNY/kWh", **MEASURED, "suggested_display_precision": 4}),
)  # fmt: skip


def of_meter(row: MeterRow) -> Iterator[Entity]:
    """The entities of one meter: only quantities that it fills, and a relay only where it has one.

    Two are not among them: today's use follows from the register, and DL/T 645 meters have a clock to compare.
    """
    filled = set(row.quantities)
    filled |= {"energy_today_wh"} if "energy_wh" in filled else set()
    filled |= {"clock_offset_s"} if row.protocol == "dlt645-2007" else set()
    yield from (entity for entity in quantities(row.multiplier) if entity.key in filled)
    yield from ALWAYS
    if row.relay != "none":
        yield from VALVE if row.switch == "valve" else RELAY
