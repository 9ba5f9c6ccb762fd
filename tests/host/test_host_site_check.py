"""`riser site check` and `riser doctor` as a person types them, while Riser does not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host import demo, site_check
from host.exits import FAILED, Trouble
from host.site_check import Checked
from tests.host.conftest import ROOT
from tests.host.doctor_snapshots import MODELS, site

pytestmark = pytest.mark.processes


def riser(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "riser.py"), *words], env={**os.environ, "RISER_DATA": str(data)},
        capture_output=True, text=True, timeout=60, cwd=data,
    )  # fmt: skip


def test_a_good_file_and_a_bad_one(tmp_path: Path) -> None:
    """Good: counted, exit code 0. Bad: each mistake with its path on a line, those that only the edge knows too; 2."""
    good = riser("site", "check", str(demo.SITE), data=tmp_path)
    assert good.returncode == 0
    assert good.stdout.startswith("the site file is good: 3 ports, 26 meters, 24 accounts\n")
    assert "6 accounts never cut" in good.stdout
    bad = tmp_path / "bad.toml"  # A relative name, and two mistakes that only the edge finds.
    text = demo.SITE.read_text(encoding="utf-8")
    bad.write_text(text.replace('"dlt645-1p"', '"dlt645-9p"', 2), encoding="utf-8")
    told = riser("site", "check", "bad.toml", data=tmp_path)
    assert told.returncode == 2
    assert told.stdout.count("there is no model 'dlt645-9p'") == 2 and "meters[1] (a101).model" in told.stdout
    mistaken = site_check.as_json(site_check.check(bad))
    assert mistaken["good"] is False and len(mistaken["mistakes"]) == 2  # type: ignore[arg-type]
    assert site_check.code(site_check.check(tmp_path / "none.toml")) == 2


def test_the_doctor_from_the_shell(tmp_path: Path) -> None:
    """It speaks on stdout, its exit code says whether something is wrong, and it leaves the directory empty."""
    told = riser("doctor", "--site", str(demo.SITE), "--json", data=tmp_path)
    table = json.loads(told.stdout)
    assert told.stderr == "" and told.returncode == (1 if table["wrong"] else 0)
    lines = [each for each in table["findings"] if each["group"] == "ports" and each["severity"] == "wrong"]
    assert len(lines) == 3 and all("is not there" in each["sentence"] for each in lines)
    assert told.returncode == 1 and list(tmp_path.iterdir()) == []


def test_what_is_allowed_and_perhaps_not_meant() -> None:
    """A name that may change, an idle port, a tariff nobody has, a clock believed blindly: said, and still good."""
    odd = site(
        ("/dev/serial/by-id/usb-FTDI_FT232R_A1", "/dev/ttyUSB0"), ('meters = ["a101", "a102"]', 'meters = ["a101"]'),
        more='[[ports]]\nid = "line-2"\ndevice = "/dev/b"\nprotocol = "modbus-rtu"\n[clock]\ntrust = "always"\n'
             '[[tariffs]]\nid = "home"\nname = "Home"\nkind = "single"\nprice = "1"\n',
    )  # fmt: skip
    checked = Checked(Path("/s"), odd, (), MODELS)
    told = "\n".join(site_check.told(checked))
    assert site_check.code(checked) == 0
    for words in ("/dev/ttyUSB0 may be another adapter", "no meter is on port line-2", "1 meter without an account",
                  "no account has the tariff home", 'clock.trust = "always"'):  # fmt: skip
        assert words in told
    assert list(site_check.worth_knowing(Checked(Path("/s"), site(), (), MODELS))) == []


def test_an_edge_that_cannot_be_asked_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken Python ends in a sentence with its last words, not in a stack trace."""
    broken = subprocess.CompletedProcess(
        [], 1, stdout="", stderr="Traceback\nModuleNotFoundError: No module named 'x'\n"
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: broken)
    with pytest.raises(Trouble) as told:
        site_check.check(demo.SITE)
    assert told.value.code == FAILED and told.value.sentence.endswith("No module named 'x'")
