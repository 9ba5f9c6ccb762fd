"""The shell script `riser`: from anywhere, on any machine, and a second start without pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.host.conftest import ROOT

pytestmark = pytest.mark.processes

STUB = """#!/bin/sh
# A Python for the test: notes what it is asked, makes a .venv of copies of itself, answers what it is told to.
echo "$0 $*" >> "{log}"
case "$*" in
    *"import ensurepip"*) [ ! -e "{answers}/no-ensurepip" ] ;;
    *version_info\\[*) echo 3.11 ;;
    *version_info*click*) [ -e "{answers}/installed" ] ;;
    *version_info*) [ ! -e "{answers}/old" ] ;;
    *"--version"*) [ ! -e "{answers}/no-pip" ] && echo "Python 3.11.2" ;;
    "-m venv"*)
        for last; do :; done
        mkdir -p "$last/bin" && touch "$last/pyvenv.cfg" && cp "$0" "$last/bin/python"
        ;;
    *"install"*)
        [ ! -e "{answers}/no-network" ] || {{ echo "ERROR: no network"; exit 1; }}
        echo "Collecting click==8.5.1"
        echo "Installing collected packages: click"
        touch "{answers}/installed"
        ;;
    *riser.py*) shift; echo "handed over: $*" ;;
esac
"""


class Checkout:
    """A scratch copy of what the script needs, with a pretended Python."""

    def __init__(self, directory: Path):
        self.home, self.tools, self.answers = directory / "a b/riser", directory / "tools", directory / "answers"
        for each in (self.home, self.tools, self.answers):
            each.mkdir(parents=True)
        self.log = directory / "log"
        shutil.copy(ROOT / "riser", self.home)
        (self.home / "requirements.txt").write_text("click==8.5.1\n")
        (self.home / "requirements-test.txt").write_text("-r requirements.txt\npytest==9.2.0\n")
        for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
            stub = self.tools / name
            stub.write_text(STUB.format(log=self.log, answers=self.answers))
            stub.chmod(0o755)

    def answer(self, name: str) -> None:
        (self.answers / name).touch()

    def run(
        self, *words: str, command: str = "", cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the script under dash where there is one. `asked` afterwards holds what Python was asked."""
        self.log.write_text("")
        shell = shutil.which("dash") or "/bin/sh"
        base = {"PATH": f"{self.tools}:/usr/bin:/bin", "HOME": str(self.home)}
        return subprocess.run(
            [shell, command or str(self.home / "riser"), *words],
            env={**base, **(environ or {})}, cwd=cwd or "/", capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    @property
    def asked(self) -> str:
        return self.log.read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_start_makes_everything_and_the_second_calls_no_pip(checkout: Checkout) -> None:
    """The first start shows three steps and hands over; the second hands over at once and in silence."""
    first = checkout.run("status", "--json")
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"handed over: {''.join(['status', ' --json'])}\n"
    for words in ("1/3 making .venv", "2/3 installing 1 pinned", "1 of 1  click==8.5.1", "3/3 ready"):
        assert words in first.stderr
    second = checkout.run("status")
    assert (second.stdout, second.stderr) == ("handed over: status\n", "")
    assert "pip" not in checkout.asked.replace("ensurepip", "")
    assert len(checkout.asked.splitlines()) == 2


def test_it_works_from_anywhere(checkout: Checkout, tmp_path: Path) -> None:
    """Through chained symbolic links, from another folder, by a relative path: it finds its own folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/inner").symlink_to(checkout.home / "riser")
    (tmp_path / "riser").symlink_to("bin/inner")
    for command, cwd in (("./riser", checkout.home), ("riser", checkout.home), ("riser/riser", checkout.home.parent)):
        assert checkout.run("x", command=command, cwd=cwd).stdout == "handed over: x\n"
    assert checkout.run("x", command="../riser", cwd=tmp_path / "bin").stdout == "handed over: x\n"
    assert str(checkout.home / "riser.py") in checkout.asked


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "/nowhere/at/all"}])
def test_a_missing_home_does_not_matter(checkout: Checkout, home: dict[str, str]) -> None:
    """A service without a home, or with one that does not exist, starts like any other."""
    assert checkout.run("x", environ=home).returncode == 0


def test_changed_pins_are_installed_at_the_next_start(checkout: Checkout) -> None:
    """After an update of the programs the next start installs what changed, into the .venv that is there."""
    checkout.run("x")
    (checkout.home / "requirements.txt").write_text("click==8.5.2\n")
    again = checkout.run("x")
    assert "2/3 installing" in again.stderr and "1/3" not in again.stderr
    assert checkout.run("x").stderr == ""


def test_the_tests_bring_their_own_packages(checkout: Checkout) -> None:
    """`riser up` installs what the programs need; only `riser test` adds what the tests need."""
    checkout.run("up")
    assert "requirements-test.txt" not in checkout.asked
    checkout.run("test")
    assert "requirements-test.txt" in checkout.asked
    assert checkout.run("up").stderr == ""


def test_without_network_an_update_leaves_the_old_venv(checkout: Checkout) -> None:
    """A failed installation shows pip's own words and what to do, and does not destroy a .venv that worked."""
    checkout.run("x")
    (checkout.home / "requirements.txt").write_text("click==8.5.2\n")
    (checkout.home / ".venv/precious").touch()
    checkout.answer("no-network")
    failed = checkout.run("x")
    assert failed.returncode == 1
    assert "ERROR: no network" in failed.stderr and "start again" in failed.stderr
    assert (checkout.home / ".venv/precious").exists()
    (checkout.answers / "no-network").unlink()
    assert checkout.run("x").stdout == "handed over: x\n"


def test_an_old_python_is_one_sentence(checkout: Checkout) -> None:
    """Where Python is too old or missing the person is told what to install, with exit code 4."""
    checkout.answer("old")
    done = checkout.run("x", environ={"PATH": f"{checkout.tools}:/bin"})
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "Python 3.11 or newer is needed" in done.stderr


def test_without_ensurepip_the_systems_pip_helps(checkout: Checkout) -> None:
    """A Python without ensurepip but with pip of its own needs nobody's help."""
    checkout.answer("no-ensurepip")
    assert checkout.run("x").returncode == 0
    assert "venv --without-pip" in checkout.asked and "pip --python" in checkout.asked


def test_without_ensurepip_and_pip_debians_package_is_installed_or_named(checkout: Checkout) -> None:
    """As root or with sudo Debian's package is installed and named; else there is one line to type, and exit code 4."""
    checkout.answer("no-ensurepip")
    checkout.answer("no-pip")
    for name, script in (("id", "echo 1000"), ("sudo", "exit 1"), ("apt-get", 'echo "apt $*" >> "$APT_LOG"')):
        (checkout.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (checkout.tools / name).chmod(0o755)
    refused = checkout.run("x")
    assert refused.returncode == 4
    assert "type: sudo apt-get install -y python3.11-venv" in refused.stderr
    (checkout.tools / "id").write_text("#!/bin/sh\necho 0\n")
    apt_log = checkout.home / "apt"
    allowed = checkout.run("x", environ={"APT_LOG": str(apt_log)})
    assert "installing Debian's package python3.11-venv" in allowed.stderr
    assert apt_log.read_text() == "apt install -y --no-install-recommends python3.11-venv\n"


def test_a_half_made_venv_is_noticed(tmp_path: Path) -> None:
    """With a real Python and a real pip: a .venv cut off in the making is made anew, and then it works."""
    home = tmp_path / "riser"
    home.mkdir()
    shutil.copy(ROOT / "riser", home)
    wheel = tmp_path / "click-8.5.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as out:
        out.writestr("click.py", "")
        out.writestr("click-8.5.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: click\nVersion: 8.5.1\n")
        out.writestr("click-8.5.1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr("click-8.5.1.dist-info/RECORD", "click.py,,\n")
    (home / "requirements.txt").write_text(f"{wheel}\n")
    (home / "riser.py").write_text("import sys; print('handed over', *sys.argv[1:])\n")
    interpreter = home / ".venv/bin/python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(os.path.realpath(sys.executable))
    done = subprocess.run([str(home / "riser"), "x"], capture_output=True, text=True, timeout=110, cwd="/")
    assert (done.returncode, done.stdout) == (0, "handed over x\n"), done.stderr
    assert ".venv is half made" in done.stderr
    (home / ".venv/riser-run").unlink()
    again = subprocess.run([str(home / "riser"), "x"], capture_output=True, text=True, timeout=110, cwd="/")
    assert "1/3" not in again.stderr and "2/3" in again.stderr, "a whole .venv without its stamp is completed"
    assert again.stdout == "handed over x\n"
