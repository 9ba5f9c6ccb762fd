"""The doctor on ports and meters: what an electrician reads when a line or a meter does not work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.contract import messages as m
from bridge.contract.port_statistics import ErrorCounts
from host.doctor.findings import Finding
from host.doctor.seen import Holder, PortsSeen, SiteSeen, Snapshot
from tests.host.doctor_snapshots import (
    FTDI,
    adapter,
    broker,
    facts,
    found,
    info,
    line,
    on_port,
    only,
    port,
    port_facts,
    relay,
    row,
    silent,
    site_seen,
    snapshot,
    values,
)


def stopped(seen: PortsSeen, site: SiteSeen | None = None) -> Snapshot:
    """Riser does not run; only the ports are looked at."""
    return snapshot(ports=seen, site=site or site_seen(), run=None, broker=None)


def about_ports(shot: Snapshot) -> Finding:
    told = [each for each in found(shot) if each.group in ("ports", "rights")]
    assert len(told) == 1, told
    return told[0]


def live(**changes: object) -> Snapshot:
    return snapshot(broker=broker(facts=facts(**changes)))


def test_a_healthy_installation_has_nothing_to_read() -> None:
    """With everything as it should be nothing is wrong and nothing worth knowing."""
    assert found(snapshot()) == []


def test_a_missing_adapter_names_those_that_are_there() -> None:
    """The adapter is gone: it is named, and the ones no other port uses, by the names that stay."""
    told = about_ports(stopped(PortsSeen((port(exists=False, is_device=False),), (adapter(0), adapter(1)))))
    assert told.severity == "wrong"
    assert f"its device {FTDI} is not there" in told.sentence
    assert "/dev/serial/by-id/usb-FTDI_FT232R_A2 (FTDI FT232R)" in told.sentence
    assert "device of port line-1 in /etc/site.toml" in told.remedy


def test_an_adapter_of_another_port_is_not_offered() -> None:
    """Nobody is sent to give one line's adapter to another line."""
    site = site_seen(more='[[ports]]\nid = "line-2"\ndevice = "/dev/b"\nprotocol = "dlt645-2007"\n')
    ports = (port(exists=False, is_device=False, real="/dev/x"), replace(port(), id="line-2", real="/dev/ttyUSB0"))
    told = about_ports(stopped(PortsSeen(ports, (adapter(0),)), site))
    assert "belongs to another port" in told.sentence


def test_no_adapter_at_all_sends_to_the_kernels_log() -> None:
    """With nothing on USB the cable and the socket are to be tried."""
    told = about_ports(stopped(PortsSeen((port(exists=False, is_device=False),))))
    assert "No serial adapter at all" in told.sentence and told.command == "sudo dmesg | tail -20"


def test_a_name_that_may_change_is_worth_knowing_and_the_lasting_one_is_given() -> None:
    """/dev/ttyUSB0 works today: the by-id name of the very adapter behind it is offered."""
    seen = PortsSeen((port(device="/dev/ttyUSB0", path=Path("/dev/ttyUSB0")),), (adapter(),))
    told = about_ports(stopped(seen))
    assert told.severity == "worth knowing"
    assert 'device = "/dev/serial/by-id/usb-FTDI_FT232R_A1"' in told.remedy


def test_an_adapter_without_a_number_gets_the_name_of_its_socket_while_it_is_the_only_one() -> None:
    """The doctor gives the name that `riser service show` gives: a second CH340 would take the by-id name away."""
    alone = adapter(by_id=("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",), product="USB Serial", number=None)
    told = about_ports(stopped(PortsSeen((port(device="/dev/ttyUSB0", path=Path("/dev/ttyUSB0")),), (alone,))))
    assert 'device = "/dev/serial/by-path/platform-usb-0:1.0"' in told.remedy


def test_twins_without_a_serial_number_get_the_name_of_their_socket() -> None:
    """Two cheap adapters share one by-id name: only the USB socket tells them apart, in either direction."""
    shared = ("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",)
    twins = tuple(adapter(n, by_id=shared if n == 1 else (), product="USB Serial", number=None) for n in (0, 1))
    plain = port(device="/dev/ttyUSB1", real="/dev/ttyUSB1")
    told = about_ports(stopped(PortsSeen((plain,), twins)))
    assert 'device = "/dev/serial/by-path/platform-usb-0:1.1"' in told.remedy
    by_id = port(device=shared[0], real="/dev/ttyUSB1")
    told = about_ports(stopped(PortsSeen((by_id,), twins)))
    assert "may mean the other one" in told.sentence and "by-path/platform-usb-0:1.1" in told.remedy
    assert [each for each in found(stopped(PortsSeen((by_id,), twins[1:]))) if each.group == "ports"] == []


@pytest.mark.parametrize(
    ("changes", "command", "words"),
    [
        ({}, "sudo usermod -aG dialout pi", "sign in again"),
        ({"in_group": True}, "", "this session is older: sign out and in again"),
        (
            {"group": "root", "group_may": False, "mode": 0o600},
            "sudo chown root:dialout /dev/ttyUSB0 && sudo chmod 660 /dev/ttyUSB0",
            "udev rule",
        ),
    ],
)
def test_a_port_that_may_not_be_opened(changes: dict, command: str, words: str) -> None:
    """No right: the group and the very line to type; already in the group: sign in again; no group: a udev rule."""
    told = about_ports(stopped(PortsSeen((port(may_open=False, **changes),), (adapter(),))))
    assert (told.severity, told.group, told.command) == ("wrong", "rights", command)
    assert "pi may not open" in told.sentence and words in told.remedy


def test_a_port_held_by_another_program() -> None:
    """The program and its number are named; those that take ports by themselves are switched off for good."""
    told = about_ports(stopped(PortsSeen((port(holders=(Holder(4711, "minicom"),)),), (adapter(),))))
    assert told.severity == "wrong" and "held by minicom (process 4711)" in told.sentence
    assert told.command == "kill 4711"
    told = about_ports(stopped(PortsSeen((port(holders=(Holder(9, "ModemManager"),)),), (adapter(),))))
    assert told.command == "sudo systemctl disable --now ModemManager"


def test_two_ports_on_one_device() -> None:
    """One adapter under two names is told once, with both ports."""
    site = site_seen(more='[[ports]]\nid = "line-2"\ndevice = "/dev/b"\nprotocol = "modbus-rtu"\n')
    told = about_ports(stopped(PortsSeen((port(), replace(port(), id="line-2")), (adapter(),)), site))
    assert "Ports line-1 and line-2 are one and the same device, /dev/ttyUSB0" in told.sentence


def test_a_slow_latency_timer_is_told_while_the_port_works() -> None:
    """An adapter that holds each answer back 16 ms: the file to write. Before the start it is no matter."""
    slow = PortsSeen((port(latency_ms=16, latency_file="/sys/x/latency_timer"),), (adapter(),))
    assert only(snapshot(ports=slow)).command == "echo 1 | sudo tee /sys/x/latency_timer"
    assert [each for each in found(stopped(slow)) if each.group == "ports"] == []


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({"state": "closed", "why": "Input/output error"}, "wrong", "is closed: Input/output error"),
        ({"failed": 50}, "worth knowing", "5% of 1000 requests"),
        ({"failed": 300}, "wrong", "30% of 1000 requests"),
        ({"round_s": 1000.0}, "worth knowing", "takes 1000 s"),
        ({"baud": 9600}, "worth knowing", "runs with baud 9600, the site file says 2400"),
    ],
)
def test_what_the_running_port_says(changes: dict, severity: str, words: str) -> None:
    """Closed and why, too many errors, too slow a round, and a site file that was changed after the start."""
    told = only(live(info=info(port_facts(**changes))))
    assert told.severity == severity and words in told.sentence


def test_a_few_requests_prove_nothing() -> None:
    """Two failures in the first ten requests are no finding."""
    assert found(live(info=info(port_facts(asked=10, failed=5)))) == []


def test_a_cause_is_told_once() -> None:
    """A closed port whose adapter is missing is one finding, not two."""
    shot = replace(
        live(info=info(port_facts(state="closed", why="No such file"))),
        ports=PortsSeen((port(exists=False, is_device=False),)),
    )
    assert "is not there" in only(shot).sentence


# --- meters ---


def test_single_silent_meters_are_named_with_room_and_time() -> None:
    """One of two is silent: which, where, since when by the site's own clock; the line itself is not blamed."""
    told = only(live(availability={**facts().availability, "a102": silent()}))
    assert (told.severity, told.about) == ("wrong", "line-1")
    assert "1 of 2 meters silent: a102 (A102) since 10:31." in told.sentence
    assert "The line works" in told.remedy


def never_answered(*swaps: tuple[str, str]) -> Finding:
    dead = {"a101": silent(), "a102": silent()}
    unread = {id: m.MeterFacts(quality="unread") for id in dead}
    shot = live(availability=dead, values=unread, info=info(port_facts(read=0, failed=1000, protocol="dlt645-2007")))
    ports = [each for each in found(replace(shot, site=site_seen(*swaps))) if each.group == "meters"]
    assert len(ports) == 1
    return ports[0]


def test_a_line_that_never_answered_says_what_to_try_first() -> None:
    """Usual settings: swap A and B first. Unusual ones: they are the first suspect, with what such meters come with."""
    usual = never_answered()
    assert "none of its 2 meters has answered since the start" in usual.sentence
    assert usual.remedy.startswith("Try in this order: 1. swap A and B")
    odd = never_answered(('protocol = "dlt645-2007"', 'protocol = "dlt645-2007"\nbaud = 9600\nparity = "N"'))
    assert "1. baud and parity: the site file says 9600 8N1, such meters usually come with 2400 8E1" in odd.remedy
    assert "2. swap A and B" in odd.remedy


def test_a_line_that_fell_silent_is_not_sent_to_its_settings() -> None:
    """It answered until 10:31: what was done then in the shaft is asked, not baud and parity."""
    told = only(live(availability={"a101": silent(), "a102": silent("2026-11-20T02:32:00+00:00")}))
    assert "all 2 meters went silent about 10:31" in told.sentence
    assert "what was done in the shaft at that time" in told.remedy and "swap" not in told.remedy


def test_meters_before_their_first_round_are_not_called_silent() -> None:
    """Seconds after the start nobody is sent into the shaft."""
    told = only(live(availability={"a101": facts().availability["a101"]}))
    assert told.severity == "worth knowing" and "not heard yet since the start: a102" in told.sentence


def test_a_doubted_register_and_how_it_is_released() -> None:
    """Nothing is charged on it, why, and the line to type after looking at the meter."""
    told = only(live(values={"a101": values(quality="quarantined", quality_why="it went backwards"), "a102": values()}))
    assert told.severity == "wrong" and "nothing is charged: it went backwards" in told.sentence
    assert told.command == './riser request release meter=a101 why="seen at the meter"'


def test_relays_that_do_not_follow_or_moved_by_themselves() -> None:
    """Told several times and not moved: wrong. Open though nothing holds it: a person decides."""
    stuck = only(live(relays={"a101": relay(desired="open", following=False)}))
    assert stuck.severity == "wrong" and "to be open and is closed" in stuck.sentence
    moved = only(live(relays={"a101": relay(observed="open", observed_since="2026-11-20T03:00:00+00:00", why="w")}))
    assert moved.severity == "worth knowing" and "open since 11:00" in moved.sentence
    hold = m.HoldFacts(kind="manual", why="w", by="b", since="2026-11-20T03:00:00+00:00")
    assert found(live(relays={"a101": relay(desired="open", observed="open", holds=[hold])})) == []


def test_a_meters_own_clock() -> None:
    """Five minutes off is told (R25), a minute is not."""
    told = only(live(values={"a101": values(clock_offset_s=-7200), "a102": values(clock_offset_s=60)}))
    assert "Meter a101 (A101): its own clock is 120 minutes slow" in told.sentence
    assert "clock --set`" in told.remedy and "this version does not" not in told.remedy


def test_old_words_of_a_gateway_that_is_gone_are_not_believed() -> None:
    """Off line, the retained facts of yesterday are no findings of today; that it is off line is one."""
    dead = facts(status=m.Status(state="offline"), availability={"a101": silent(), "a102": silent()})
    told = only(snapshot(broker=broker(facts=dead)))
    assert told.sentence == "The gateway is off line."


def test_meters_on_no_line_of_the_gateway_are_passed_over() -> None:
    """A meter row of a port that the gateway does not name crashes nothing."""
    assert found(live(meters=m.Meters(meters=[row("a101"), row("a102", port="gone")]))) == []


def test_a_line_that_fails_too_often_names_its_worst_meter() -> None:
    """Above 5 % of failed questions: the meter, what came instead of answers, and where to look first."""
    bad = on_port("a102", failed=90, errors=ErrorCounts(noise=80, unfinished=10))
    often = info(port_facts(asked=1000, failed=200))  # Also since the start; that is not told a second time.
    told = only(live(info=often, lines={"line-1": line(on_port("a101", failed=1, errors=ErrorCounts(silent=1)), bad)}))
    assert told.severity == "wrong" and (told.group, told.about) == ("meters", "line-1")
    assert "11.4 % of the questions of the last 15 minutes failed" in told.sentence
    assert "(damaged answer 80, answer broke off 10, no answer 1)" in told.sentence
    assert "nearly all with meter a102 (A102)" in told.sentence
    assert told.remedy.startswith("Look at this meter first: screws of A and B at a102, 120 ohm")


def test_errors_with_many_meters_are_the_lines() -> None:
    """Where every meter's answers come damaged nobody is sent to one meter."""
    errors = ErrorCounts(noise=40)
    rows = [on_port("a101", failed=40, errors=errors), on_port("a102", failed=41, errors=ErrorCounts(noise=41))]
    told = only(live(lines={"line-1": line(*rows)}))
    assert "most with a102 (A102), also with a101" in told.sentence and "Look at the line itself first" in told.remedy


def test_few_errors_few_questions_and_dead_meters_are_no_bad_line() -> None:
    """5 % is still passed over, a handful of questions proves nothing, a dead meter is told once and by its name; a
    gateway of an older version tells no figures."""
    noise = ErrorCounts(noise=40)
    few = on_port("a101", asked=20, failed=15, errors=noise)
    for lines in (
        {"line-1": line(on_port("a101", failed=20, errors=noise), on_port("a102", failed=20))},
        {"line-1": line(few, on_port("a102", asked=20))},
        {"line-9": line(on_port("a101", failed=400, errors=noise))},
        {},
    ):
        assert found(live(lines=lines)) == []
    dead = on_port("a102", asked=90, failed=90, errors=ErrorCounts(silent=90))
    told = only(
        live(lines={"line-1": line(on_port("a101"), dead)}, availability={**facts().availability, "a102": silent()})
    )
    assert "1 of 2 meters silent" in told.sentence


def test_one_bad_meter_of_a_good_line_is_named_with_its_line() -> None:
    """Thirty meters, one of which fails every tenth time: the line's share is below 5 %, and the meter is named."""
    rows = [row(f"a{n}", room="") for n in range(101, 131)]
    good = [on_port(each.id) for each in rows[1:]]
    on = {each.id: facts().availability["a101"] for each in rows}
    bad = on_port("a101", failed=40, errors=ErrorCounts(noise=40))
    told = only(live(lines={"line-1": line(bad, *good)}, meters=m.Meters(meters=rows), availability=on, relays={}))
    assert (told.severity, told.about) == ("wrong", "a101")
    assert "Meter a101 on line line-1: 10.0 % of its questions of the last 15 minutes failed" in told.sentence
    assert "(damaged answer 40); the others that are heard are good" in told.sentence and "120 ohm" in told.remedy
    few = on_port("a101", failed=3, asked=40, errors=ErrorCounts(silent=3))
    assert found(live(lines={"line-1": line(few, *good)}, meters=m.Meters(meters=rows), availability=on)) == []


def test_two_kinds_of_errors_are_two_sentences() -> None:
    """Noise with one meter and silence of another are two faults, each with its own remedy and its own meter."""
    noisy = on_port("a101", failed=80, errors=ErrorCounts(noise=80))
    dead = on_port("a102", failed=60, errors=ErrorCounts(silent=60))
    first, second = found(live(lines={"line-1": line(noisy, dead)}))
    assert "17.5 % of the questions" in first.sentence and "120 ohm" in first.remedy
    assert second.sentence == "Line line-1: no answer to 60 of 800 questions, with a102 (A102)."
    assert "supply and screws of a102" in second.remedy and "120 ohm" not in second.remedy


@pytest.mark.parametrize(
    ("how", "sentence", "remedy"),
    [
        ("silent", "1 of 2 meters silent: a102 (A102) since 10:31.", "supply, screws of A and B, the address"),
        ("noise", "1 of 2 meters heard, and what comes is damaged: a102 (A102) since 10:31.", "They speak, so"),
        ("unfinished", "1 of 2 meters heard, and what comes is damaged", "120 ohm at both ends"),
        (
            "babble",
            "put aside, because somebody does not stop speaking",
            "beginning with a102, until the line is quiet",
        ),
    ],
)
def test_what_is_off_line_is_told_by_what_came_instead(how: str, sentence: str, remedy: str) -> None:
    """Silent, damaged and babbling meters are three faults: only the first is sent to its supply and its address."""
    gone = silent().model_copy(update={"how": how})
    told = only(live(availability={**facts().availability, "a102": gone}))
    assert sentence in told.sentence and remedy in told.remedy
    assert ("silent" in told.sentence) == (how == "silent")


def test_a_line_of_damaged_answers_only_is_not_called_silent() -> None:
    """Every meter speaks and none is understood: speed and parity, A and B, then the wires."""
    gone = silent().model_copy(update={"how": "noise"})
    told = only(live(availability={"a101": gone, "a102": gone}))
    assert "2 of 2 meters heard, and what comes is damaged" in told.sentence
    assert "baud and parity on a meter's display, the site file says 2400 8E1" in told.remedy
    mixed = found(live(availability={"a101": silent().model_copy(update={"how": "babble"}), "a102": silent()}))
    assert "put aside" in mixed[0].sentence and "Nobody else is heard either" in mixed[1].remedy


def test_a_line_whose_adapter_just_came_back_is_waited_for() -> None:
    """Its meters are asked again within a round; nobody is sent to them."""
    told = only(live(availability={**facts().availability, "a102": silent().model_copy(update={"how": "closed"})}))
    assert told.severity == "worth knowing" and "its adapter is back" in told.sentence


def test_what_failed_since_the_start_is_told_by_its_kind_and_whether_it_goes_on() -> None:
    """Silence is not sent to the terminators; a line that is good by now says so."""
    before = line(errors_total=ErrorCounts(silent=90, noise=10))
    told = only(live(info=info(port_facts(failed=300)), lines={"line-1": before}))
    assert "(no answer 90, damaged answer 10). In the last quarter of an hour it was good." in told.sentence
    assert "supply and screws of each meter" in told.remedy and "120 ohm" not in told.remedy


def test_copied_serial_numbers_make_a_by_id_name_nobodys(tmp_path: Path) -> None:
    """Clones with one number: doctor gives the name of the socket, as `riser service show` does."""
    shared = ("/dev/serial/by-id/usb-Silicon_Labs_CP2102_0001",)
    clones = tuple(
        replace(adapter(n, by_id=shared, product="CP2102", number="0001"), socket=f"/sys/{n}") for n in (0, 1)
    )
    told = about_ports(stopped(PortsSeen((port(device=shared[0], real="/dev/ttyUSB1"),), clones)))
    assert "carry the same serial number; it may mean the other one" in told.sentence
    assert "by-path/platform-usb-0:1.1" in told.remedy
