"""Both languages are whole: nothing visible is untranslated, nothing translated is unused, places agree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from panel_facts import charge
from panel_stage import Stage, one_shop

from panel.words import catalogue

PANEL = Path(__file__).parents[2] / "panel"
CALL = re.compile(r"""\bt\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
SAME_IN_BOTH = {
    "Riser", "kW", "kWh", "s", "A", "V", "Hz", "EN", "C", "Esc", "N", "Wh",
}  # fmt: skip
"""Names and units that are the same in both languages."""


def sentences() -> set[str]:
    """Every sentence that templates and code ask for."""
    found = set()
    for file in PANEL.rglob("*.html"):
        found |= {ast.literal_eval(text) for text in CALL.findall(file.read_text(encoding="utf-8"))}
    for file in PANEL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("t", "later"):
                if isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
                else:
                    assert node.func.id == "t", "only t() is given sentences from a table"
    return found


def test_every_sentence_has_its_translation() -> None:
    """A sentence without Chinese is a mistake, and so is Chinese that nothing asks for."""
    chinese = catalogue("zh")
    assert sentences() == set(chinese)
    assert all(text.strip() for text in chinese.values())


def test_translations_fill_the_same_places() -> None:
    """A place such as {time} that one language has, the other has too."""
    for sentence, text in catalogue("zh").items():
        assert set(re.findall(r"\{(\w+)\}", sentence)) == set(re.findall(r"\{(\w+)\}", text)), sentence


@pytest.mark.parametrize("file", sorted(PANEL.rglob("*.html")), ids=lambda file: file.name)
def test_no_template_shows_a_word_of_its_own(file: Path) -> None:
    """What a template shows comes through t(): outside of tags and expressions stand only names and units."""
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.S)
    shown = re.sub(r"<[^>]*>", " ", text)
    shown += " ".join(re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', text))
    words = set(re.findall(r"[A-Za-z]+|[一-鿿]+", shown)) - SAME_IN_BOTH - {"中"}
    assert not words, words


def test_chinese_is_the_default_and_a_choice_is_remembered(stage: Stage) -> None:
    """A stranger sees Chinese; a choice stays with the browser, and with the person in another browser."""
    one_shop(stage)
    client = stage.app.test_client()
    assert "登录" in client.get("/sign-in").text and 'lang="zh-CN"' in client.get("/sign-in").text
    assert "Sign in" in client.get("/sign-in?lang=en").text
    assert "Sign in" in client.get("/sign-in").text
    assert "Sign in" in client.get("/sign-in?lang=xx").text, "an unknown language changes nothing"
    person = stage.visitor("finance", language="zh")
    person.get("/rooms?lang=en")
    other = stage.visitor("finance", language="zh")
    assert "Final" in other.see("/rooms")


def test_a_chinese_page_has_no_english_left(stage: Stage) -> None:
    """The account's page in Chinese shows no English word beside names and units."""
    one_shop(stage)
    stage.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    page = stage.visitor("finance", language="zh").see("/account/100206")
    page = re.sub(r"<script.*?</script>|<svg.*?</svg>", " ", page, flags=re.S)
    page = re.sub(r"<title>.*?</title>", " ", page)
    shown = re.sub(r"<[^>]*>", " ", page)
    words = set(re.findall(r"[A-Za-z]{2,}", shown)) - SAME_IN_BOTH - {"finance"}
    assert not words, words


def test_figures_look_as_they_should() -> None:
    """Commas, a true minus, two decimals; a third for registers that have it; ages in words."""
    from panel import formats

    assert formats.yuan(-1_234_567_000_000) == "−1,234.57"
    assert formats.yuan(None) == "—"
    assert formats.yuan_signed(200 * 10**9) == "+200.00"
    assert formats.yuan_all(54_839_616_000) == "54.839616"
    assert formats.kwh(18_531_185) == "18,531.185" and formats.kwh(0) == "0.00"
    assert formats.kilowatts(5_925) == "5.93" and formats.kilowatts(-40) == "−0.04"
    assert (
        formats.countdown(1788) == "29:48"
        and formats.countdown(11_110) == "3:05:10"
        and formats.countdown(-5) == "00:00"
    )
