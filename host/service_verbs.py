"""`riser service install`, `uninstall` and `show`: starting with the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from host import adapters, mosquitto, standing, units
from host.backup import units as backup_units
from host.exits import FAILED, FINE, IN_USE, MISSING, USAGE, Trouble
from host.layout import check_site, read_site
from host.places import ROOT
from host.service import Run, carry_out, installation, removal
from host.status import live_run
from host.units import DATA, NAME, RULES, SITE, UNIT, USER, Wanted

MACHINE = Path("/")


def say(text: str) -> None:
    """A sentence for the person, apart from what a program may read from stdout."""
    click.echo(f"riser: {text}", err=True)


def about(command: click.decorators.FC) -> click.decorators.FC:
    """The three things that can be chosen, the same for `install` and `show`."""
    absolute = click.Path(path_type=Path, readable=False)  # Without root it may be closed to us; that is told later.
    for option in (
        click.option("--user", metavar="NAME", default=USER, show_default=True, help="Who runs it."),
        click.option("--data", type=absolute, metavar="DIR", default=DATA, show_default=True, help="Data directory."),
        click.option("--site", type=absolute, metavar="FILE", default=SITE, show_default=True, help="Your site file."),
        click.option("--backup-to", type=absolute, metavar="DIR", help="Where nightly backups go [DATA/backups]."),
        click.option("--backup-secrets", type=absolute, metavar="FILE", help="Passphrase that seals their secrets."),
    ):
        command = option(command)
    return command


root_option = click.option(
    "--root", type=click.Path(path_type=Path), metavar="DIR", default=MACHINE,
    help="Write below DIR, for an image; no command is run.",
)  # fmt: skip


@click.group("service", invoke_without_command=False)
def service() -> None:
    """Start with the machine: install, uninstall, show."""


@service.command("install")
@about
@root_option
def install_verb(
    site: Path, data: Path, user: str, root: Path, backup_to: Path | None, backup_secrets: Path | None
) -> int:
    """Make this machine start Riser; done again, it changes only what differs."""
    wanted, root = _wanted(site, data, user, backup_to, backup_secrets), root.absolute()
    if root == MACHINE:
        _needs("install")
        _prepare(wanted)
    found = standing.look(wanted, root, _read_by_riser(wanted, root))
    if root == MACHINE and not found.active and (run := live_run(wanted.data)):
        raise Trouble(IN_USE, f"Riser runs there already, from a terminal (process {run.pid}); end it, then install")
    steps = installation(wanted, found)
    carry_out(steps, root, say)
    if not steps:
        say(f"nothing to do: {NAME} is installed as it should be, and runs")
    if root == MACHINE:
        for line in adapters.lines(adapters.found()):
            say(f"in the site file: {line}")
        say(f"look at it with: sudo {ROOT}/riser status --data {wanted.data}   or: journalctl -u {NAME}")
    elif left := [each for each in steps if isinstance(each, Run)]:
        say("left for the machine itself: " + "; ".join(" ".join(each.argv) for each in left))
    return FINE


@service.command("uninstall")
@root_option
def uninstall_verb(root: Path) -> int:
    """End Riser and take it out of the machine's start. Data, site file and user stay."""
    root = root.absolute()
    if root == MACHINE:
        _needs("uninstall")
    found = standing.look(_wanted(SITE, DATA, USER), root)
    steps = removal(found)
    carry_out(steps, root, say)
    if not steps:
        say("nothing to do: this machine does not start Riser")
    say("the data directory, the site file and the user stay; they are yours to keep or to remove")
    return FINE


@service.command("show")
@about
def show_verb(site: Path, data: Path, user: str, backup_to: Path | None, backup_secrets: Path | None) -> int:
    """Print what install would write, and the name of each serial adapter for the site file."""
    wanted = _wanted(site, data, user, backup_to, backup_secrets)
    files = {UNIT: units.unit(wanted), RULES: units.rules(), **backup_units.texts(wanted)}
    for path, text in files.items():
        click.echo(f"# {path}\n{text}")
    click.echo("# Serial adapters of this machine, for the site file")
    for line in adapters.lines(adapters.found()):
        click.echo(f"# {line}")
    return FINE


def _wanted(
    site: Path, data: Path, user: str, backup_to: Path | None = None, backup_secrets: Path | None = None
) -> Wanted:
    python = Path(sys.executable).resolve()
    to, sealed_by = (None if each is None else each.expanduser().resolve() for each in (backup_to, backup_secrets))
    wanted = Wanted(ROOT, python, site.expanduser().resolve(), data.expanduser().resolve(), user, to, sealed_by)
    wanted.check()
    return wanted


def _needs(verb: str) -> None:
    if not standing.has_systemd():
        raise Trouble(MISSING, "this machine was not started by systemd; let what starts it run `riser up --site FILE`")
    if not standing.is_root():
        raise Trouble(USAGE, f"that changes this machine and needs root; type: sudo ./riser service {verb}")


def _prepare(wanted: Wanted) -> None:
    """What must hold before anything is changed, and what must not be installed at boot."""
    check_site(wanted.site)  # As `up` does: the edge alone knows a model that does not exist.
    site = read_site(wanted.site)
    if doors := standing.closed_doors(wanted):
        raise Trouble(
            FAILED,
            f"{wanted.user} could not run it: {'; '.join(doors)}. Move it, to /opt/riser for one, or open the door",
        )
    if site.broker.url is None:
        mosquitto.ensure_installed(say)
        if standing.packaged_broker_runs():
            say("Debian's own mosquitto.service runs too; where it holds the port, Riser's broker takes the next one")
            say("to end it, type: sudo systemctl disable --now mosquitto")


def _read_by_riser(wanted: Wanted, root: Path) -> tuple[Path, ...]:
    """The site file and the file it names for the broker's password."""
    if root != MACHINE:
        return ()
    password = read_site(wanted.site).broker.password_file
    return (wanted.site, wanted.site.parent / Path(password).expanduser()) if password else (wanted.site,)
