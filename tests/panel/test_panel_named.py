"""Names and words that come from meters and models: in the reader's language, and one thing is not `1 things`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from flask import g
from panel_facts import reading, row
from panel_stage import Stage, install

from edge.explain.status import sentences as explained
from panel.model_words import MODELS, modelled
from panel.one_of import ONE
from panel.status_words import sentences, status_words
from panel.words import catalogue, t

FILES = Path(__file__).parents[2] / "edge" / "models"


def test_every_model_has_its_name_in_both_languages() -> None:
    """A new model's file brings its words for the panel; none is kept of a model that is gone."""
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in FILES.glob("*.toml")]
    assert {each.get("name") or each["model"]["name"] for each in files} == set(MODELS)


def test_a_models_name_reads_in_the_readers_language(shop: Stage) -> None:
    """English pages show no Chinese model; one that we do not know is shown as its file says."""
    install(shop, [row("a206", "A206", model_name="单相费控电表 DL/T 645-2007"), row("a101", "A101")], [])
    shop.say(reading(), "a206")
    for path in ("/meter/a206", "/lines/ports"):
        english = shop.visitor("engineer").see(path)
        assert "Single-phase meter with relay, DL/T 645-2007" in english and "费控电表" not in english
        assert "单相费控电表 DL/T 645-2007" in shop.visitor("manager", language="zh").see(path)
    with shop.app.test_request_context():
        g.language = "zh"
        assert modelled("Eastron SDM120 (Modbus)") == "Eastron SDM120 单相电表 (Modbus)" and modelled("X-1") == "X-1"


def test_status_word_3_is_told_as_decode_tells_it() -> None:
    """Bit by bit the same sentences as `riser decode`, for every word there is."""
    assert all(sentences(word) == explained(3, word) for word in range(0x10000))


def test_a_meters_page_says_its_status_word_in_words(shop: Stage) -> None:
    """0050 is no answer to a person: the relay is open and was told to; the digits stay for the maker's hotline."""
    shop.say(reading(status_word_3="0050"), "a206")
    page = shop.visitor("engineer").see("/meter/a206")
    assert "the relay is open<br>the relay was told to trip<br>" in page and ">0050<" in page
    assert "继电器断开<br>已收到跳闸命令<br>" in shop.visitor("manager", language="zh").see("/meter/a206")
    with shop.app.test_request_context():
        assert status_words("<b>") == [] and status_words("00500") == []


def test_one_thing_is_not_told_as_many(stage: Stage) -> None:
    """`1 meter`, `2 meters`; whatever has a singular is really a sentence of the panel."""
    assert set(ONE) <= set(catalogue("zh"))
    with stage.app.test_request_context():
        g.language = "en"
        for number, words in ((0, "0 accounts"), (1, "1 account"), ("1", "1 account"), (11, "11 accounts")):
            assert t("{n} accounts", n=number) == words
        g.language = "zh"
        assert t("{n} accounts", n=1) == catalogue("zh")["{n} accounts"].format(n=1)
