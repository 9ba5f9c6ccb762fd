"""R8: the installation check asks where the gateway itself is fed from, until who wired it has said so."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bridge.contract.site_file import BadSite, load
from host import site_check
from host.doctor.findings import Finding
from host.doctor.own_supply import findings
from host.doctor.seen import RegistrySeen
from host.site_check import Checked
from tests.host.doctor_snapshots import MODELS, SITE, site, site_seen, snapshot

UNSAID = ('own_supply = "breaker Q1"\n', "")
RELAYLESS = ('model = "dlt645-1p"', 'model = "eastron-sdm630"')


def told(*swaps: tuple[str, str], **more: object) -> list[Finding]:
    return findings(snapshot(site=site_seen(*swaps), **more))


def test_r8_it_is_asked_until_it_was_said() -> None:
    """Unsaid: worth knowing, with what to look at and to write; said: repeated in the words of who wired it."""
    (asked,) = told(UNSAID)
    assert asked.severity == "worth knowing" and "own supply" in asked.sentence and "own_supply =" in asked.remedy
    (said,) = told()
    assert said.severity == "good" and "breaker Q1" in said.sentence


def test_r8_nobody_is_asked_where_nothing_is_switched() -> None:
    """Meters that are only read darken nobody."""
    assert told(UNSAID, RELAYLESS) == [] == told(UNSAID, ('id = "a101"', 'id = "a101"\nrelay = "none"'),
                                                 ('id = "a102"', 'id = "a102"\nrelay = "none"'))  # fmt: skip


def test_r8_the_site_check_asks_as_well() -> None:
    """Before the first start, beside what else is worth knowing."""
    checked = Checked(Path("/s"), site(UNSAID), (), MODELS)
    assert any("site.own_supply: nobody has said" in each for each in site_check.worth_knowing(checked))
    assert list(site_check.worth_knowing(Checked(Path("/s"), site(), (), MODELS))) == []


@pytest.mark.parametrize(
    ("own", "words"), [("a999", "there is no meter 'a999'"), ("a101", "meter a101 could switch off this gateway")]
)
def test_r8_a_meter_in_front_of_the_gateway_is_never_switched(tmp_path: Path, own: str, words: str) -> None:
    """The site file is refused, with its path, until that meter has no relay."""
    text = SITE.replace('own_supply = "breaker Q1"', f'own_supply = "breaker Q1"\nown_meter = "{own}"')
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadSite) as refused:
        load(tmp_path / "site.toml")
    assert "site.own_meter" in str(refused.value) and words in str(refused.value)
    if own == "a101":
        mended = text.replace('id = "a101"', 'id = "a101"\nrelay = "none"', 1)
        assert tomllib.loads(mended)["site"]["own_meter"] == own
        (tmp_path / "site.toml").write_text(mended, encoding="utf-8")
        assert load(tmp_path / "site.toml").site.own_meter == own


def test_r8_the_book_may_say_otherwise_than_the_file() -> None:
    """The file was mended and the book still switches that meter: wrong."""
    swaps = (('own_supply = "breaker Q1"', 'own_supply = "breaker Q1"\nown_meter = "a101"'),
             ('id = "a101"', 'id = "a101"\nrelay = "none"'))  # fmt: skip
    (found,) = told(*swaps, registry=RegistrySeen(meters={"a101": {"model": "dlt645-1p", "relay": "direct"}}))
    assert found.severity == "wrong" and "the book lets it be switched" in found.sentence
