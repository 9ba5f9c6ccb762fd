"""What a meter says can be used as data: every identifier of the sheet has name, labels, units; bits are sentences."""

from __future__ import annotations

import re

import pytest

from edge.by_hand.names import everything
from edge.codec import dlt645
from edge.explain import formats
from edge.explain.__main__ import explain
from edge.explain.items import item_of
from edge.explain.rows import ROWS
from edge.explain.status import BITS, sentences
from edge.explain.values import LOAD_RECORDS, name_of, read_value
from tests.edge.published import samples

ANSWERS = [
    each
    for each in samples("dlt645-2007")
    if each.expect.get("valid") and each.expect.get("response") and each.expect["function"] == "11"
    and not each.expect["abnormal"] and not each.expect["follow"]
]  # fmt: skip


def told(identifier: str, hex: str) -> list[tuple[str, str | None, str]]:
    return [(value.label, value.text, value.unit) for value in read_value(identifier, bytes.fromhex(hex))]


@pytest.mark.parametrize("each", ANSWERS, ids=str)
def test_every_published_value_comes_out_as_data(each) -> None:  # type: ignore[no-untyped-def]
    """The same values and units as the publisher gives, through the function that programs call."""
    values = read_value(each.expect["di"], dlt645.value_of(each.raw))
    if "values" in each.expect:
        assert [value.text for value in values] == each.expect["values"]
        assert values[0].label == "total" and values[1].label == "sharp 尖" and values[4].label == "valley 谷"
    elif "value" in each.expect:
        (value,) = values
        assert (value.text, value.unit) == (each.expect["value"], each.expect["unit"] or "")
    for key in ("text", "datetime", "date"):
        if key in each.expect:
            assert values[0].text == each.expect[key]


SHEET = [
    "00000000", "00010000", "0001FF00", "00010001", "0001FF0C", "00020100", "00030000", "00040000", "00050000",
    "00080000", "00090000", "000A0000", "00150000", "00160000", "00170000", "001E0000", "00290000", "00320000",
    "003D0000", "003E0000", "00460000", "000B0000", "000C0000", "00900100", "00900101", "00900200", "00900201",
    "00FE0001", "01010000", "0101FF00", "01020001", "010A0000", "02010100", "0201FF00", "0202FF00", "02030000",
    "0203FF00", "02040000", "02050000", "02060000", "02800001", "02800002", "02800003", "02800007", "02800008",
    "02800009", "0280000A", "0280000B", "03010000", "03020000", "03030000", "03040000", "03050000", "03110000",
    "03110001", "03300000", "03300001", "03300100", "03300200", "03300300", "03300400", "03300401", "03300D00",
    "03300D01", "03300E00", "03300E0A", "03350000", "03350001", "03360000", "03360001", "03370000", "03370001",
    "03320101", "0332020A", "03320301", "03320401", "03320501", "03320601", "03330101", "03330201", "03330301",
    "03330401", "03330501", "03330601", "04000101", "04000102", "0400010C", "04000103", "04000106", "04000107",
    "04000108", "04000109", "04000201", "04000202", "04000203", "04000204", "04000205", "04000207", "04000306",
    "04000307", "04000401", "04000402", "04000403", "04000404", "04000405", "04000406", "04000407", "04000408",
    "04000409", "0400040A", "0400040B", "0400040C", "0400040D", "0400040E", "04000501", "04000502", "04000503",
    "04000504", "04000505", "04000506", "04000507", "040005FF", "04000601", "04000701", "04000705", "04000801",
    "04000802", "04000B01", "04000B03", "04000C01", "04000F01", "04000F02", "04000F03", "04000F04", "04001001",
    "04001002", "04001003", "04001004", "04001005", "04001401", "04010000", "04010001", "04020008", "04030001",
    "04050101", "040501FF", "04050201", "040502FF", "04060001", "04060101", "040604FF", "040605FF", "04800001",
    "04800003", "04800004", "05000001", "05010101", "05020001", "05030001", "05040001", "05040101", "05040201",
    "05060001", "0506013E", "05060201", "05060301", "05060801", "05060901", "05060A01", "05061001", "0506FF01",
    "05070001", "05080201", "1D000001", "1D000101", "1E000001", "1E00010A",
]  # fmt: skip


@pytest.mark.parametrize("identifier", SHEET)
def test_every_identifier_of_the_sheet_is_known(identifier: str) -> None:
    """Each has a name and a format, and bytes of that format come out whole, with a text for each."""
    item = item_of(identifier)
    assert item is not None and item.name and name_of(identifier) == item.name
    size = sum(formats.size_of(part.format) for part in formats.parts(item.formats, 0))
    values = read_value(identifier, b"\x01" * size)
    assert values and all(value.text is not None for value in values)
    assert all(value.label != "more" for value in values)
    assert len({value.label for value in values}) == len(values), "labels tell values apart"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_no_row_hides_behind_another(row: tuple[str, ...]) -> None:
    """The first row that fits counts, so each has an identifier that it is the first to fit."""
    mine = re.sub(r"\[(.)[^]]*\]", r"\1", row[0]).replace("**", "2A").replace(".", "2")
    first = next(each for each in ROWS if re.fullmatch(each[0].replace("*", "."), mine))
    assert first == row


def test_events_and_records_have_their_fields() -> None:
    """Who, when, from what to what: each field under its own label."""
    at, until = "301502201126", "000000000000"
    assert told("03300D01", at + until + "56341200" * 2)[:3] == [
        ("start", "2026-11-20T02:15:30", ""), ("end", None, ""), ("1 register", "1234.56", "kWh"),
    ]  # fmt: skip
    assert told("1D000101", at + "78563412" + "56341200" * 6)[1:3] == [
        ("operator", "12345678", ""), ("1 register", "1234.56", "kWh"),
    ]  # fmt: skip
    assert told("03300401", "78563412" + at + "301602201126") == [
        ("operator", "12345678", ""), ("before", "2026-11-20T02:15:30", ""), ("after", "2026-11-20T02:16:30", ""),
    ]  # fmt: skip
    assert told("03010000", "010000" "150000" "000000" "000000" "ffffff" "ffffff") == [
        ("phase A count", "1", "times"), ("phase A minutes", "15", "min"), ("phase B count", "0", "times"),
        ("phase B minutes", "0", "min"), ("phase C count", None, "times"), ("phase C minutes", None, "min"),
    ]  # fmt: skip


def test_demand_has_its_instant() -> None:
    """A maximum demand is a power and when it was; a block has one per rate."""
    assert told("01010000", "5634123018201126") == [("peak", "12.3456", "kW"), ("at", "2026-11-20T18:30", "")]
    assert [label for label, *_ in told("0101FF00", ("563412" "3018201126") * 3)] == [
        "total peak", "total at", "sharp 尖 peak", "sharp 尖 at", "peak 峰 peak", "peak 峰 at",
    ]  # fmt: skip
    assert told("05060901", "5634123018201126")[0] == ("total peak", "12.3456", "kW")
    assert told("01020000", "0000000000000000")[1] == ("at", None, ""), "never any demand"


def test_tables_prices_and_texts() -> None:
    """A day table by its periods, step prices with their settlement days, ASCII without its padding."""
    assert told("04010001", "030000" "020008") == [
        ("1 tariff", "3", ""), ("1 from", "00:00", ""), ("2 tariff", "2", ""), ("2 from", "08:00", ""),
    ]  # fmt: skip
    assert told("04010000", "011503") == [("table", "1", ""), ("from", "03-15", "")]
    block = "00500000" * 6 + "50750000" * 7 + "000101" + "999999" * 3
    values = told("040604FF", block)
    assert values[0] == ("1 edge", "50.00", "kWh") and values[6] == ("1 price", "0.7550", "yuan/kWh")
    assert values[13] == ("1 settlement", "01-01T00", "") and len(values) == 17
    assert told("04000404", "000056303232") == [("", "220V", "")]
    assert told("04000C03", "02000000") == [("", "******", "")], "a password is never shown (I24)"


def test_bits_are_sentences() -> None:
    """Word 3 always says how the relay stands, and an order that was not followed; unknown bits are not lost."""
    (value,) = read_value("04000503", bytes.fromhex("d012"))
    assert value.text == "12D0" and value.says == (
        "the relay is open", "the relay was told to trip", "the alarm before a trip is on", "money is prepaid",
        "power is kept on: trips are ignored",
    )  # fmt: skip
    assert sentences(3, 0) == ["the relay is closed"]
    assert sentences(3, 0x0040)[1] == "the relay was told to trip and has not moved, or not yet"
    assert sentences(3, 0x0010)[1] == "the relay was told to close and has not moved, or not yet"
    assert "money is prepaid" in sentences(3, 0x0200) and "energy is prepaid" in sentences(3, 0x0100)
    assert "power is kept on: trips are ignored" in sentences(3, 0x1000)
    assert sentences(4, 0x0001) == ["phase A: its voltage is lost"] and sentences(6, 0x80) == [
        "phase C: the phase is broken"
    ]
    assert sentences(2, 0x8000) == ["bit 15 is set"]
    for number in BITS:
        for bit in range(16):
            if number != 3:
                assert len(sentences(number, 1 << bit)) == 1 and sentences(number, 0) == []


def test_the_block_of_status_words_says_each() -> None:
    """Seven words, and what some meters put behind them is not lost."""
    values = read_value("040005FF", bytes.fromhex("0400000010000000000000000100deadbeef"))
    assert [value.label for value in values[:3]] == ["status word 1", "status word 2", "status word 3"]
    assert values[0].says == ("the clock's battery is low",) and "the relay is open" in values[2].says
    assert values[6].says == ("the voltages come in the wrong order",) and values[7].text == "DE AD BE EF"
    assert read_value("04000702", b"\x08")[0].says == ("2400 bit/s",)


RECORD = (
    "3018201126" + "1922" "ffff" "ffff" + "191581" "ffffff" "ffffff" + "0350" + "aa"
    + "563412" * 8 + "aa" + "aa" + "56341200" * 4 + "aa" + "aa" + "563412" * 2 + "aa"
)  # fmt: skip


def block(record: str) -> str:
    return "a0a0" + f"{len(record) // 2:02x}" + record + "00e5"


def test_a_load_record_is_taken_apart() -> None:
    """Instant, phases, powers; classes the meter does not record are left out, phases it lacks are not available."""
    values = told("06000001", block(RECORD))
    assert values[:5] == [
        ("stored at", "2026-11-20T18:30", ""), ("phase A voltage", "221.9", "V"), ("phase B voltage", None, "V"),
        ("phase C voltage", None, "V"), ("phase A amperes", "-11.519", "A"),
    ]  # fmt: skip
    assert ("frequency", "50.03", "Hz") in values and ("reactive demand", "12.3456", "kvar") in values
    assert not [label for label, *_ in values if "factor" in label or "quadrant" in label], "classes 3 and 5 are empty"
    two = told("06000001", block(RECORD) + block("4518201126" + RECORD[10:]))
    assert len(two) == 2 * len(values) and two[-1][0].startswith("2026-11-20T18:45 ")
    assert told("06000001", "") == []


@pytest.mark.parametrize("cut", range(1, len(block(RECORD)) // 2))
def test_a_damaged_load_record_is_shown_as_it_stands(cut: int) -> None:
    """Nothing is guessed into a layout that does not fit."""
    raw = bytes.fromhex(block(RECORD))[:cut]
    (value,) = read_value("06000001", raw)
    assert value.says == ("not the layout of the standard",) and value.text == raw.hex(" ").upper()


def test_what_is_unknown_or_damaged_is_shown_and_said() -> None:
    """No identifier and no bytes make it fail or lose anything."""
    assert read_value("04600101", b"\x3c\x00")[0].says == ("its format is not known here",)
    assert read_value("00010000", b"\xab\xcd\xef\x01")[0].says == ("not a value",)
    assert read_value("00010000", b"\x01\x02\x03\x04\x05")[-1].says == ("more bytes than the format has",)
    assert read_value("00010000", b"\x01") == read_value("9010", b"\x01")
    assert name_of("06100101") == "load records of one kind" and name_of("06000001") == LOAD_RECORDS["06000001"]
    assert read_value("9010", bytes.fromhex("56341200"))[0].text == "1234.56"


def test_decode_says_the_same() -> None:
    """`riser decode` shows labels and sentences of what it explains."""
    data = bytes((byte + 0x33) & 0xFF for byte in bytes.fromhex("010500040400"))
    body = bytes.fromhex("681200000010206891") + bytes([len(data)]) + data
    assert "the clock's battery is low" in "".join(
        piece.words for piece in explain(body + bytes([sum(body) & 0xFF, 0x16])).pieces
    )


def test_no_two_items_of_a_survey_have_one_name() -> None:
    """Seven status words, three settlement days, the purchases back: each line says which one it is."""
    names = [name_of(each.identifier) for each in everything("dlt645-2007")]
    assert len(names) > 150 and sorted(set(names)) == sorted(names)
    assert name_of("04000503") == "status word 3" and name_of("04000B02") == "settlement day 2"
    assert name_of("04020001") == "day table 1, second set" and name_of("03330402") == (
        "remaining amount before the purchase 2 back"
    )
    assert not any("{" in name for name in names)
