"""Money, energy, ids and instants: the integers under everything, and the one place where money is rounded."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract import units


@pytest.mark.parametrize(
    ("text", "fen"), [("200", 20000), ("200.5", 20050), ("200.50", 20050), (" 0.01 ", 1), ("-12.06", -1206), ("0", 0)]
)
def test_an_amount_is_read_as_the_clerk_wrote_it(text: str, fen: int) -> None:
    """200, 200.5 and 200.50 yuan are what they look like, to the fen."""
    assert units.fen_of(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", "1,000", "0.001", "1e3", "٢٠٠", "２００", "+5", "--5", ".5", "5.", "12345678", "NaN", "5 0", "0x10", "5\n6"],
)
def test_an_amount_that_is_not_understood_is_refused(text: str) -> None:
    """No thousand separators, no third decimal, no exotic digits: better to ask again than to guess about money."""
    with pytest.raises(units.BadAmount, match="amount"):
        units.fen_of(text)


@given(st.integers(-(10**9) + 1, 10**9 - 1))
def test_every_amount_survives_being_written_and_read(fen: int) -> None:
    """What the panel shows can be typed in again and means the same."""
    assert units.fen_of(units.yuan_text(fen * units.NANO_PER_FEN)) == fen


@given(st.integers(-units.BALANCE_LIMIT_NANO, units.BALANCE_LIMIT_NANO))
def test_shown_money_is_never_more_than_there_is(nano: int) -> None:
    """A balance is shown rounded down to the fen, debts included, and never off by a whole fen (R11)."""
    assert 0 <= nano - units.fen_floor(nano) * units.NANO_PER_FEN < units.NANO_PER_FEN
    shown = units.fen_of(units.yuan_text(nano)) * units.NANO_PER_FEN
    assert shown <= nano


def test_a_debt_of_a_nano_is_shown_as_a_fen() -> None:
    """A tenant who owes anything does not see 0.00."""
    assert units.yuan_text(-1) == "-0.01"
    assert units.yuan_exact(-1) == "-0.000000001"


def test_energy_times_price_is_exact() -> None:
    """64.273 kWh at 0.8532 yuan are 54.8377236 yuan, without a rounding anywhere (R11)."""
    assert units.yuan_exact(64_273 * units.micro_of_price("0.8532")) == "54.8377236"


@pytest.mark.parametrize(
    ("text", "micro"), [("0.8512", 851200), ("1", 1_000_000), ("0.000001", 1), ("9999", 9999 * 10**6)]
)
def test_a_price_keeps_six_decimals(text: str, micro: int) -> None:
    """A price list with up to six decimals enters unchanged and is shown with at least four."""
    assert units.micro_of_price(text) == micro
    assert units.micro_of_price(units.price_text(micro)) == micro


@pytest.mark.parametrize("text", ["-0.5", "0.0000001", "10000", "", "0,85"])
def test_an_impossible_price_is_refused(text: str) -> None:
    """Negative, seven decimals, five digits: not a price."""
    with pytest.raises(units.BadAmount, match="price"):
        units.micro_of_price(text)


@pytest.mark.parametrize(("wh", "text"), [(0, "0.00"), (5, "0.005"), (1230, "1.23"), (1234, "1.234"), (-50, "-0.05")])
def test_energy_is_shown_in_kwh(wh: int, text: str) -> None:
    """Two decimals as on the meter's display, a third where the register has it."""
    assert units.kwh_text(wh) == text


@pytest.mark.parametrize("text", ["", "-a", "A", "a_b", "a" * 33, "a\n", "a/b", "+", "#", "а", "a b", None, 7])
def test_an_id_that_could_hurt_a_topic_is_no_id(text: object) -> None:
    """Wildcards, slashes, line ends and look-alike letters never reach a topic, a path or a query (failure 89)."""
    assert not units.is_id(text)
    assert units.is_id("shaft-a") and units.is_id("301")


def test_a_transaction_id_has_eight_letters_at_least() -> None:
    """An id short enough to be repeated by chance is refused, and so is one with a line end."""
    assert units.is_transaction("abcd_EF-1")
    assert not any(units.is_transaction(bad) for bad in ("abc", "a" * 65, "abcdefgh\n", "abcdefg!", 12345678))


@given(st.integers(-(10**15), 7 * 10**15), st.integers(-14, 14))
def test_an_instant_means_the_same_everywhere(micros: int, hours: int) -> None:
    """An instant written in any offset comes back as the same microsecond in UTC."""
    at = units.instant_of_micros(micros).astimezone(timezone(timedelta(hours=hours)))
    assert units.instant_of(at.isoformat()) == at
    assert units.micros_of(at) == micros
    assert at - units.instant_of(units.instant_text(at)) < timedelta(milliseconds=1)


def test_an_instant_without_its_offset_is_refused() -> None:
    """Nobody has to guess whether 08:00 was local or UTC."""
    with pytest.raises(ValueError, match="lacks its offset"):
        units.instant_of("2026-11-20T08:00:00")
    assert units.instant_of("2026-11-20T08:00:00+08:00") == datetime(2026, 11, 20, tzinfo=UTC)
