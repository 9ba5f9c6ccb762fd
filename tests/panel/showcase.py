"""The panel with 27 made-up rooms in every state, for looking at: `PYTHONPATH=. python tests/panel/showcase.py [port]`.

It listens on 127.0.0.1 and signs in as `show` with the password `show me the panel`. Its gateway answers requests
after a second, as a real one would. Nothing of it is part of the product.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from panel_facts import (
    YUAN,
    available,
    charge,
    hold,
    info,
    policy,
    protection,
    reading,
    relay,
    row,
    standing,
    tariff,
    tenant,
)
from panel_stage import FakeLink, Stage, install

from bridge.contract.clock import ScaledClock
from bridge.contract.messages import Status
from bridge.contract.units import instant_text
from panel.parts import Demo

NAMES = [
    "川湘小馆", "粤味烧腊", "壹碗牛肉面", "福记粥铺", "甜心烘焙", "味之源麻辣烫", "一品鱼锅",
    "湘西米粉", "冰河鲜饮", "东北饺子馆", "锦程眼镜", "云间茶事", "小鹿童装", "阿婆鲜汤面",
    "明珠钟表", "花田鲜花", "晨光便利", "优禾果铺", "老街修鞋", "星河影城", "恒信会计",
    "正和律师", "中恒保险", "<script>alert(1)</script>", "明视眼科", "舒心月子",
]  # fmt: skip
STATES = [
    "on", "w3", "on", "on", "debt", "final", "on", "w2", "held", "dispute", "on", "on", "on", "w1",
    "on", "cut", "on", "on", "off", "keep", "w1", "on", "stale", "on", "final", "none", "on",
]  # fmt: skip


class AnsweringLink(FakeLink):
    """A link whose gateway answers after a moment."""

    stage: Stage

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        mid = super().publish(topic, payload, retain=retain)
        if "/request/" in topic:
            words = json.loads(json.loads(payload)["signed"])
            threading.Timer(1.2, self.reply, (topic.rsplit("/", 1)[1], words)).start()
        return mid

    def reply(self, operation: str, words: dict[str, object]) -> None:
        transaction = str(words["transaction"])
        self.stage.answer(operation, transaction, "accepted")
        found = (
            {"seq": 4712, "receipt": "20261120-0042", "balance_nano": 203_180_000_000} if operation == "topup" else {}
        )
        threading.Timer(1.5, self.stage.answer, (operation, transaction, "done"), {"data": found}).start()


def fill(stage: Stage) -> None:
    """Rooms in all states, a day of readings, entries of an account."""
    now = stage.clock.now()
    random.seed(7)
    meters, accounts = [], []
    places = []
    for number, state in enumerate(STATES):
        floor, at_floor = 3 - number // 9, number % 9
        shaft = "东井 A" if at_floor < 5 else "西井 B"
        room = f"{'A' if at_floor < 5 else 'B'}{floor}{at_floor % 5 + 1:02d}"
        account = None if state == "none" else f"1002{number + 1:02d}"
        id = room.lower()
        meters.append(
            row(id, room, account, floor=f"{floor}F", shaft=shaft, relay="none" if number == 10 else "direct")
        )
        if account:
            accounts.append(tenant(account, NAMES[number % len(NAMES)], room, [id]))
        places.append((id, account, state))
    install(stage, meters, accounts)
    stage.say(Status(state="online"))
    ports = [
        {"id": "a1", "device": "/dev/ttyUSB0", "protocol": "dlt645-2007", "baud": 9600, "state": "open", "meters": 15,
         "read": 14, "round_s": 4.1, "round_at": instant_text(now), "asked": 128_400, "failed": 96},
        {"id": "b1", "device": "/dev/ttyUSB1", "protocol": "modbus-rtu", "baud": 9600, "state": "closed", "meters": 12,
         "why": "the adapter is unplugged", "read": 0, "asked": 90_000, "failed": 1210},
    ]  # fmt: skip
    stage.say(info(now, meters_installed=27, meters_read=26, ports=ports))
    stage.say(tariff(), "shop")
    stage.say(policy(now))
    for id, account, state in places:
        dress(stage, id, account, state, now)
    history(stage, "100206", "b301", now)


def dress(stage: Stage, id: str, account: str | None, state: str, now: datetime) -> None:
    age = 47.0 if state in ("stale", "off") else 0.1
    stage.say(reading(age, now, power_w=random.randint(40, 7000), energy_today_wh=random.randint(900, 60_000)), id)
    held = {"held": [hold("lockout", "更换断路器", now=now)], "cut": [hold("arrears", "欠费", "gateway", now)]}.get(
        state, []
    )
    stage.say(relay("open" if held else "closed", now, holds=held, keep_power=state == "keep", why="as told"), id)
    stage.say(available("offline" if state == "off" else "online", 38, now, "no answer to 6 rounds"), id)
    if account is None:
        return
    balance = {"cut": -12.06, "debt": -80.5, "final": 3.18, "w3": 8.35, "w2": 17.77, "w1": 41.44}.get(
        state, random.randint(9000, 180_000) / 100
    )
    more: dict[str, object] = {"days_left": balance / 24 if balance > 0 else None}
    if state == "final":
        cut_at = instant_text(now + timedelta(minutes=29, seconds=48))
        sent = instant_text(now - timedelta(minutes=1))
        more |= {
            "zero_at": cut_at,
            "cut_at": cut_at,
            "final_warning_at": sent,
            "delivered_at": sent,
            "delivered_by": "lamp",
        }
    if account in ("100202", "100225", "100204", "100211", "100220"):
        state, more = facing(account, state, more, now)
    if state == "debt":
        more |= {"can_cut": False}
    if state == "dispute":
        more |= {"protections": [protection("dispute", 30, now, why="读数有疑问")]}
    said = {"debt": "low3", "w1": "low1", "w2": "low2", "w3": "low3"}.get(
        state, state if state in ("cut", "final", "held", "keep") else "on"
    )
    stage.say(standing(said, balance, now, **more), account)


def facing(account: str, state: str, more: dict[str, object], now: datetime) -> tuple[str, dict[str, object]]:
    """Tenants of whom the policy page tells: waiting for a window, untold, soon, not to be cut, protected."""

    def ahead(hours: float) -> str:
        return instant_text(now + timedelta(hours=hours))

    sent = {"final_warning_at": ahead(-1), "delivered_at": None, "delivered_by": None}
    match account:
        case "100202":
            when = {"cut_at": ahead(66.2), "protected_until": ahead(66.2), "zero_at": ahead(0.1)}
            return "final", more | when | {
                "final_warning_at": ahead(-1),
                "delivered_at": ahead(-1),
                "delivered_by": "lamp",
            }
        case "100225":
            return "final", more | sent | {"needs_telling": True, "cut_at": ahead(0.5)}
        case "100204":
            return state, more | {"zero_at": ahead(6)}
        case "100211":
            return state, more | {"can_cut": False}
    kept = {"since": instant_text(now - timedelta(days=20)), "renewed": 4, "by": ["王敏"]}
    both = [protection(now=now), protection("dispute", 30, now, why="读数有疑问")]
    return state, more | {"protections": both, "kept": kept}


def history(stage: Stage, account: str, meter: str, now: datetime) -> None:
    """Entries and a day and a half of readings, with a hole."""

    def ago(**span: float) -> datetime:
        return now - timedelta(**span)

    stage.entry(
        "opening-balance/1",
        {"account": account, "balance_after_nano": 61_580_000_000},
        at=ago(days=5),
        amount_nano=61_580_000_000,
    )
    top = {
        "account": account,
        "amount_fen": 20000,
        "method": "cash",
        "receipt": "20261116-0041",
        "balance_after_nano": 261_580_000_000,
    }
    stage.entry("topup/1", top, at=ago(days=4), amount_nano=200 * YUAN)
    balance = 261_580_000_000
    for days in (3, 2, 1, 0):
        body = charge(account, meter, days, now=now)
        balance -= body["amount_nano"]
        body["balance_after_nano"] = balance
        seq = stage.entry("charge/1", body, at=ago(days=days, hours=14), amount_nano=-body["amount_nano"])
        date = f"{ago(days=days + 1):%Y-%m-%d}"
        stage.entry(
            "closing/1",
            {"account": account, "date": date, "charges": [f"e:{seq}"], "deferred": []},
            at=ago(days=days, hours=14),
        )
    for level, hours, limit in ((1, 40, 50), (2, 20, 20), (3, 4, 10)):
        body = {
            "account": account,
            "level": level,
            "threshold_nano": limit * YUAN,
            "available_nano": limit * YUAN - 310_000_000,
        }
        stage.entry("level/1", body, at=ago(hours=hours))
    cut_at = instant_text(now + timedelta(minutes=29, seconds=48))
    stage.entry(
        "final/1",
        {"account": account, "episode": 1, "available_nano": 3_180_000_000, "zero_at": cut_at, "cut_at": cut_at},
        at=ago(minutes=1),
    )
    stage.entry(
        "delivered/1", {"account": account, "episode": 1, "channel": "lamp", "powered_s": 9}, at=ago(seconds=50)
    )
    points = []
    for step in range(36 * 12):
        moment = now - timedelta(minutes=5 * (36 * 12 - step))
        hour = (moment.hour + 8) % 24
        if not (hour == 4 and 10 < moment.minute < 50):
            base = 5200 if hour in (11, 12, 18, 19) else 2600 if 8 < hour < 22 else 700
            points.append((moment, base + random.randint(-300, 300)))
    stage.readings(meter, points)


def main(port: int) -> None:
    from werkzeug.serving import make_server

    clock = ScaledClock(datetime(2026, 11, 20, 6, 50, 12, tzinfo=UTC), _monotonic_ns(), 1.0)
    with tempfile.TemporaryDirectory() as directory:
        stage = Stage(Path(directory), clock, demo=Demo("100206", 50_000))
        link = AnsweringLink()
        link.stage = stage
        stage.feed.attach(link)
        fill(stage)
        one_time = stage.users.add("show", "manager")
        user = stage.users.named("show")
        assert user is not None
        stage.users.change_password(user, one_time, "show me the panel", "show me the panel")
        print(f"http://127.0.0.1:{port}/  user show, password: show me the panel", flush=True)
        make_server("127.0.0.1", port, stage.app, threaded=True).serve_forever()


def _monotonic_ns() -> int:
    import time

    return time.monotonic_ns()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8089)
