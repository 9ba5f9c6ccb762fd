"""The archive is a copy: when it is damaged while the panel runs, money is still taken and relays are still ordered."""

from __future__ import annotations

from pathlib import Path

import pytest
from panel_facts import charge
from panel_stage import Stage
from sqlalchemy import text

WITHOUT_IT = ("/rooms", "/account/100206", "/account-entries/100206", "/meter/a206", "/meter-chart/a206", "/accounts")
TOLD = "The records cannot be read"


@pytest.fixture
def damaged(shop: Stage, tmp_path: Path) -> Stage:
    """A shop whose archive had entries and is now rubbish."""
    shop.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    with shop.engine.begin() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    shop.engine.dispose()
    path = Path(str(shop.engine.url.database))
    path.write_bytes(b"\xa5" * path.stat().st_size)
    return shop


def test_money_is_taken_and_relays_are_ordered_with_a_damaged_archive(damaged: Stage) -> None:
    """A tenant who comes to pay is not sent away, and the account's page says that its records are missing."""
    clerk = damaged.visitor("manager")
    for path in WITHOUT_IT:
        assert clerk.get(path).status_code == 200, path
    assert TOLD in clerk.see("/account/100206") and TOLD not in clerk.see("/accounts")
    form = {"transaction": "0123456789abcdef", "amount": "200", "method": "cash", "reference": ""}
    assert clerk.post("/account/100206", **form).status_code == 303
    assert [asked["amount_fen"] for asked in damaged.requests("topup")] == [20_000]
    assert clerk.get("/account/100206?answer=0123456789abcdef").status_code == 200


@pytest.mark.parametrize("path", ["/takings", "/receipt/1"])
@pytest.mark.parametrize(("language", "words"), [("en", TOLD), ("zh", "历史记录读不出来")])
def test_no_sum_and_no_paper_is_made_of_nothing(damaged: Stage, path: str, language: str, words: str) -> None:
    """A drawer is not counted against zero and no receipt waits for ever: the page says what cannot be read."""
    answer = damaged.visitor("finance", language=language).get(path)
    assert answer.status_code == 503 and words in answer.text


def test_the_log_says_once_what_to_do(damaged: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Pages refresh every few seconds; the remedy stands in the log one time, without a traceback."""
    clerk = damaged.visitor("manager")
    for _ in range(3):
        clerk.see("/account/100206")
    told = [record for record in caplog.records if "the archive cannot be read" in record.getMessage()]
    assert len(told) == 1 and "remove it, start again" in told[0].getMessage() and told[0].exc_info is None
