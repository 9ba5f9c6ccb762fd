"""The one door to what changes a meter (I13): published orders byte for byte, and none but for registered meters."""

from __future__ import annotations

import ast
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.codec import dlt645
from edge.codec import dlt645_orders as orders
from edge.codec.dlt645_orders import Act, Password
from edge.codec.errors import CodecError, Forbidden
from tests.edge.published import Sample, sample, samples

FRAMES = [each for each in samples("dlt645-2007") if each.expect.get("valid")]
EDGE = Path(__file__).parents[2] / "edge"
OURS = "202603110206"


def body(each: Sample) -> bytes:
    """The frame without its wake-up bytes."""
    return each.raw[each.expect["preamble"] :]


def test_the_published_trip_is_made_byte_for_byte() -> None:
    """The trip and the close that others sent to real meters are made exactly as they sent them."""
    until = datetime(2018, 5, 12, 15, 41, 24)  # noqa: DTZ001
    trip = orders.control("trip", "111111111111", {"111111111111"}, Password(level="00"), until, preamble=0)
    assert trip == sample("d07-relay-trip-req-holley").raw
    until = datetime(2099, 1, 1, 1, 1, 1)  # noqa: DTZ001
    secret = Password("02", "000000", "31313131")
    close = orders.control("direct", "201910280004", {"201910280004"}, secret, until)
    assert close == sample("d07-relay-direct-close-req-tt").raw
    until = datetime(2027, 2, 1, 8, 15, 30)  # noqa: DTZ001
    alarm = orders.control("alarm", "201508260017", {"201508260017"}, Password(), until, preamble=0)
    assert alarm == sample("d07-syn-relay-alarm").raw
    secret = Password("02", "000000", "30303030")
    permit = orders.control("permit", "000000219998", {"000000219998"}, secret, None, preamble=0)
    assert permit == sample("d07-relay-permit-req-meterc").raw


DIGIT_LIKE = st.sampled_from("0123456789aAfF٠١٢３４𝟘 _-+")
ADDRESSES = st.one_of(
    st.text(DIGIT_LIKE, max_size=14),
    st.text(max_size=14),
    st.sampled_from(
        ["A" * 12, "a" * 12, "9" * 12, "0" * 12, "aaaaaaaa0206", OURS[:-1], OURS + "0", OURS[::-1], " " + OURS]
    ),
    st.integers(0, 11).map(lambda at: OURS[:at] + "9" + OURS[at + 1 :]),
    st.integers(0, 11).map(lambda at: OURS[:at] + "٢" + OURS[at + 1 :]),
)


@given(ADDRESSES, st.sampled_from(sorted(orders.COMMANDS)))
def test_no_control_frame_leaves_for_any_other_address(address: str, command: str) -> None:
    """However an address is written, a control frame is made for a registered meter's own address or not at all."""
    registered = {OURS, "202603110999"}
    if address in registered:
        frame = dlt645.decode(orders.control(command, address, registered, Password(), None))
        assert (frame.address, frame.control) == (address, 0x1C)
        return
    with pytest.raises(Forbidden):
        orders.control(command, address, registered, Password(), None)


@pytest.mark.parametrize(
    "address", ["A" * 12, "aaaaaaaa0206", "9" * 12, OURS[:-2], OURS + "00", "٢" * 12, "２" * 12, ""]
)
def test_a_wildcard_is_refused_even_where_it_was_registered(address: str) -> None:
    """Broadcast, wildcard, short, long or foreign digits: refused even if somebody got them into the register."""
    with pytest.raises(Forbidden):
        orders.control("trip", address, {address}, Password(), None)


def acts(secret: Password) -> list[Act]:
    """Every kind of act there is."""
    until = datetime(2026, 11, 26, 12, 0, 0)  # noqa: DTZ001
    return [
        *(orders.relay(command, secret, until) for command in orders.COMMANDS),
        orders.write("04001001", bytes(4), secret),
        orders.write_clock(until, secret),
        orders.freeze(),
        orders.speed(9600),
        orders.new_password("04000C03", secret, secret),
        orders.new_address("202603110207"),
    ]


@given(ADDRESSES, st.integers(0, 12))
def test_no_act_at_all_leaves_for_any_other_address(address: str, number: int) -> None:
    """Writes, freezes, speeds, passwords: the same door, the same refusal."""
    act = acts(Password())[number % len(acts(Password()))]
    if address == OURS:
        assert dlt645.decode(orders.order(act, address, {OURS})).control == act.function
        return
    with pytest.raises(Forbidden):
        orders.order(act, address, {OURS})


def test_the_published_acts_are_made_byte_for_byte() -> None:
    """Clock, date, speed, password, address, keep power: as others sent them."""
    ours = "201508260017"
    noon = datetime(2026, 8, 27, 12, 0, 0)  # noqa: DTZ001
    made = {
        "d07-syn-write-date": (orders.write("04000101", bytes.fromhex("03260826"), Password()), ours),
        "d07-syn-change-pw": (orders.new_password("04000C03", Password(), Password(password="214365")), ours),
        "d07-syn-relay-keep": (orders.relay("keep", Password(), noon), ours),
        "d07-baud-change-2400-req": (orders.speed(2400), "201901120001"),
        "d07-write-addr-req": (orders.new_address("131078563412"), "121078563412"),
        "d07-write-vendor-tt": (
            orders.write("04600101", bytes.fromhex("3c00"), Password(operator="31313131")), "201910280004",
        ),
    }  # fmt: skip
    for id, (act, address) in made.items():
        each = sample(id)
        assert orders.order(act, address, {address}, each.expect["preamble"]) == each.raw, id
    set_to = datetime(2017, 6, 5, 10, 22, 51)  # noqa: DTZ001
    assert orders.broadcast_time(set_to, preamble=0) == sample("d07-broadcast-time").raw


def test_a_clock_is_written_as_it_is_read() -> None:
    """What is written to 0400010C reads back as the same instant and weekday."""
    read = dlt645.decode(sample("d07-read-datetime-block-resp-1").raw).data
    written = orders.write_clock(datetime(2025, 10, 31, 12, 6, 22), Password()).data  # noqa: DTZ001
    assert written[12:] == read[4:]


@pytest.mark.parametrize(("day", "weekday"), [(1, 6), (2, 0), (3, 1)])
def test_sunday_is_weekday_0(day: int, weekday: int) -> None:
    """A clock that is set on a Sunday counts its week on from there (DL/T 645-2007 annex A: 0 is Sunday)."""
    written = orders.write_date(datetime(2025, 11, day), Password()).data  # noqa: DTZ001
    assert written[12:] == bytes([weekday, day, 0x11, 0x25])


def test_impossible_acts_are_refused() -> None:
    """A speed no meter has, the broadcast address, more than a write carries, an identifier cut short."""
    for make in (
        lambda: orders.speed(115200),
        lambda: orders.new_address("9" * 12),
        lambda: orders.new_address("12345"),
        lambda: orders.write("04001001", bytes(60), Password()),
        lambda: orders.write("0400", bytes(4), Password()),
        lambda: orders.freeze(minute="7"),
    ):
        with pytest.raises(CodecError):
            make()


def test_nobody_else_builds_frames() -> None:
    """I13 holds by construction: outside these files of the codec nobody encodes a DL/T 645 frame by hand."""
    for path in EDGE.rglob("*.py"):
        if path.name in ("dlt645.py", "dlt645_orders.py", "dlt1997.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "dlt645":
                assert node.attr not in {"encode", "Frame"}, f"{path.name}:{node.lineno}"
            if isinstance(node, ast.ImportFrom) and node.module == "edge.codec.dlt645":
                assert not {alias.name for alias in node.names} & {"encode", "Frame"}, path.name


@pytest.mark.parametrize(
    "wrong", [Password("2"), Password("0200", "0000"), Password(password="12345"), Password(operator="x" * 8)]
)
def test_a_password_of_the_wrong_shape_makes_no_frame(wrong: Password) -> None:
    """A mistyped password makes no frame, and the complaint does not repeat it (I24)."""
    with pytest.raises(CodecError) as complaint:
        orders.control("trip", OURS, {OURS}, wrong, None)
    assert wrong.password not in str(complaint.value)


@given(st.text("0123456789", min_size=6, max_size=6), st.sampled_from(sorted(orders.COMMANDS)), st.integers(0, 4))
def test_a_masked_frame_tells_nothing_of_the_password(secret: str, command: str, preamble: int) -> None:
    """I24: whatever the password is, the frame that is stored is the same; not even its sum tells."""
    frames = [
        orders.masked(orders.control(command, OURS, {OURS}, Password(password=each), None, preamble))
        for each in (secret, "918273")
    ]
    assert frames[0] == frames[1]
    assert dlt645.take(bytearray(frames[0]), final=True) is None, "and it could not be sent again"
    whole = orders.control(command, OURS, {OURS}, Password(password="918273"), None, preamble)
    assert frames[0][: preamble + 11] == whole[: preamble + 11], "all else stands"
    assert frames[0][preamble + 14 : -2] == whole[preamble + 14 : -2]


def test_a_masked_write_and_an_unmasked_read() -> None:
    """A write's password is masked where it stands there; a read and a reply have none and stay as they are."""
    write = sample("d07-write-vendor-tt").raw
    assert orders.masked(write)[:-2] == write[:-2], "its password was zeros already"
    other = bytearray(write)
    other[19:22] = b"\x45\x67\x89"
    assert orders.masked(bytes(other)) == orders.masked(write)
    for each in FRAMES:
        if dlt645.decode(each.raw).control not in (0x03, 0x14, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x98):
            assert orders.masked(each.raw) == each.raw
    assert "000000" not in repr(Password()) and "00000000" not in str(Password())


def test_an_answer_to_a_new_password_is_masked() -> None:
    """I24: the meter says the new password back (DL/T 645, 18H with the answer's bit)."""
    said = dlt645.encode(dlt645.Frame(OURS, 0x98, bytes.fromhex("02918273")))
    assert orders.masked(said)[-5:-2] == b"\x33" * 3 and orders.masked(said) != said


@given(st.text("0123456789", min_size=6, max_size=6))
def test_no_act_shows_its_password(secret: str) -> None:
    """I24: masked frames of an act are the same whatever the password is; an act in a log says its number only."""
    for one, other in zip(acts(Password(password=secret)), acts(Password(password="918273")), strict=True):
        frames = [orders.masked(orders.order(act, OURS, {OURS})) for act in (one, other)]
        assert frames[0] == frames[1]
        assert repr(one) == f"Act({one.function:02X}H)"
    assert repr(Password(password=secret, operator="31313131")) == "Password(level 02)"
