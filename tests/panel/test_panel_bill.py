"""A bill opened: whoever has a pocket calculator comes to the same amount, to the last digit."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from booked import archive
from panel_facts import charge
from panel_stage import Stage, one_shop
from worked import FILES, example, write

from bridge.contract.units import yuan_exact
from panel import bill
from panel.formats import grouped, price
from tests.bench.grown_book import Grown
from tests.edge.money_desk import MoneyDesk


def text_of(page: str) -> str:
    """What a reader sees of the main part, in one line."""
    main = page[page.index('<main id="main">') :]
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", main, flags=re.S)).split())


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("−", "-"))


def rows_of(page: str, head: str) -> list[list[str]]:
    """The cells of the table under a heading, as a reader sees them; its foot too."""
    part = page[page.index(head) :]
    table = part[part.index("<tbody>") : part.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", table, flags=re.S)
    return [
        [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row)] for row in rows
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_worked_example_adds_up_with_a_calculator(stage: Stage, path: Path) -> None:
    """Of each example each line is its quantity times its price, the lines are the total, the registers the use, and
    the balance before less the total is the balance after: by the figures that stand on the page."""
    one_shop(stage)
    _, made = write(stage, path)
    visitor = stage.visitor("finance")
    for each in made:
        assert bill.agrees(each.body)
        page = visitor.see(f"/entry/{each.seq}")
        assert "do not add up" not in page
        used = rows_of(page, "What was used")
        for _, later, earlier, difference, times, all_of_it in used:
            rolled = "went over its top" in page
            assert rolled or number(later) - number(earlier) == number(difference)
            assert number(difference) * number(times) == number(all_of_it)
        *lines, total = rows_of(page, "What it costs")
        assert all(number(wh) * number(micro) == number(amount) for _, wh, micro, amount in lines)
        assert sum(number(row[3]) for row in lines) == number(total[3]) == number(yuan_exact(each.body["amount_nano"]))
        (_, before), (_, taken), (_, after) = rows_of(page, "What became of the balance")
        sign = 1 if each.body["amount_nano"] >= 0 else -1
        assert number(before) - sign * number(taken) == number(after)


def test_a_bill_that_does_not_add_up_says_so(shop: Stage) -> None:
    """A figure that is not what the others make it is not passed over."""
    body = charge("100206", "a206")
    body["lines"][0]["amount_nano"] += 1
    body["lines"][1]["amount_nano"] -= 1
    wrong = shop.entry("charge/1", body, amount_nano=-51_826_116_000)
    assert "These figures do not add up" in shop.visitor("finance").see(f"/entry/{wrong}")
    moved = charge("100206", "a206")
    moved["end"]["registers_wh"]["peak"] += 10
    assert not bill.agrees(moved) and bill.agrees(charge("100206", "a206"))


def test_each_charge_of_the_list_leads_to_its_bill(shop: Stage) -> None:
    """One click from the line, and one from what it opens."""
    seq = shop.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    page = shop.visitor("finance").see("/account/100206")
    summary = page[page.index("<summary") : page.index("</summary>")]
    assert f'href="../entry/{seq}"' in summary or f'href="../entry/{seq}"' in page
    assert page.count(f'href="../entry/{seq}"') == 2


def test_the_bill_says_how_each_register_was_obtained(shop: Stage) -> None:
    """A freeze, an opening and a border are each told with what they mean, and when they were fetched."""
    body = charge("100206", "a206")
    body["start"]["source"] = "opening"
    seq = shop.entry("charge/1", body, amount_nano=-51_826_116_000)
    text = text_of(shop.visitor("finance").see(f"/entry/{seq}"))
    assert "Opening register: read when charging began and confirmed by a second reading." in text
    assert "at midnight the meter itself put this register aside" in text
    assert "2026-11-20 00:00:00 fetched 2026-11-20 00:01:12" in text
    for figure in ("2,210.34", "2,218.46", "18,432.61", "18,492.88"):
        assert figure in text


def test_a_bill_that_does_not_end_at_midnight_says_when(shop: Stage) -> None:
    """A tenancy's last charge ends when the meter was read; a border read some seconds late is midnight's."""
    body = charge("100206", "a206")
    body["end"] |= {"at": "2026-11-20T06:30:00.000+00:00", "source": "read"}
    visitor = shop.visitor("finance")
    seq = shop.entry("charge/1", body, amount_nano=-51_826_116_000)
    told = text_of(visitor.see(f"/entry/{seq}"))
    assert "does not end at midnight but at 2026-11-20 14:30:00" in told
    body["end"] |= {"at": "2026-11-19T16:00:07.000+00:00", "source": "border"}
    seq = shop.entry("charge/1", body, amount_nano=-51_826_116_000)
    assert "does not end at midnight" not in visitor.see(f"/entry/{seq}")


def test_an_estimate_says_that_it_never_cuts_and_is_trued_up(stage: Stage) -> None:
    """So does the charge that trues it up, and a row of the list says estimated."""
    one_shop(stage)
    _, (guessed, after) = write(stage, example("24-"))
    visitor = stage.visitor("finance")
    text = text_of(visitor.see(f"/entry/{guessed.seq}"))
    assert (
        "This charge rests on an estimate An estimate never leads to a cut. The next real reading trues it up" in text
    )
    assert "There are no frames: the meter said nothing at that instant." in text
    assert "so makes good what that was wrong by" in text_of(visitor.see(f"/entry/{after.seq}"))
    assert "all of 11-20 · estimated" in visitor.see("/account/100206")


def test_an_estimate_names_what_it_rests_on(shop: Stage) -> None:
    """The reading it began with and the days it was judged by."""
    body = charge("100206", "a206")
    body["end"] |= {
        "source": "estimate", "frames": [], "days": [{"total": 60_000}, {"total": 61_500}],
        "rests_on": [{"registers_wh": {"total": 18_432_610}, "at": body["start"]["at"], "source": "read"}],
    }  # fmt: skip
    seq = shop.entry("charge/2", body | {"guessed": ["estimate"]}, amount_nano=-51_826_116_000)
    text = text_of(shop.visitor("finance").see(f"/entry/{seq}"))
    assert "Its last 2 whole days: 60.00, 61.50 kWh" in text
    assert "It rests on: 2026-11-19 00:00:00 · Total 18,432.61 kWh" in text


def test_hours_told_by_borders_show_each_reading_and_its_rate(stage: Stage) -> None:
    """Between two readings stands what was used, and the rate of those hours; the rates add up to the lines."""
    one_shop(stage)
    _, made = write(stage, example("41-"))
    page = stage.visitor("finance").see(f"/entry/{made[0].seq}")
    spans = rows_of(page[page.index("The hours are told apart") :], "From")
    sums: dict[str, Decimal] = {}
    for _, _, rate, later, earlier, used in spans:
        assert number(later) - number(earlier) == number(used)
        sums[rate] = sums.get(rate, Decimal(0)) + number(used)
    lines = {row[0]: number(row[1]) for row in rows_of(page, "What it costs")[:-1]}
    assert len(spans) > 3 and sums == lines


def test_hours_that_fit_no_window_of_the_price_are_not_named(stage: Stage) -> None:
    """Where it is not certain which rate an hour had, the page names none."""
    one_shop(stage)
    ledger, made = write(stage, example("41-"))
    body = made[0].body
    wrong = [{"from": 0, "to": 1440, "rate": "peak"}]
    assert all(each.rate for each in bill.spans(body, [{"windows": _windows(ledger)}], ledger.zone))
    assert not any(each.rate for each in bill.spans(body, [{"windows": wrong}], ledger.zone))


def _windows(ledger: Any) -> list[dict[str, Any]]:
    return [{"from": first, "to": last, "rate": rate} for first, last, rate in ledger.versions[0].windows]


def test_the_price_is_named_with_who_proposed_and_who_approved_it(stage: Stage) -> None:
    """Each version that was used, also two in one day, leads to its entry, which says all of it."""
    one_shop(stage)
    _, made = write(stage, example("10-"))
    visitor = stage.visitor("finance")
    page = visitor.see(f"/entry/{made[0].seq}")
    text = text_of(page)
    assert text.count("Proposed by 李强 Approved by 王敏") == 3
    seqs = re.findall(r'<a href="entry/(\d+)"><b>', page) or re.findall(r'<a href="\.\./entry/(\d+)"><b>', page)
    assert seqs == ["1", "2", "3"]
    told = text_of(visitor.see("/entry/1"))
    assert "New price" in told and "yuan/kWh" in told and "A version never changes." in told


def test_steps_say_where_they_stood(stage: Stage) -> None:
    """Before and with the charge, and where each begins."""
    one_shop(stage)
    _, made = write(stage, example("04-"))
    count = bill.step_count(made[0].body)
    assert count is not None
    text = text_of(stage.visitor("finance").see(f"/entry/{made[0].seq}"))
    assert f"Steps count from {count.period}: {grouped_kwh(count.before)} kWh before" in text
    assert "Step 2, on top" in text and re.search(r"Step 2 begins above [\d.,]+ kWh\.", text)


def grouped_kwh(wh: int) -> str:
    from panel.formats import kwh

    return kwh(wh)


def test_a_counter_that_turned_begins_at_nothing(stage: Stage) -> None:
    """On the first day of a period nothing was used before."""
    one_shop(stage)
    _, made = write(stage, example("13-"))
    count = bill.step_count(made[-1].body)
    assert count is not None and count.after >= count.before
    turned = [each for each in made if each.body["counter"]["period"] != each.body["counter_before"]["period"]]
    assert turned and all(bill.step_count(each.body).before == 0 for each in turned)  # type: ignore[union-attr]


def test_water_is_billed_in_cubic_metres(stage: Stage) -> None:
    """Water in steps: m³ everywhere, kWh nowhere."""
    one_shop(stage)
    _, made = write(stage, example("35-"))
    text = text_of(stage.visitor("finance").see(f"/entry/{made[0].seq}"))
    assert "Water charge" in text and "m³" in text and "kWh" not in text


def test_a_reduction_is_called_one(stage: Stage) -> None:
    """A surcharge below zero is a reduction, with its minus."""
    one_shop(stage)
    ledger, made = write(stage, example("33-"))
    micro = min(each.micro for version in ledger.versions for each in version.surcharges)
    text = text_of(stage.visitor("finance").see(f"/entry/{made[0].seq}"))
    assert "Reduction: " in text and price(micro) in text and "−" in price(micro)


@pytest.fixture
def grown(tmp_path: Path) -> Stage:
    """A book of the edge's own making, with raw frames and fees, in a panel's archive."""
    book = Grown(tmp_path / "grown", 1)
    book.grow(2)
    stage = Stage(tmp_path)
    archive(stage, book.book.entries())
    book.book.close()
    stage.online()
    return stage


def test_both_readings_show_their_raw_frames(grown: Stage) -> None:
    """The later one's stand in the charge, the earlier one's in the entry it came from: the opening, then a charge."""
    history, visitor = grown.parts.history, grown.visitor("finance")
    opening, first, second = (line for line in history.lines(limit=None, newest_first=False)
                              if line.kind in ("opening/1", "charge/2"))  # fmt: skip
    for line, before in ((first, opening.body), (second, first.body["end"])):
        page = visitor.see(f"/entry/{line.seq}")
        for exchange in (*before["frames"], *line.body["end"]["frames"]):
            for part in exchange:
                assert bytes.fromhex(part).hex(" ").upper() in page
        assert f"riser explain {line.seq}" in page
    assert f"They stand in entry {first.seq}" in page


def test_an_entry_shows_its_seal_and_the_one_before(grown: Stage) -> None:
    """The hash, and the hash of its predecessor with a way there."""
    line = grown.parts.history.newest("m000", "charge/2")
    assert line is not None and len(set(line.hash)) > 4
    page = grown.visitor("finance").see(f"/entry/{line.seq}")
    assert line.hash in page and line.prev_hash in page and f'entry/{line.seq - 1}"' in page


def test_what_only_happened_is_told_on_its_page(shop: Stage) -> None:
    """A day that was closed in time is not called late, and a warning says what it warned of."""
    closed = shop.entry("closing/1", {"account": "100206", "date": "2026-11-19", "charges": [], "deferred": []})
    page = shop.visitor("finance").see(f"/entry/{closed}")
    assert "Day closed <span>2026-11-19</span>" in page and "Day closed later" not in page
    late = shop.entry("closing/1", {"account": "100206", "date": "2026-11-19", "charges": [], "deferred": ["a206"]})
    assert "Day closed later" in shop.visitor("finance").see(f"/entry/{late}")
    level = shop.entry("level/1", {"account": "100206", "level": 1, "threshold_nano": 50_000_000_000})
    assert "balance below 50.00 yuan" in shop.visitor("finance").see(f"/entry/{level}")


def test_a_fee_has_its_page(grown: Stage) -> None:
    """The amount in full, what it is for, its price and the balance before and after."""
    fees = [line for line in grown.parts.history.lines(limit=None) if line.kind == "fee/1"]
    text = text_of(grown.visitor("finance").see(f"/entry/{fees[0].seq}"))
    assert "A fixed fee for each day of the tenancy, whether or not anything was used on it: 0.333333333 yuan." in text
    assert "0.333333333 yuan are 0.33 in whole fen and 0.003333333 more" in text
    assert "“商铺分时”, version 1" in text and "income from daily fees" in text
    after = grouped(yuan_exact(fees[0].body["balance_after_nano"]))
    assert f"Balance after {after}" in text


def test_what_people_did_is_told_with_both_names(tmp_path: Path) -> None:
    """A refund names who did it, who approved it, why and on which papers; a receipt its top-up."""
    desk = MoneyDesk(tmp_path / "desk")
    desk.topup("101", 100)
    desk.agreed("compensate", account="101", amount_fen=500, papers="letter 7", reason="price-reform", why="see there")
    stage = Stage(tmp_path)
    archive(stage, desk.book.entries())
    seq = desk.of("compensation/1")[0].seq
    text = text_of(stage.visitor("finance").see(f"/entry/{seq}"))
    told = ("Compensation", "5.00 yuan", "price reform not applied", "see there", "letter 7", "Done by 王敏")
    for words in (*told, "Approved by 李强", "cost of compensations", "balance of account 101", "Balance after 105.00"):
        assert words in text, words


def test_an_entry_on_its_way_says_so_and_none_is_not_found(shop: Stage) -> None:
    """A number the archive has not got to yet is waited for; what can be no number is not found."""
    visitor = shop.visitor("finance")
    shop.entry("level/1", {"account": "100206", "level": 2})
    assert "This entry is on its way to the archive." in visitor.see("/entry/99")
    for path in ("/entry/0", "/entry/x", "/entry/-1", "/entry/" + "9" * 30):
        assert visitor.get(path).status_code == 404, path


def test_a_page_of_every_kind_opens(tmp_path: Path) -> None:
    """Whatever entry of a book is asked for, its page opens, in both languages."""
    desk = MoneyDesk(tmp_path / "desk", emergency_credit="5.00")
    receipt = desk.topup("101", 100)
    desk.done("reverse", account="101", receipt=receipt, why="typed twice")
    desk.done("lend", account="102", why="night")
    desk.propose("compensate", account="101", amount_fen=500, papers="p", reason="wrong-meter")
    desk.refused("reverse", account="101", receipt=receipt, why="again")
    desk.opened("m1", 5_000)
    stage = Stage(tmp_path)
    entries = archive(stage, desk.book.entries())
    for language in ("en", "zh"):
        visitor = stage.visitor("finance", language=language)
        for entry in entries:
            assert entry.hash in visitor.see(f"/entry/{entry.seq}"), entry.kind
