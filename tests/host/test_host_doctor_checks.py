"""The doctor on everything but the line: clock, broker, disk, book and site file, accounts, rights, programs, panel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract import messages as m
from host import site_check
from host.doctor.findings import Finding
from host.doctor.seen import (
    BrokerSeen,
    ClockSeen,
    DiskSeen,
    Facts,
    Place,
    PortsSeen,
    PrivateFile,
    ProgramsSeen,
    RegistrySeen,
    SecretsSeen,
    SiteSeen,
    Snapshot,
    User,
)
from host.doctor.site import NO_APPLY
from tests.host.doctor_snapshots import (
    DATA,
    MODELS,
    NOW,
    PI,
    adapter,
    broker,
    facts,
    found,
    info,
    only,
    port,
    row,
    run,
    site,
    site_seen,
    snapshot,
)

# --- clock ---


def test_an_unsynchronised_clock_and_what_follows_from_it() -> None:
    """The kernel's no means that no day is closed and nobody cut; the site file may say otherwise."""
    unsure = ClockSeen(NOW, False, True)
    told = only(snapshot(clock=unsure))
    assert told.severity == "wrong" and "closes no day and cuts nobody" in told.sentence
    assert told.command == "sudo timedatectl set-ntp true"
    always = only(snapshot(clock=unsure, site=site_seen(more='[clock]\ntrust = "always"\n')))
    assert always.severity == "worth knowing"
    demo = only(snapshot(clock=unsure, place=Place(DATA, PI, PI, owner="pi", demo=True)))
    assert demo.severity == "worth knowing"


def test_the_same_doubt_is_told_once() -> None:
    """Kernel and gateway say the same: one thing is wrong, not three."""
    doubt = info(
        clock_trusted=False, clock_why="not synchronised since start", mode="time", mode_why="not synchronised"
    )
    told = found(snapshot(clock=ClockSeen(NOW, False, True), broker=broker(facts=facts(info=doubt))))
    assert [each.severity for each in told] == ["wrong", "worth knowing"]


def test_a_clock_before_the_book_is_the_gateways_own_doubt() -> None:
    """The kernel is content and the gateway is not: its reason is told."""
    doubt = info(clock_trusted=False, clock_why="the clock stands before the newest entry of the book")
    assert "before the newest entry" in only(snapshot(broker=broker(facts=facts(info=doubt)))).sentence


def test_a_clock_that_most_meters_contradict_is_looked_at() -> None:
    """It is synchronised and trusted, and most meters agree on another time: somebody compares it with a watch."""
    doubt = info(clock_doubt="most meters agree with each other on a time -240 s from the gateway's")
    told = only(snapshot(broker=broker(facts=facts(info=doubt))))
    assert told.severity == "wrong" and "-240 s" in told.sentence and told.command == "timedatectl timesync-status"


@pytest.mark.parametrize("year", [1970, 2025, 2100])
def test_an_impossible_year(year: int) -> None:
    """A clock that was never set is told by its year."""
    told = only(snapshot(clock=ClockSeen(datetime(year, 5, 1, tzinfo=UTC), True, True)))
    assert told.severity == "wrong" and f"the year {year}" in told.sentence


def test_a_clock_behind_the_book_itself() -> None:
    """The book was written an hour after "now": the clock has gone back. A correction of minutes is none."""
    late = ClockSeen(NOW, True, True, newest_file_at=NOW + timedelta(hours=1))
    assert "has gone back" in only(snapshot(clock=late)).sentence
    assert found(snapshot(clock=replace(late, newest_file_at=NOW + timedelta(minutes=5)))) == []


def test_a_machine_without_a_clock_chip() -> None:
    """Worth knowing before the first power cut, not after it."""
    assert "no clock chip (RTC)" in only(snapshot(clock=ClockSeen(NOW, True, False))).sentence


# --- broker ---


@pytest.mark.parametrize(
    ("changes", "words", "remedy"),
    [
        ({"listening": False}, "mqtt://127.0.0.1:1883 is not reachable", "log/broker.log"),
        (
            {"let_in": False, "refused": "Not authorized"},
            "does not let us in: Not authorized",
            "writes the logins anew",
        ),
        ({"let_in": False}, "or is no MQTT broker", ""),
        ({"no_login": "shell.json is damaged"}, "could not be asked: shell.json is damaged", ""),
        ({"facts": Facts()}, "never heard of this gateway", "edge.log"),
        ({"facts": facts(version="mosquitto version 1.6.9")}, "is version mosquitto version 1.6.9", ""),
        ({"facts": facts(strange=("riser/east/info",), info=None)}, "not understood: riser/east/info", ""),
        ({"program": None}, "Mosquitto, the broker, is not installed", ""),
    ],
)
def test_the_broker_of_ours(changes: dict[str, Any], words: str, remedy: str) -> None:
    """Each way in which the broker may fail has its own sentence."""
    told = only(snapshot(broker=broker(**changes)))
    assert told.severity == "wrong" and words in told.sentence and remedy in told.remedy


FOREIGN = ('gateway = "east"', 'gateway = "east"\n[broker]\nurl = "mqtt://10.0.0.9"')


def test_a_foreign_broker_is_named_with_its_address() -> None:
    """Not reachable: its address and what to look at there. In clear text over a network: worth knowing."""
    seen = BrokerSeen(asked=True, ours=False, url="mqtt://10.0.0.9")
    unreachable, clear = sorted(
        found(snapshot(broker=seen, site=site_seen(FOREIGN))), key=lambda each: each.severity, reverse=True
    )
    assert "site file, mqtt://10.0.0.9, is not reachable" in unreachable.sentence
    assert clear.severity == "worth knowing" and "without TLS" in clear.sentence


def test_a_broker_on_another_port_than_written() -> None:
    """1883 was taken by Debian's own service: clients at the usual port reach the wrong broker."""
    told = only(snapshot(broker=broker(url="mqtt://127.0.0.1:1884")))
    assert told.severity == "worth knowing" and told.command == "sudo systemctl disable --now mosquitto"


def test_a_mode_other_than_normal_is_told_with_its_reason_and_cure() -> None:
    """Mode recovery cuts nobody, says why, and says who ends it; a caught brake needs a named person."""
    told = only(snapshot(broker=broker(facts=facts(info=info(mode="recovery", mode_why="entry 9 is missing")))))
    assert "mode recovery and cuts nobody: entry 9 is missing" in told.sentence and "--recovered-by" in told.remedy
    brake = only(snapshot(broker=broker(facts=facts(info=info(brake="5 meters were cut")))))
    assert brake.command.startswith("./riser request brake")


# --- disk ---


def disk(**changes: Any) -> Finding:
    seen = DiskSeen("/", "ext4", 9 * 10**9, 16 * 10**9, 10**6, 10**6, False, {"book": 10**6, "logs": 10**7}, (0.004,))
    return only(snapshot(disk=replace(seen, **changes)))


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({"free": 10**6}, "wrong", "/ is full: 1.0 MB of 16.0 GB are left"),
        ({"free": 5 * 10**8}, "worth knowing", "500.0 MB of 16.0 GB are left"),
        ({"inodes_free": 3}, "wrong", "only 3 more files"),
        ({"read_only": True}, "wrong", "is read-only"),
        ({"kind": "tmpfs"}, "wrong", "is in memory (tmpfs)"),
        ({"kind": "overlay"}, "wrong", "on an overlay"),
        ({"kind": "vfat"}, "wrong", "on vfat, which knows no owners"),
        ({"kind": "nfs4"}, "wrong", "on a network drive (nfs4)"),
        ({"fsync_s": (0.2, 0.3, 0.9)}, "worth knowing", "300.0 ms, at worst 900.0 ms"),
        ({"fsync_s": (2.0, 3.0)}, "wrong", "cuts will be withdrawn"),
        ({"book_begun": True}, "wrong", "book.db is missing"),
        ({"book_begun": True, "book_size": 0}, "wrong", "book.db is empty"),
        (
            {"book_begun": True, "restore_unfinished": "give it again"},
            "wrong",
            "was not finished; Riser does not start",
        ),
    ],
)
def test_the_disk(changes: dict[str, Any], severity: str, words: str) -> None:
    """Full, out of inodes, read-only, in memory, without owners, over a network, slow, without its book."""
    told = disk(**changes)
    assert told.severity == severity and words in told.sentence and told.remedy


def test_what_fills_the_disk_is_named() -> None:
    """The largest of our own files is named first."""
    assert "Largest here: logs with 10.0 MB" in disk(free=10**6).remedy


def test_a_file_system_that_counts_no_inodes_is_not_full() -> None:
    """vfat and btrfs count none; that is no shortage."""
    shot = snapshot()
    assert shot.disk is not None
    assert found(replace(shot, disk=replace(shot.disk, inodes_free=None, inodes=None))) == []


# --- book and site file ---


def registry(**changes: Any) -> RegistrySeen:
    meter = {"protocol": "dlt645-2007", "rates": True, "by": "site file"}
    meters = {row.id: {**row.model_dump(), **meter} for row in site().meters}
    account = {**site().accounts[0].model_dump(exclude={"opening"}), "since": "x"}
    tariff = {"name": "Shop", "price_kind": "single", "prices_micro": {"total": 850_000}, "windows": [], "version": 1}
    return replace(RegistrySeen(5, "e", meters, {"7": account}, {"shop": tariff}), **changes)


def test_book_and_site_file_that_agree() -> None:
    """The copy of the book and the file it was filled from have no difference, in whatever form each writes it."""
    assert found(snapshot(registry=registry())) == []
    tou = 'kind = "tou"\nprices = { peak = "1.02", valley = "0.3" }\nwindows = [ { from = "00:00", to = "08:00", '
    tou += 'rate = "valley" }, { from = "08:00", to = "24:00", rate = "peak" } ]'
    windows = [{"from": 0, "to": 480, "rate": "valley"}, {"from": 480, "to": 1440, "rate": "peak"}]
    booked = {"name": "Shop", "price_kind": "tou", "prices_micro": {"peak": 1_020_000, "valley": 300_000}}
    seen = site_seen(('kind = "single"\nprice = "0.85"', tou))
    assert found(snapshot(site=seen, registry=registry(tariffs={"shop": {**booked, "windows": windows}}))) == []


@pytest.mark.parametrize(
    ("swap", "words"),
    [
        (
            ('"202603110101"', '"202603110109"'),
            "Meter a101: address in the book is 202603110101, in the site file 202603110109.",
        ),
        (('name = "Tea"', 'name = "Coffee"'), "Account 7: name in the book is Tea, in the site file Coffee."),
        (('"0.85"', '"0.90"'), "Tariff shop: prices in the book is total 0.8500, in the site file total 0.9000."),
        (('"a101", "a102"]', '"a102"]'), "Account 7: meters in the book is a101, a102, in the site file a102."),
    ],
)
def test_a_field_that_differs(swap: tuple[str, str], words: str) -> None:
    """Both values are told, that the book wins, and what can be done: a price is proposed as a new version, and
    nothing else of the book can be changed by this version yet."""
    told = [each for each in found(snapshot(site=site_seen(swap), registry=registry())) if each.group != "accounts"]
    assert [each.sentence for each in told] == [words]
    assert told[0].severity == "worth knowing" and "book wins" in told[0].remedy
    if words.startswith("Tariff"):
        assert told[0].command.startswith("./riser price propose FILE --tariff shop")
    else:
        assert NO_APPLY in told[0].remedy


def test_a_telephone_number_is_not_shown() -> None:
    """A changed number is told without any number: a terminal is read over shoulders."""
    told = only(snapshot(site=site_seen(('"13800000000"', '"13900000000"')), registry=registry()))
    assert "phone" in told.sentence and "1380" not in told.sentence and "1390" not in told.sentence


def test_what_stands_on_one_side_only() -> None:
    """A meter that is only in the site file is not read, one that is only in the book still is; both are said."""
    book = registry()
    del book.meters["a102"]
    book.meters["old"] = {**book.meters["a101"], "address": "5"}
    told = [each for each in found(snapshot(registry=book)) if each.about == "meter"]
    assert "Only in the book, not in the site file: meter old." in told[0].sentence
    assert "Only in the site file, not in the book: meter a102." in told[1].sentence
    assert "not read and not billed" in told[1].remedy


def test_a_tenant_who_moved_in_stands_in_the_book_alone() -> None:
    """That is told as other differences are, with what is so: the book wins; and a table that only the file has bills
    nobody, because a tenant moves in by two people."""
    book = registry()
    book.accounts["7-2"] = {**book.accounts.pop("7"), "account": "7-2", "by": "people", "proposal": "p-9"}
    told = [each for each in found(snapshot(registry=book)) if each.about == "account"]
    assert [each.severity for each in told] == ["worth knowing", "worth knowing"]
    assert told[0].sentence == "Only in the book, not in the site file: account 7-2."
    assert "The book wins: who moved in while it ran is billed" in told[0].remedy
    assert told[1].sentence == "Only in the site file, not in the book: account 7."
    assert "Nobody is billed by it" in told[1].remedy and "move-in" in told[1].remedy


def test_a_price_that_began_in_the_panel_stands_in_the_book_alone() -> None:
    """It counts, and is to be written into the site file; one that only the file has is proposed and approved."""
    book = registry()
    book.tariffs["night"] = book.tariffs.pop("shop")
    told = [each for each in found(snapshot(registry=book)) if each.about == "tariff"]
    assert told[0].sentence == "Only in the book, not in the site file: tariff night."
    assert "It counts" in told[0].remedy and NO_APPLY not in told[0].remedy
    assert told[1].sentence == "Only in the site file, not in the book: tariff shop."
    assert "price propose" in told[1].remedy and NO_APPLY not in told[1].remedy


def test_wiring_that_the_gateway_refuses() -> None:
    """A port renamed, or with another protocol than its meters in the book: the gateway would not start."""
    renamed = site_seen(('id = "line-1"', 'id = "line-9"'), ('port = "line-1"', 'port = "line-9"'))
    told = [each for each in found(snapshot(site=renamed, registry=registry(), ports=None)) if each.severity == "wrong"]
    assert len(told) == 2 and "on port line-1, and the site file has no such port" in told[0].sentence
    spoken = registry()
    spoken.meters["a101"]["protocol"] = "modbus-rtu"
    assert "port line-1 speaks dlt645-2007" in only(snapshot(registry=spoken)).sentence


def test_a_damaged_copy_is_not_a_damaged_book() -> None:
    """registry.json is only a copy: worth knowing, never alarming. A copy of another book is alarming."""
    damaged = only(snapshot(registry=RegistrySeen(trouble="it is damaged")))
    assert damaged.severity == "worth knowing" and "the book is not touched" in damaged.sentence
    assert only(snapshot(registry=registry(epoch="another"))).severity == "wrong"


def test_every_mistake_of_the_site_file_and_a_missing_one() -> None:
    """Each mistake is a finding; without any site file the way to name one is told."""
    bad = snapshot(site=SiteSeen(Path("/etc/site.toml"), None, ("a: x", "b: y"), MODELS))
    assert [each.sentence for each in found(bad)] == ["/etc/site.toml: a: x", "/etc/site.toml: b: y"]
    assert "No site file" in only(snapshot(site=SiteSeen(None))).sentence


def test_a_book_of_another_zone() -> None:
    """A day of the book begins in its own zone; a site file that says another is wrong."""
    told = only(snapshot(broker=broker(facts=facts(info=info(zone="Europe/Berlin")))))
    assert 'zone = "Europe/Berlin"' in told.remedy


# --- accounts ---


def account(can_cut: bool) -> m.Account:
    return m.Account(
        at="2026-11-20T04:00:00+00:00", state="on", balance=1.0, available_nano=1, posted_nano=1, provisional_nano=0,
        provisional_wh=0, level=0, episode=0, restore_above_nano=0, can_cut=can_cut,
    )  # fmt: skip


def test_accounts_that_are_never_cut_are_counted_and_named() -> None:
    """The running gateway says which account no warning can reach."""
    names = m.Accounts(
        accounts=[m.AccountRow(id="8", name="Gym", room="", phone="", tariff="shop", meters=["x"], since="x")]
    )
    told = only(snapshot(broker=broker(facts=facts(account={"7": account(True), "8": account(False)}, accounts=names))))
    assert told.severity == "worth knowing"
    assert "1 of 2 accounts is never cut: 8 (Gym)." in told.sentence


def test_never_cut_is_known_without_a_running_gateway() -> None:
    """Stopped: the book's copy and the edge's own table of models say the same; without a book, the site file."""
    without_lamp = registry()
    for meter in without_lamp.meters.values():
        meter |= {"model": "eastron-sdm630", "relay": "none"}
    unplugged = [(f'"20260311010{n}"', f'"20260311010{n}"\nrelay = "none"') for n in (1, 2)]
    for book, seen in ((without_lamp, site_seen()), (RegistrySeen(missing=True), site_seen(*unplugged))):
        shot = snapshot(run=None, broker=None, registry=book, site=seen)
        told = [each for each in found(shot) if each.group == "accounts"]
        assert len(told) == 1 and "1 of 1 account is never cut: 7 (Tea)" in told[0].sentence


def test_meters_that_nobody_pays_for() -> None:
    """A meter without an account is read and not billed."""
    loose = m.Meters(meters=[row("a101"), row("a102", account=None)])
    assert "1 meter without an account" in only(snapshot(broker=broker(facts=facts(meters=loose)))).sentence


# --- rights, secrets, panel, programs ---


def test_secrets_that_others_may_read() -> None:
    """A file or folder with a wide mode or of another owner comes with the line that mends it."""
    wide = SecretsSeen((PrivateFile("/s/", 0o755, "pi", 1000), PrivateFile("/s/edge.json", 0o644, "pi", 1000)))
    folder, file = found(snapshot(secrets=wide))
    assert (folder.command, file.command) == ("sudo chmod 700 /s/", "sudo chmod 600 /s/edge.json")
    told = only(snapshot(secrets=SecretsSeen((PrivateFile("/s/edge.json", 0o600, "root", 0),))))
    assert told.command == "sudo chown pi: /s/edge.json"


def test_passwords_that_were_never_changed() -> None:
    """The meters' factory password and the panel's first one are worth knowing; neither is shown."""
    told = found(snapshot(secrets=SecretsSeen(factory_passwords=True, first_password_file="/d/first-password.txt")))
    assert [(each.severity, each.group) for each in told] == [("worth knowing", "rights"), ("worth knowing", "panel")]


def test_a_data_directory_of_somebody_else() -> None:
    """It is said once what could not be seen, and how to look again as its owner, with the same options."""
    me = User(1001, "guest")
    place = Place(DATA, me, PI, owner="pi", command="./riser doctor --data /srv/riser")
    told = only(snapshot(place=place, unseen=("the broker", "the secrets"), broker=None, secrets=None))
    assert "belongs to pi; you are guest and have no right to look at the broker, the secrets." in told.sentence
    assert (told.severity, told.command) == ("wrong", "sudo -u pi ./riser doctor --data /srv/riser")
    closed = Snapshot(replace(place, readable=False), None, SiteSeen(None), NOW)
    assert [each.severity for each in found(closed)] == ["wrong", "worth knowing"]
    assert not any("does not run" in each.sentence for each in found(closed)), "that could not be seen"


def test_a_program_that_does_not_run_says_why() -> None:
    """Its last complaint is told beside it; many restarts are worth knowing."""
    words = ProgramsSeen((3, 11, 2), (3, 51, 3), "0.1.0", last_words={"edge": "the book is of gateway west"})
    told = only(snapshot(run=run(edge="restarting"), programs=words))
    assert told.sentence == "The edge is restarting. It said: the book is of gateway west"
    often = run(edge="running")
    often.programs["edge"]["restarts"] = 3
    assert "started again 3 times" in only(snapshot(run=often)).sentence


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({"python": (3, 9, 2)}, "wrong", "Python 3.9.2 is too old"),
        ({"sqlite": (3, 40, 1)}, "worth knowing", "SQLite 3.40.1 is older than 3.51.3"),
        ({"packages": {"flask": ("3.1.3", None)}}, "wrong", "missing: flask"),
        ({"packages": {"flask": ("3.1.3", "2.0")}}, "worth knowing", "flask 2.0 instead of 3.1.3"),
        ({"panel_answers": False}, "wrong", "The panel does not answer at http://127.0.0.1:8080"),
        ({"version": "0.2.0"}, "worth knowing", "version 0.1.0, the programs here are 0.2.0"),
    ],
)
def test_python_packages_and_panel(changes: dict[str, Any], severity: str, words: str) -> None:
    """Too old, missing, another version than tested, not answering, upgraded and not started again."""
    seen = ProgramsSeen((3, 11, 2), (3, 51, 3), "0.1.0", panel_answers=True)
    told = only(snapshot(programs=replace(seen, **changes)))
    assert told.severity == severity and words in told.sentence


def test_another_sites_file_is_one_sentence() -> None:
    """Doctor with the site file of another building: no port and no book is compared, and what to do is said."""
    other = site_seen(('gateway = "east"', 'gateway = "west"'), ('id = "line-1"', 'id = "bus-9"'))
    shot = replace(snapshot(), site=other, ports=PortsSeen((replace(port(), id="bus-9", exists=False),), (adapter(),)))
    told = [each for each in found(shot) if each.group in ("ports", "book and site file")]
    assert len(told) == 1 and told[0].severity == "wrong"
    assert "is of the gateway west, and in" in told[0].sentence and "the gateway east runs" in told[0].sentence
    assert "--data" in told[0].remedy


def test_a_book_without_one_meter_of_the_site_file_is_one_sentence() -> None:
    """Riser stands still, and not one meter is in both: hundreds of differences would hide the one mistake."""
    shot = replace(snapshot(), run=None, broker=None, registry=RegistrySeen(meters={"z9": {"port": "line-1"}}))
    (told,) = [each for each in found(shot) if each.group == "book and site file"]
    assert "has 1 meter and /etc/site.toml has 2, and not one is in both" in told.sentence


SAME = ("[site]\n", '[policy]\ncut_at = "2.00"\nrestore_above = "2.00"\n[site]\n')


def test_the_same_amount_for_cut_and_return_is_wrong_and_says_what_to_write() -> None:
    """R6: the doctor tells it of a gateway that runs on such a file, and what it goes by until it is mended."""
    told = found(snapshot(site=site_seen(SAME)))
    (finding,) = [each for each in told if each.about == "policy.restore_above"]
    assert finding.severity == "wrong" and 'restore_above = "3.00"' in finding.sentence
    assert not [each for each in found(snapshot(site=site_seen())) if each.about == "policy.restore_above"]


def test_the_same_amount_is_no_good_site_file() -> None:
    """`riser site check` refuses it with the amount to write, for people and for programs: exit code 2."""
    checked = site_check.Checked(Path("/etc/site.toml"), site(SAME))
    assert site_check.code(checked) == 2 and not site_check.as_json(checked)["good"]
    head, line = site_check.told(checked)
    assert "1 mistake" in head and line.startswith("  policy.restore_above is the same as cut_at")
    assert site_check.as_json(checked)["mistakes"] == [line.strip()]
    assert site_check.code(site_check.Checked(Path("/etc/site.toml"), site())) == 0
