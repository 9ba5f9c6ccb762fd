"""`riser test` names what failed, and the pinned packages agree with what the project asks for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from host import checks, exits, lock


def test_all_checks_run_and_each_failure_is_named(tmp_path: Path) -> None:
    """One failing check does not hide the others, and the whole fails."""
    said: list[str] = []
    commands = [(name, [sys.executable, "-c", f"raise SystemExit({code})"]) for name, code in (("a", 0), ("b", 1))]
    commands.append(("c", [sys.executable, "-c", "open('ran', 'w')"]))
    assert checks.run(commands, said.append, tmp_path) == exits.FAILED
    assert said[-3:] == ["a passed", "b FAILED", "c passed"]
    assert (tmp_path / "ran").exists()
    assert checks.run(commands[:1], said.append, tmp_path) == exits.FINE


def test_arguments_reach_pytest_alone() -> None:
    """`riser test tests/host -k up` runs those tests and nothing else."""
    assert checks.plan(["-k", "up"]) == [("tests", [sys.executable, "-m", "pytest", "-k", "up"])]
    assert [name for name, _ in checks.plan([])] == ["style", "types", "tests"]


def test_a_persons_settings_do_not_reach_the_tests() -> None:
    """A person who has RISER_DATA set does not lose data to a test."""
    assert checks.surroundings({"RISER_DATA": "/srv/book", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_every_package_has_one_exact_version() -> None:
    """What is installed for a site was installed for the tests: every package, also of the second row, is pinned."""
    for name, wanted in lock.render().items():
        written = (lock.ROOT / name).read_text().splitlines()
        missing = set(wanted.splitlines()) - set(written)
        assert not missing, f"{name} lacks {missing}; run `python -m host.lock`"


def test_the_pins_are_the_projects_own() -> None:
    """pyproject.toml and the pinned files name the same versions of what Riser itself imports."""
    run, test = lock.direct()
    for name, direct in ((lock.RUN, run), (lock.TEST, test)):
        pinned = dict(
            line.partition(" ;")[0].split("==") for line in (lock.ROOT / name).read_text().splitlines() if "==" in line
        )
        for text in direct:
            requirement = Requirement(text)
            assert str(requirement.specifier) == f"=={pinned[lock.canonical(requirement.name)]}"


def test_a_package_in_another_version_than_pinned_is_an_error(tmp_path: Path) -> None:
    """The pinned files cannot be written from a machine that has other versions."""
    with pytest.raises(ValueError, match="is asked for"):
        lock.closure(["click==0.1"])
    with pytest.raises(ValueError, match="not installed"):
        lock.closure(["no-such-package-of-riser==1"])


def test_every_exit_code_is_documented() -> None:
    """Each exit code stands in the help with its meaning."""
    codes = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert codes == set(exits.TABLE)
    assert all(words in exits.table_text() for words in exits.TABLE.values())
