"""Bad settings of `[policy]` about warning and cutting: each is told in one sentence with its path (R2, R9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.contract.site_cutting import CuttingPolicy
from bridge.contract.site_file import look

SITE = '[site]\nname = "East"\ngateway = "east"\n'
DAYS = 'write "workdays", "all", or names of mon, tue, wed, thu, fri, sat, sun such as ["mon", "sat"]'
MIDNIGHT = "the cut window ends before it begins; write one over midnight as two: to 24:00, and from 00:00"


def told(directory: Path, text: str) -> list[str]:
    path = directory / "site.toml"
    path.write_text(SITE + text, encoding="utf-8")
    return [words for _, words in look(path).found]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("[]", f"is a list; {DAYS}"),
        ('"sat"', f"is 'sat'; {DAYS}"),
        ('["sat", "saturday"]', f"is a list; {DAYS}"),
        ("[6]", f"is a list; {DAYS}"),
        ("6", f"is 6; {DAYS}"),
        ("{}", f"is a table; {DAYS}"),
        ('["sat", "sun", "sat"]', "sat is named twice"),
    ],
)
@pytest.mark.parametrize("table", ["policy.cut_window", "policy.more_cut_windows"])
def test_r2_days_of_a_window_are_told_in_one_sentence(tmp_path: Path, table: str, days: str, words: str) -> None:
    """Who mistypes the days of a window reads one sentence with its path, not two about the insides of a program."""
    of_many = table.endswith("windows")
    head, path = (f"[[{table}]]", f"{table}[1]") if of_many else (f"[{table}]", table)
    assert told(tmp_path, f"{head}\ndays = {days}\n") == [f"{path}.days: {words}"]


@pytest.mark.parametrize(("begins", "ends"), [("22:00", "06:00"), ("24:00", "24:00"), ("00:00", "00:00")])
def test_r2_a_window_over_midnight_is_two(tmp_path: Path, begins: str, ends: str) -> None:
    """It is refused, and the sentence says how to write it."""
    assert told(tmp_path, f'[policy.cut_window]\nfrom = "{begins}"\nto = "{ends}"\n') == [
        f"policy.cut_window: {MIDNIGHT}"
    ]


def test_r2_a_day_is_not_rested_and_worked(tmp_path: Path) -> None:
    """In doubt nobody is cut: a day that stands in both lists is a mistake, and no workday by accident."""
    assert told(tmp_path, "[policy]\nrest_days = [2027-02-05, 2027-02-06]\nwork_days = [2027-02-05]\n") == [
        "policy: 2027-02-05 stands in rest_days and in work_days; take it out of one of them"
    ]


@pytest.mark.parametrize("name", ["rest_days", "work_days"])
@pytest.mark.parametrize("number", ["0", "86400", "1.0", "true"])
def test_r2_a_number_is_no_day(tmp_path: Path, name: str, number: str) -> None:
    """Zero is not the first of January 1970."""
    assert told(tmp_path, f"[policy]\n{name} = [{number}]\n") == [
        f"policy.{name}[1]: write a date such as 2026-10-01, without quotes"
    ]


def test_r2_a_season_begins_and_ends_on_days(tmp_path: Path) -> None:
    """Numbers are none there either, and its reason stands on one line of a page."""
    assert told(tmp_path, '[[policy.protected]]\nfrom = 0\nto = 86400\nwhy = "a\\nb"\n') == [
        "policy.protected[1].from: write a date such as 2026-10-01, without quotes",
        "policy.protected[1].to: write a date such as 2026-10-01, without quotes",
        "policy.protected[1].why: it holds characters that cannot be shown, such as a line break or NUL",
    ]


def test_r9_the_margin_of_a_level_is_not_below_zero(tmp_path: Path) -> None:
    """A level would be armed anew while the balance stands below it, and warn again at once."""
    assert told(tmp_path, '[policy]\nlevel_margin = "-5.00"\n') == [
        "policy: level_margin is below zero; a level warns again only after the balance stood above it (R9)"
    ]


def test_r2_what_a_site_may_say(tmp_path: Path) -> None:
    """Whole days, single days, seasons that overlap and pass New Year, no quiet hours: nothing is wrong with them."""
    assert not told(
        tmp_path,
        '[policy]\nrest_days = [2027-02-05, "2027-02-06"]\nlevel_margin = "0.00"\n'
        '[policy.cut_window]\ndays = "all"\nfrom = "00:00"\nto = "24:00"\n'
        '[[policy.more_cut_windows]]\ndays = ["sat", "sun"]\n[policy.quiet_hours]\nfrom = "07:00"\n'
        '[[policy.protected]]\nfrom = 2026-12-20\nto = 2027-01-10\nwhy = "年末"\n'
        '[[policy.protected]]\nfrom = 2027-01-01\nto = 2027-01-01\nwhy = "元旦"\n',
    )


def test_r6_supply_returns_above_the_limit_of_a_cut(tmp_path: Path) -> None:
    """An amount below it is refused with one to write; the same amount is still read, for gateways that run on it, and
    stands for one that is well above."""
    (below,) = told(tmp_path, '[policy]\ncut_at = "5.00"\nrestore_above = "4.99"\n')
    assert below.startswith("policy: restore_above lies below cut_at") and 'such as restore_above = "6.00"' in below
    same = CuttingPolicy(cut_at="-5.00", restore_above="-5.00")
    assert same.returns_above == "-4.00" and 'restore_above = "-4.00"' in (same.chatters or "")
    above = CuttingPolicy(cut_at="-5.00", restore_above="-4.99")
    assert above.returns_above == "-4.99" and above.chatters is None
    assert CuttingPolicy(cut_at="1.00").returns_above == "2.00", "the amount that stands where none is written"
