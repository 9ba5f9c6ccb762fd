"""The README tells the truth: its commands exist, its site file loads, its links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge.contract import site as site_module
from bridge.contract import site_prices
from bridge.contract.document import render
from bridge.contract.messages import REQUESTS, Request
from bridge.contract.permissions import may
from bridge.contract.signing import open_envelope
from bridge.contract.site import BridgeTable, Broker, ClockTable, Panel, Policy, Port, Site, SiteTable
from bridge.contract.site_file import load, references
from edge import install, model
from edge.codec import PROTOCOLS
from firmware_sim.from_site import described
from firmware_sim.shaft import load as simulated

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_command_of_the_readme_exists() -> None:
    """Whatever the README tells a person to type, the front door knows."""
    verbs = {match for block in [*blocks("sh"), README] for match in re.findall(r"\./riser (\w+)", block)}
    assert {"up", "test", "status", "request", "bench"} <= verbs
    for verb in verbs:
        answer = subprocess.run(
            [sys.executable, "riser.py", verb, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=30
        )
        assert answer.returncode == 0, f"{verb}: {answer.stderr}"


def test_the_site_file_of_the_readme_is_whole() -> None:
    """The example can be copied, and is a building that the edge accepts."""
    (text,) = blocks("toml")
    site = Site.model_validate(tomllib.loads(text))
    assert references(site) == [] and install.mistakes(site) == []


def test_the_demo_is_a_building_the_edge_accepts() -> None:
    """The demo's own site file has no mistake in it."""
    assert install.mistakes(load(ROOT / "firmware_sim" / "demo" / "site.toml")) == []


def test_the_models_of_the_readme_are_all_there_are() -> None:
    """The table of models names each one, and none that is missing."""
    table = README[README.index("| model | meter |") :].split("\n\n")[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", table)) == set(model.known())


def test_links_lead_somewhere() -> None:
    """Every file that README or CHANGELOG points to is there."""
    for page in ("README.md", "CHANGELOG.md", "docs/home-assistant.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page} points to {target}"


def test_every_rule_that_a_page_cites_stands_in_the_rules() -> None:
    """Who reads R14 or I7 in the README, the CHANGELOG, the topics or a page of the panel finds it in docs/rules.md."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "panel" / "languages" / "zh.toml"]
    rules = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    for page in pages:
        for rule in set(re.findall(r"\b[RI]\d{1,2}\b", page.read_text(encoding="utf-8"))):
            assert f"| {rule} |" in rules, f"{page.name} cites {rule}"


def test_the_topic_table_is_up_to_date() -> None:
    """docs/mqtt.md says what the messages say; `python -m bridge.contract.document > docs/mqtt.md` writes it anew."""
    assert (ROOT / "docs" / "mqtt.md").read_text(encoding="utf-8") == render()


def test_the_request_of_the_documentation_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An integrator copies the lines of docs/mqtt.md: what they make is sealed, well-formed and permitted."""
    monkeypatch.chdir(tmp_path)
    key = "5a" * 32
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/integrator.json").write_text(json.dumps({"keys": {"integrator": key}}))
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/mqtt.md").read_text(encoding="utf-8"), re.DOTALL)
    made: dict[str, str] = {}
    exec(code, made)
    words, name, _ = open_envelope(made["topic"], made["message"].encode(), {"integrator": bytes.fromhex(key)})
    asked = REQUESTS["read"].model_validate(words)
    assert isinstance(asked, Request) and may(name, asked.role, "read")


EXAMPLE = ROOT / "site.example.toml"


def test_the_example_is_a_building_the_edge_accepts_and_can_be_practised() -> None:
    """A person copies site.example.toml: it has no mistake, and `riser sim --site` stands its meters up."""
    site = load(EXAMPLE)
    assert install.mistakes(site) == []
    now = datetime(2026, 11, 26, 2, tzinfo=UTC)
    shaft = simulated(EXAMPLE, now, tables=described)
    for meter in site.meters:
        kind, answered = model.load(meter.model), {}
        for name in kind.rows:
            if name.endswith("-record"):
                continue  # Nobody has opened a cover yet.
            question = kind.ask(name, meter.address, slot=1)
            heard = bytearray(shaft.meters[meter.id].answer(question, now, 0.0) or b"")
            reply = PROTOCOLS[kind.protocol].find_reply(question, heard)
            assert reply, f"{meter.id} does not answer {name}"
            answered |= kind.values(name, reply, site.zone)
        assert answered["energy_wh"] > 0 and meter.serial in (None, answered.get("serial"))


def test_the_example_names_every_setting_there_is() -> None:
    """What the site file can say stands in the example, in force or as a comment with its default."""
    text = EXAMPLE.read_text(encoding="utf-8")
    named = [each for module in (site_module, site_prices) for each in vars(module).values()]
    tables = [each for each in named if isinstance(each, type) and issubclass(each, BaseModel)]
    for table in tables:
        for name, field in table.model_fields.items():
            word = field.alias or name
            assert re.search(rf"(?m)^(# )?\[*{word}\b|[{{,] ?{word} =|\.{word}\]", text), f"{table.__name__}.{word}"


def test_comments_of_the_example_tell_the_true_defaults() -> None:
    """A commented setting shows what holds without it."""
    tables = {"site": SiteTable, "broker": Broker, "panel": Panel, "bridge": BridgeTable, "clock": ClockTable}
    tables |= {"policy": Policy, "ports": Port}
    table, seen = "", 0
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if header := re.match(r"\[+(\w+)", line):
            table = header[1]
        if (told := re.match(r"# (\w+) = ", line)) and table in tables:
            default = tables[table].model_fields[told[1]].default
            if default is not None:
                assert tomllib.loads(line[2:])[told[1]] == default, line
                seen += 1
    assert seen > 15
