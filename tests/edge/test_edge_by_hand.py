"""`riser meter`: an electrician reads and orders one meter; an order is confirmed, sent once, and read back."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract import kernel_clock, secrets
from bridge.contract.clock import ManualClock
from edge.by_hand import carrying
from edge.by_hand.__main__ import main
from edge.by_hand.desk import Desk
from edge.by_hand.reading import Known
from edge.codec import dlt645
from edge.line.inline import InlineWire
from edge.line.wire import Line, SerialWire
from firmware_sim.dlt645 import Dlt645Meter
from firmware_sim.dlt645_frame import build, parse
from firmware_sim.loads import Load

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # 10:30 in Shanghai.
SHANGHAI = ZoneInfo("Asia/Shanghai")
OURS, OTHER, NUMBER, SECRET = "202603110206", "202603110207", "202511080206", "481516"


class Bench:
    """A line with meters that obey all functions, and a person who types what is prepared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.clock = ManualClock(START)
        self.baud = 2400
        self.meters = [Dlt645Meter(OURS, NUMBER, Load("constant", 3600, 7, SHANGHAI), START, password=SECRET)]
        self.parameters: dict[str, bytes] = {"04001001": bytes.fromhex("00200000")}
        self.sent: list[bytes] = []
        self.said: list[str] = []
        self.typed: list[str] = [OURS[-4:]]
        self.unseen: list[str] = [SECRET]
        self.deaf: Callable[[int], bool] = lambda control: False
        self.obeys_but_mute: Callable[[int], bool] = lambda control: False
        monkeypatch.setattr(Line, "open", lambda line: self._open(line))
        monkeypatch.setattr(kernel_clock, "is_synchronised", lambda: True)

    def _open(self, line: Line) -> InlineWire:
        return InlineWire(line, lambda frame, now, mono: self._answer(line, frame, now, mono), self.clock)

    def _answer(self, line: Line, frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        self.sent.append(frame)
        request = parse(frame.lstrip(b"\xfe"))
        if request is None or line.baud != self.baud or self.deaf(request[1]):
            return b"", 0.05
        replies = [reply for meter in self.meters if (reply := self._of(meter, frame, request, now, mono))]
        return (b"" if self.obeys_but_mute(request[1]) else b"".join(replies)), 0.05

    def _of(self, meter: Dlt645Meter, frame: bytes, request: Any, now: datetime, mono: float) -> bytes | None:
        """What the simulated meter does, and beyond it what only this bench's meters know."""
        address, control, payload = request
        own = address == meter.wire
        if control == 0x11 and payload[3::-1].hex().upper() in self.parameters and (own or address[-1:] == b"\xaa"):
            return build(meter.wire, 0x91, payload + self.parameters[payload[3::-1].hex().upper()], 4)
        if control == 0x14 and own and payload[3::-1].hex().upper() in self.parameters:
            if payload[5:8] != bytes.fromhex(SECRET)[::-1]:
                return build(meter.wire, 0xD4, b"\x04", 4)
            self.parameters[payload[3::-1].hex().upper()] = payload[12:]
            return build(meter.wire, 0x94, b"", 4)
        if control == 0x15 and own:
            meter.address, meter.wire = payload[::-1].hex(), payload
            return build(payload, 0x95, b"", 4)
        if control == 0x16 and own:
            self.parameters["05010001"] = bytes.fromhex(now.astimezone(SHANGHAI).strftime("%M%H%d%m%y"))
            return build(meter.wire, 0x96, b"", 4)
        if control == 0x17 and own:
            self.baud = {0x08: 2400, 0x20: 9600}[payload[0]]
            return build(meter.wire, 0x97, payload, 4)
        if control == 0x18 and own:
            return build(meter.wire, 0x98, payload[8:], 4)
        return meter.answer(frame, now, mono)

    def run(self, *words: str, address: str = OURS, options: tuple[str, ...] = ()) -> int:
        desk = Desk(say=self.said.append, typed=lambda _: self.typed.pop(0), typed_unseen=lambda _: self.unseen.pop(0))
        return main(["line", *options, address, *words], desk, self.clock)

    @property
    def meter(self) -> Dlt645Meter:
        self.meters[0].advance(self.clock.now(), self.clock.monotonic())
        return self.meters[0]

    def controls(self) -> list[int]:
        """Control bytes of what was sent, without the reads."""
        all = [dlt645.decode(frame).control for frame in self.sent]
        return [control for control in all if control not in (0x11, 0x12)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


# --- reading ---


def test_values_are_read_by_name_and_identifier(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, names with a number, and bare identifiers, in words with units."""
    assert bench.run("read", "energy", "status", "02800002", "cover", "1") == 0
    out = capsys.readouterr().out
    assert "forward active energy, total and tariffs" in out and "peak 峰: 0.00 kWh" in out
    assert "the relay is closed" in out and "frequency: " in out and " Hz" in out
    assert "03300D01  opening of the cover" in out
    assert bench.controls() == [], "reading changes nothing"


def test_a_program_reads_it_as_one_object(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` before or behind the command: every value with label, text, unit and sentences."""
    for options, words in (((), ("read", "04000503", "--json")), (("--json",), ("read", "04000503"))):
        assert bench.run(*words, options=options) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["done"] is True and told["command"] == "read"
        (reading,) = told["readings"]
        assert reading["values"] == [
            {"label": "", "text": "0000", "unit": None, "says": ["the relay is closed"]}
        ] and reading["refused"] is None  # fmt: skip


def test_a_survey_tells_what_a_meter_has(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is asked once; what it refuses is a list to keep with its papers, not a failure."""
    assert bench.run("survey", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["address"], told["number"]) == (OURS, NUMBER)
    assert {"0001FF00", "04000503", "0400010C", "04001001"} <= set(told["has"])
    assert "00900200" in told["lacks"] and not set(told["has"]) & set(told["lacks"])
    refused = {each["identifier"]: each["refused"] for each in told["readings"]}
    assert "no data for this identifier" in refused["00900200"]
    asked = [dlt645.decode(frame).identifier for frame in bench.sent]
    assert len(asked) - 1 == len(told["readings"]), "each once, and the number first"


def test_a_meter_that_keeps_silent_to_what_it_lacks_is_surveyed_too(bench: Bench, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Some makers do not refuse but keep silent: told, passed over, and ended only when it is really gone."""
    of = bench._of

    def mute(meter: Any, frame: bytes, request: Any, now: Any, mono: Any) -> bytes | None:
        reply = of(meter, frame, request, now, mono)
        gone = dlt645.decode(frame).identifier == "00900200" or len(bench.sent) > silent_after
        return None if gone else reply

    monkeypatch.setattr(bench, "_of", mute)
    silent_after = 10_000
    assert bench.run("read", "voltage", "00900200", "frequency") == 0
    assert "00900200  remaining amount: no answer" in capsys.readouterr().out
    silent_after = 3
    assert bench.run("survey") == 1 and "nobody answers" in bench.said[-1]
    assert len(bench.sent) < 40, "it is not asked a hundred times"


def test_load_records_are_asked_from_an_instant_on(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The question carries how many and from when; from one hour ago unless said."""
    bench.run("read", "load-record", "4", "--since", "2026-11-20 08:15")
    assert dlt645.decode(bench.sent[-1]).data.hex() == "01000006" + "04" + "1508201126"
    bench.run("read", "load-record")
    assert dlt645.decode(bench.sent[-1]).data.hex() == "01000006" + "01" + "3009201126"


def test_whoever_is_alone_on_the_line_is_found(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """13H, and reads to anybody; the answer names the meter."""
    assert bench.run("address", address="any") == 0
    assert OURS in capsys.readouterr().out
    assert bench.run("read", "energy", address="any") == 0
    assert bench.run("clock", "--json", address="any") == 0
    assert abs(json.loads(capsys.readouterr().out.splitlines()[-1])["clock_offset_s"]) <= 1


def test_names_are_listed_without_a_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` opens nothing; every name it shows can be read."""
    assert bench.run("list") == 0 and bench.sent == []
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    for expected in (
        "energy",
        "voltage",
        "status",
        "events",
        "load-record",
        "freeze-daily",
        "demand",
        "prices",
        "balance",
    ):
        assert expected in names
    for name in names:
        assert bench.run("read", name) in (0, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("read", "energie"), "is no name"),
        (("read", "0001FF"), "is no name"),
        (("read", "energy", "3"), "takes no number"),
        (("read", "freeze-daily", "0"), "takes no number"),
        (("write", "04001001", "xyz"), "write IDENTIFIER HEX"),
        (("write", "0400", "00"), "write IDENTIFIER HEX"),
        (("write", "00010000", "00000000"), "begin with 04"),
        (("write", "04000401", "010000000000"), "set-address"),
        (("write", "04000C03", "02000000"), "set-password"),
        (("write", "040004FF", "00"), "`set-address`"),
        (("write", "0400ff01", "00"), "`set-address`"),
        (("write", "04FFFFFF", "00"), "`set-address`"),
        (("write", "0400040ff", "00"), "write IDENTIFIER HEX"),
        (("write", "04000cff", "00"), "`set-password`"),
        (("write", "04000c05", "00"), "`set-password`"),
        (("write", "04000102", "000000"), "`clock --set`"),
        (("write", "0400010c", "00"), "`clock --set`"),
        (("write", "040001FF", "00"), "`clock --set`"),
        (("write", "040007FF", "00"), "`set-speed`"),
        (("write", "04000703", "20"), "`set-speed`"),
        (("write", "FF000401", "00"), "`set-address`"),
        (("freeze", "daily", "25:00"), "write freeze now"),
        (("freeze", "monthly", "31", "10:00"), "write freeze now"),
        (("freeze", "sometimes"), "write freeze now"),
        (("set-speed", "1234"), "speed is one of"),
        (("set-address", "9" * 12), "broadcast"),
        (("set-address", "12"), "digits"),
        (("set-address", OURS), "has that address already"),
    ],
)
def test_wrong_words_send_nothing(bench: Bench, words: tuple[str, ...], sentence: str) -> None:
    """One sentence, exit code 2, and not one frame that changes anything."""
    assert bench.run(*words) == 2
    assert sentence in bench.said[-1] and bench.controls() == []


# --- orders ---


def test_off_and_on_move_a_relay_too(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The words that mean the same for every kind of meter: `off` opens a relay, `on` closes it; `open` is refused."""
    bench.unseen = [SECRET, SECRET]
    assert bench.run("off", "--yes") == 0 and bench.meter.relay.open
    assert bench.run("on", "--yes") == 0 and not bench.meter.relay.open
    with pytest.raises(SystemExit):
        bench.run("open", "--yes")
    assert "`off` opens the relay" in capsys.readouterr().err and not bench.meter.relay.open


def test_a_trip_is_confirmed_sent_once_and_read_back(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The meter answers and shows its number, the person confirms, the relay opens, the status word says so."""
    assert bench.run("trip") == 0
    assert bench.meter.relay.open and bench.controls() == [0x1C]
    assert f"meter {OURS} answers; its number is {NUMBER}" in bench.said
    assert any("cut the supply" in text and "void after 2026-11-20 10:40" in text for text in bench.said)
    assert "read back: the relay is open" in capsys.readouterr().out
    bench.typed, bench.unseen = [OURS[-4:]], [SECRET]
    assert bench.run("close") == 0 and not bench.meter.relay.open


def test_valid_until_is_the_meters_own_time(bench: Bench) -> None:
    """A meter that is an hour behind would otherwise obey for an hour, and one ahead never."""
    meter = bench.meter
    meter.metrology.set_clock(meter.metrology.at_us + 3600 * 1_000_000)
    assert bench.run("trip", "--minutes", "5") == 0
    (frame,) = [frame for frame in bench.sent if dlt645.decode(frame).control == 0x1C]
    assert dlt645.decode(frame).data[10:16][::-1].hex().startswith("2611201135")
    assert any("+3600 s off" in text for text in bench.said)


@pytest.mark.parametrize(
    ("command", "shown"),
    [("alarm", "the alarm before a trip is on"), ("keep", "power is kept on"), ("permit", "the relay is closed")],
)
def test_alarm_keep_and_permit(
    bench: Bench, command: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Each is shown by its own bit of status word 3; what was switched on is switched off again."""
    assert bench.run(command) == 0 and shown in capsys.readouterr().out
    if command == "permit":
        return
    bench.typed, bench.unseen = [OURS[-4:]], [SECRET]
    assert bench.run(f"{command}-off") == 0
    assert not (bench.meter.relay.alarm or bench.meter.relay.keep_power)


def test_a_relay_that_does_not_follow_is_not_called_done(bench: Bench) -> None:
    """The meter answered, and its contact is stuck: exit code 1, and what it shows."""
    bench.meter.set_stuck(True)
    before = bench.clock.monotonic()
    assert bench.run("trip") == 1
    assert "does not show it within 10 s" in bench.said[-1] and "has not moved" in bench.said[-1]
    assert bench.clock.monotonic() - before > 10 and bench.controls() == [0x1C]


def test_an_order_without_an_answer_is_said_once_and_looked_up(bench: Bench) -> None:
    """Obeyed though the answer was lost: the status word tells. Never heard: not done. Sent once in both cases."""
    bench.obeys_but_mute = lambda control: control == 0x1C
    assert bench.run("trip") == 0 and bench.meter.relay.open
    bench.deaf, bench.typed, bench.unseen = (lambda control: control == 0x1C), [OURS[-4:]], [SECRET]
    assert bench.run("close") == 1 and "was not answered" in bench.said[-1]
    assert bench.controls() == [0x1C, 0x1C]


def test_a_wrong_password_is_the_meters_word(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """It refuses, nothing moved, and neither password is shown anywhere (I24)."""
    bench.unseen = ["999111"]
    assert bench.run("trip", "--frames") == 1
    assert "the meter refused" in bench.said[-1] and not bench.meter.relay.open
    everything = " ".join([*bench.said, capsys.readouterr().out])
    assert "999111" not in everything and "119199" not in everything


def test_nobody_confirms_nothing_is_sent(bench: Bench) -> None:
    """Other digits, or nobody at the keyboard: exit code 2, and no password was asked for."""
    bench.typed = ["9999"]
    assert bench.run("trip") == 2 and "does not end in '9999'" in bench.said[-1]

    def gone(_: str) -> str:
        raise EOFError

    assert main(["line", OURS, "trip"], Desk(say=bench.said.append, typed=gone, typed_unseen=gone), bench.clock) == 2
    assert "--yes" in bench.said[-1]
    assert bench.controls() == [] and bench.unseen == [SECRET]
    assert bench.run("trip", "--yes") == 0


ORDERS = [
    ("trip",), ("close",), ("permit",), ("alarm",), ("alarm-off",), ("keep",), ("keep-off",), ("clock", "--set"),
    ("freeze",), ("set-speed", "9600"), ("set-address", OTHER), ("set-password", "3"),
    ("write", "04001001", "00300000"),
]  # fmt: skip


@pytest.mark.parametrize("words", ORDERS, ids=" ".join)
@pytest.mark.parametrize(
    "address", ["any", "9" * 12, "AAAAAAAA0206", "aaaaaaaaaaaa", "٢" * 12, "2026031102060", "-1", ""]
)
def test_no_order_to_a_wildcard_or_broadcast(bench: Bench, words: tuple[str, ...], address: str,
    capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """I13: every order, every way to write nobody's address: refused before the port is opened."""
    with pytest.raises(SystemExit) as ended:
        bench.run(*words, "--yes", address=address)
    assert ended.value.code == 2 and bench.sent == []


@pytest.mark.parametrize("words", ORDERS, ids=" ".join)
def test_no_order_to_a_meter_that_is_not_there(bench: Bench, words: tuple[str, ...]) -> None:
    """I13: another address than the meter's is registered by nobody: no answer, and nothing but the question left."""
    assert bench.run(*words, "--yes", address=OTHER) == 1
    assert bench.controls() == []


@pytest.mark.parametrize("words", ORDERS, ids=" ".join)
def test_an_order_goes_only_to_the_address_that_answered(
    bench: Bench, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I13: were another meter's answer taken for ours, the one door refuses to build the frame."""
    monkeypatch.setattr(carrying, "known", lambda talk, address: Known("202603110208", NUMBER))
    bench.unseen = [SECRET, "222222", "222222"]
    assert bench.run(*words, "--yes") == 2
    assert "not a registered meter's own address" in bench.said[-1] and bench.controls() == []


# --- what is ordered, one by one ---


def test_a_clock_is_set_and_read_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven minutes off: written, read back. Not by a machine whose own clock nobody set."""
    meter = bench.meter
    meter.metrology.set_clock(meter.metrology.at_us + 420 * 1_000_000)
    monkeypatch.setattr(kernel_clock, "is_synchronised", lambda: False)
    assert bench.run("clock", "--set") == 2 and "not synchronised" in bench.said[-1] and bench.controls() == []
    assert bench.run("clock", "--set", "--clock-is-right") == 0
    shown = bench.meter.metrology.own_wall()
    assert abs((shown - bench.clock.now().astimezone(shown.tzinfo)).total_seconds()) <= 2


def test_a_clock_of_two_parameters_is_set_in_two_writes(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """A meter without 0400010C gets its time and its date, each confirmed; no bare `write` is needed for it."""
    of = bench._of

    def old(meter: Any, frame: bytes, request: Any, now: Any, mono: Any) -> bytes | None:
        address, control, payload = request
        if control in (0x11, 0x14) and payload[3::-1].hex().upper() == "0400010C":
            return build(address, control | 0xC0, b"\x02", 4)
        return of(meter, frame, request, now, mono)

    bench._of = old  # type: ignore[method-assign]
    bench.parameters |= {"04000101": bytes.fromhex("05201126"), "04000102": bytes.fromhex("002010")}
    bench.typed, bench.unseen = [OURS[-4:]] * 2, [SECRET] * 2
    assert bench.run("clock", "--set") == 0 and bench.controls() == [0x14, 0x14]
    assert (
        bench.parameters["04000101"] == bytes.fromhex("05201126") and bench.parameters["04000102"][1:3].hex() == "3010"
    )
    assert "read back: 2026-11-20 10:30" in capsys.readouterr().out


def test_the_clocks_of_a_line_by_the_rules(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """R25: two minutes off is set; a right clock and a border refuse; that a meter takes no second one is told."""
    assert bench.run("broadcast-time") == 2 and "(R25)" in bench.said[-1]
    meter = bench.meter
    meter.metrology.set_clock(meter.metrology.at_us + 120 * 1_000_000)
    assert bench.run("broadcast-time", "--border", "10:33") == 2 and "10:33 is near" in bench.said[-1]
    assert bench.controls() == []
    assert bench.run("broadcast-time") == 0 and bench.controls() == [0x08]
    assert "read back: the clock" in capsys.readouterr().out
    meter = bench.meter
    meter.metrology.set_clock(meter.metrology.at_us + 120 * 1_000_000)
    bench.typed = [OURS[-4:]]
    assert bench.run("broadcast-time") == 1 and "one setting a day" in bench.said[-1]


def test_a_freeze_is_read_back(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Frozen now: its time is new. A daily freeze says when it can be read."""
    assert bench.run("freeze") == 0 and "frozen at 2026-11-20T10:30" in capsys.readouterr().out
    bench.typed = [OURS[-4:]]
    bench.clock.advance(60)
    assert bench.run("freeze", "daily", "12:00") == 0 and "when it has come" in capsys.readouterr().out
    assert bench.unseen == [SECRET], "16H wants no password"


def test_a_speed_is_proved_by_speaking_so(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The meter answers at the new speed with the same number, or it is said where it is."""
    assert bench.run("set-speed", "9600") == 0 and bench.baud == 9600
    assert "answers at 9600 bit/s with the same number" in capsys.readouterr().out
    bench.baud, bench.typed = 2400, [OURS[-4:]]
    bench.obeys_but_mute = lambda control: False
    of = bench._of
    bench._of = lambda m, f, r, n, t: build(m.wire, 0x97, r[2], 4) if r[1] == 0x17 else of(m, f, r, n, t)  # type: ignore[method-assign]
    assert bench.run("set-speed", "9600") == 1 and "still speaks at 2400" in bench.said[-1]


def test_an_address_is_proved_by_answering_there(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The same number answers at the new address and nobody at the old one; an address in use is refused."""
    twin = Dlt645Meter(OTHER, "202511080207", Load("constant", 100, 7, SHANGHAI), START)
    bench.meters.append(twin)
    assert bench.run("set-address", OTHER) == 2 and "answers at" in bench.said[-1] and bench.controls() == []
    bench.meters.pop()
    assert bench.run("set-address", OTHER) == 0 and bench.meters[0].address == OTHER
    assert f"answers at {OTHER} with the same number" in capsys.readouterr().out
    bench.deaf, bench.typed = (lambda control: control == 0x15), [OTHER[-4:]]
    assert bench.run("set-address", OURS, address=OTHER) == 1
    assert f"nobody answers at {OURS} and still does at the old one" in bench.said[-1]


def test_a_password_is_typed_twice_and_shown_never(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """I24: neither stands in output or frames shown, in either order of digits; a typing mistake sends nothing."""
    bench.unseen = [SECRET, "708090", "708091"]
    assert bench.run("set-password", "2") == 2 and bench.controls() == []
    bench.typed, bench.unseen = [OURS[-4:]], [SECRET, "708090", "708090"]
    assert bench.run("set-password", "2", "--frames") == 0 and bench.controls() == [0x18]
    shown = " ".join([*bench.said, capsys.readouterr().out]).replace(" ", "")
    assert "meterrepeatedthenewpassword" in shown
    for secret in (SECRET, "708090", "708091"):
        wire = bytes((byte + 0x33) & 0xFF for byte in bytes.fromhex(secret)[::-1]).hex().upper()
        assert secret not in shown and bytes.fromhex(secret)[::-1].hex() not in shown and wire not in shown


def test_a_password_that_would_be_seen_is_not_typed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can hide what is typed, nothing is read from there and nothing is sent."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{OURS[-4:]}\n{SECRET}\n"))
    monkeypatch.setattr(os, "open", no_terminal)
    assert main(["line", OURS, "trip"], Desk(say=bench.said.append), bench.clock) == 2
    assert "--from-secrets" in bench.said[-1] and bench.controls() == []


def no_terminal(*_: object) -> int:
    raise OSError(errno.ENXIO, "no terminal")


def test_passwords_are_no_arguments(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """No option takes one, and the help says where they come from."""
    with pytest.raises(SystemExit):
        bench.run("trip", "--password", SECRET)
    assert "unrecognized" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        bench.run("trip", "--help")
    assert "password from the data directory, not typed" in " ".join(capsys.readouterr().out.split())


def test_a_password_comes_from_the_secrets(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The row of the meter at this address, else the default; without a file nothing is sent; typed is nothing."""
    words = ("trip", "--from-secrets", "--data", str(tmp_path), "--yes", "--frames")
    assert bench.run(*words) == 2 and "holds no meter password" in bench.said[-1] and bench.controls() == []
    kept = {"default": {"level": "02", "password": "111111"}, "a206": {"password": SECRET}}
    broker = {"url": "mqtt://127.0.0.1:1883"}
    secrets.write(tmp_path, "edge", {"broker": broker, "keys": {}, "meter_passwords": kept})
    assert bench.run(*words) == 1, "the default is wrong for this meter"
    rows = {"meters": {"1": {"meter": "a206", "address": OURS}}}
    (tmp_path / "registry.json").write_text(json.dumps(rows), encoding="utf-8")
    assert bench.run(*words) == 0 and bench.meter.relay.open
    shown = " ".join([*bench.said, capsys.readouterr().out])
    assert SECRET not in shown and "111111" not in shown and bench.unseen == [SECRET]


def test_a_parameter_is_shown_before_written_and_read_back(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The person sees what stands there and what the bytes mean; a meter that keeps its own value is not done."""
    assert bench.run("write", "04001001", "00300000") == 0
    assert any("now 20.00 yuan, then 30.00 yuan" in text for text in bench.said)
    assert "read back: 30.00 yuan" in capsys.readouterr().out
    bench.typed, bench.unseen = [OURS[-4:]], [SECRET]
    of = bench._of
    bench._of = lambda m, f, r, n, t: build(m.wire, 0x94, b"", 4) if r[1] == 0x14 else of(m, f, r, n, t)  # type: ignore[method-assign]
    assert bench.run("write", "04001001", "00400000") == 1 and "reads back as 30.00 yuan" in bench.said[-1]


def test_longest_wait_is_bounded(bench: Bench) -> None:
    """Nobody there: a few seconds and one sentence that says what to look at."""
    before = bench.clock.monotonic()
    assert bench.run("read", "energy", address=OTHER) == 1
    assert "A and B" in bench.said[-1] and timedelta(seconds=bench.clock.monotonic() - before) < timedelta(seconds=5)


def test_a_port_that_somebody_holds_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """A Riser that runs holds its ports: one sentence that says how to ask it, exit code 3, not a byte on the line."""
    master, slave = pty.openpty()
    path = Path(os.ttyname(slave))
    held = SerialWire(path, 2400, "E")
    try:
        assert main([str(path), OURS, "trip", "--yes"]) == 3
        said = capsys.readouterr().err
        assert "a Riser that runs holds its ports" in said and "`riser request`" in said
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        held.close()
        os.close(master)
        os.close(slave)
    assert main([str(path), OURS, "read", "energy"]) == 2
    assert "is not there" in capsys.readouterr().err
