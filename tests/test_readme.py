"""The README tells the truth: its commands exist, its site file loads, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from bridge.contract.document import render
from bridge.contract.site import Site
from bridge.contract.site_file import load, references
from edge import install, model

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
    """The list of models beside `model =` names each one, and none that is missing."""
    (line,) = [line for line in README.splitlines() if line.startswith("model = ")]
    assert set(re.findall(r"[a-z0-9]+-[a-z0-9]+", line.split("#")[1])) == set(model.known())


def test_links_lead_somewhere() -> None:
    """Every file that README or CHANGELOG points to is there."""
    for page in ("README.md", "CHANGELOG.md", "docs/home-assistant.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page} points to {target}"


def test_the_topic_table_is_up_to_date() -> None:
    """docs/mqtt.md says what the messages say; `python -m bridge.contract.document > docs/mqtt.md` writes it anew."""
    assert (ROOT / "docs" / "mqtt.md").read_text(encoding="utf-8") == render()
