"""The demo mall: both of its files describe one building, and its prepared tenant runs out on time."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bridge.contract import site_file
from bridge.contract.clock import ENVIRONMENT
from firmware_sim.loads import WUS_PER_WH
from firmware_sim.shaft import Shaft, load

DEMO = Path(__file__).parents[2] / "firmware_sim" / "demo"
START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
MINUTES_TO_MIDNIGHT = 810


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    return tomllib.loads((DEMO / "site.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shaft() -> Shaft:
    return load(DEMO / "shaft.toml", START)


@pytest.fixture(scope="module")
def balances(site, shaft) -> dict[str, list[Fraction]]:
    """Each account's balance in yuan at the start and after each minute until the first midnight, exactly."""
    tariffs = {row["id"]: row for row in site["tariffs"]}
    lines: dict[str, list[Fraction]] = {}
    for account in site["accounts"]:
        tariff = tariffs[account["tariff"]]
        names = ("sharp", "peak", "flat", "valley")
        prices = [Fraction(tariff["price"] if tariff["kind"] == "single" else tariff["prices"][name]) for name in names]
        meters = [shaft.meters[meter].metrology for meter in account["meters"]]
        before = [list(meter.rates_wus) for meter in meters]
        opening = Fraction(account["opening"])
        lines[account["id"]] = [opening]
        for minute in range(1, MINUTES_TO_MIDNIGHT + 1):
            spent = Fraction(0)
            for meter, rates in zip(meters, before, strict=True):
                meter.advance(round((START + timedelta(minutes=minute)).timestamp() * 1_000_000))
                used = [now - then for now, then in zip(meter.rates_wus, rates, strict=True)]
                spent += sum(Fraction(wus, WUS_PER_WH * 1000) * price for wus, price in zip(used, prices, strict=True))
            lines[account["id"]].append(opening - spent)
    return lines


def first_below(balance: list[Fraction], limit: str) -> int:
    return next(minute for minute, yuan in enumerate(balance) if yuan <= Fraction(limit))


def test_the_site_file_is_one_the_gateway_accepts(site):
    """The demo starts with the file as it stands."""
    read = site_file.load(DEMO / "site.toml")
    assert len(read.meters) == len(site["meters"]) == 26 and len(read.accounts) == 24


def test_shaft_and_site_describe_the_same_installation():
    """Every meter in the shaft is in the site file with its line, protocol, speed, parity, address and serial."""
    site = tomllib.loads((DEMO / "site.toml").read_text(encoding="utf-8"))
    shaft = tomllib.loads((DEMO / "shaft.toml").read_text(encoding="utf-8"))
    wires = [(row["id"], row["protocol"], row["baud"], row["parity"]) for row in shaft["lines"]]
    assert [(row["id"], row["protocol"], row["baud"], row["parity"]) for row in site["ports"]] == wires
    assert [row["device"] for row in site["ports"]] == [f"sim/{row['id']}" for row in shaft["lines"]]

    def identity(row: dict[str, Any], line: str) -> tuple[Any, ...]:
        return row["id"], row["model"], row[line], row["address"], row.get("serial")

    assert [identity(row, "port") for row in site["meters"]] == [identity(row, "line") for row in shaft["meters"]]
    counts = {line: sum(row["line"] == line for row in shaft["meters"]) for line, *_ in wires}
    assert counts == {"line-1": 9, "line-2": 11, "line-3": 6}


def test_day_tables_equal_the_tariffs_windows():
    """A time-of-use tenant is billed from rate registers whose table is the tariff's, so it must be (R28)."""
    site = tomllib.loads((DEMO / "site.toml").read_text(encoding="utf-8"))
    shaft = tomllib.loads((DEMO / "shaft.toml").read_text(encoding="utf-8"))
    tables = {row["name"]: row["windows"] for row in shaft["day_tables"]}
    meters = {row["id"]: row for row in shaft["meters"]}
    tariffs = {row["id"]: row for row in site["tariffs"]}
    seen = set()
    for account in site["accounts"]:
        tariff = tariffs[account["tariff"]]
        seen.add(tariff["kind"])
        for meter in account["meters"]:
            if tariff["kind"] == "tou":
                windows = [{"from": row["from"], "rate": row["rate"]} for row in tariff["windows"]]
                assert tables[meters[meter]["day_table"]] == windows and meters[meter]["model"].startswith("dlt645")
                ends = [row["to"] for row in tariff["windows"]]
                assert ends == [*[row["from"] for row in tariff["windows"][1:]], "24:00"]
            else:
                assert meters[meter]["day_table"] == "flat"
    assert seen == {"tou", "single"}


def test_registers_in_the_shaft_file_add_up():
    """Total and rates of every meter begin in agreement."""
    shaft = tomllib.loads((DEMO / "shaft.toml").read_text(encoding="utf-8"))
    for row in shaft["meters"]:
        total, *rates = (Decimal(text) for text in row["registers"])
        assert total == sum(rates), row["id"]


def test_the_prepared_tenant_runs_out_on_time(site, balances):
    """Who watches sees A206 warned after 10, 35 and 60 minutes, for the last time near 82, and at zero near 112."""
    levels, balance = site["policy"]["levels"], balances["100206"]
    crossed = [first_below(balance, level) for level in levels]
    zero = first_below(balance, site["policy"]["cut_at"])
    assert 8 <= crossed[0] <= 12 and 32 <= crossed[1] <= 38 and 57 <= crossed[2] <= 63
    assert 110 <= zero <= 115
    # The final warning goes out when the balance lasts 30 minutes at the pace of the last quarter of an hour.
    final = next(
        minute
        for minute in range(15, zero)
        if balance[minute] - Fraction(site["policy"]["cut_at"]) <= 2 * (balance[minute - 15] - balance[minute])
    )
    assert crossed[2] < 75 <= final <= 85


def test_only_one_other_tenant_reaches_zero_before_midnight_and_that_in_protected_time(site, balances):
    """One tenant slips into arrears after 22:00, one only to its second level, all others have a quiet day."""
    first, second, _ = site["policy"]["levels"]
    below = {name: balance for name, balance in balances.items() if balance[-1] <= Fraction(first)}
    assert set(below) == {"100206", "100208", "100212"}
    assert min(balances["100208"]) > Fraction("25.50") and balances["100208"][-1] < Fraction(second)
    assert first_below(balances["100212"], "0") > 11.5 * 60
    assert next(row for row in site["meters"] if row["id"] == "b202")["relay"] != "none"


def test_the_meters_remember_the_midnights_before_the_demo(shaft):
    """A gateway that starts at 10:30 finds the freezes of the days before."""
    fresh = load(DEMO / "shaft.toml", START)
    for meter in fresh.meters.values():
        newest = meter.metrology.freeze_back(1)
        assert newest is not None and newest[0].isoformat() == "2026-11-20" and len(meter.metrology.freezes) == 7


# -- as a program --------------------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Any]:
    """Starts `python -m firmware_sim` and hands over the process and its ports; ends what is left."""
    started: list[subprocess.Popen[str]] = []

    def run(*more: str, **environ: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "firmware_sim", "--run", str(tmp_path / "run"), "--json", *more],
            cwd=DEMO.parents[1],
            env={**os.environ, ENVIRONMENT: "", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 20)[0]
        line = process.stdout.readline()
        return process, json.loads(line) if line else {}

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.processes
def test_the_program_tells_its_ports_and_ends_clean(program, tmp_path):
    """Started from a script it names its ports in one line of JSON; Ctrl-C saves the meters and removes the ports."""
    process, told = program(RISER_PARENT=str(os.getpid()))
    assert [(port["id"], port["baud"], len(port["meters"])) for port in told["ports"]] == [
        ("line-1", 2400, 9),
        ("line-2", 9600, 11),
        ("line-3", 9600, 6),
    ]
    assert all(Path(port["path"]).resolve() == Path(port["device"]) for port in told["ports"])
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 0 and errors == ""
    assert not (tmp_path / "run" / "line-1").is_symlink()
    assert len(json.loads((tmp_path / "run" / "state.json").read_text())["meters"]) == 26


@pytest.mark.processes
def test_a_killed_program_finds_its_meters_again(program):
    """After kill -9 the same registers go on, and the stale ports are replaced."""
    process, told = program()
    before = json.loads(Path(told["state"]).read_text())["meters"]["a206"]["metrology"]["total_wus"]
    process.kill()
    process.wait()
    _, told = program()
    after = json.loads(Path(told["state"]).read_text())["meters"]["a206"]["metrology"]["total_wus"]
    assert before <= after < before + 28_000 * 1.05 * 60_000_000
    assert Path(told["ports"][0]["path"]).resolve() == Path(told["ports"][0]["device"])


@pytest.mark.processes
@pytest.mark.parametrize(
    ("more", "environ", "words"),
    [
        (("--fault", "smoke:a101"), {}, "is not understood"),
        (("--shaft", "/nowhere.toml"), {}, "No such file"),
        ((), {"RISER_PARENT": "1234567"}, "gone already"),
        ((), {ENVIRONMENT: "yesterday"}, "is not understood"),
    ],
)
def test_bad_input_ends_with_one_sentence(program, more, environ, words):
    """What cannot be used is said in a sentence, with exit code 2."""
    process, _ = program(*more, **environ)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2 and words in errors and errors.count("\n") == 1


@pytest.mark.processes
def test_it_does_not_outlive_its_parent(tmp_path):
    """When the program that started it is killed, no simulator stays behind on the ports."""
    script = (
        "import os, subprocess, sys\n"
        "os.environ['RISER_PARENT'] = str(os.getpid())\n"
        "child = subprocess.Popen([sys.executable, '-m', 'firmware_sim', '--run', sys.argv[1], '--json'],"
        " stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "run")],
        cwd=DEMO.parents[1],
        env={**os.environ, ENVIRONMENT: ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    ended, _, _ = select.select([child], [], [], 10)
    os.close(child)
    assert ended
