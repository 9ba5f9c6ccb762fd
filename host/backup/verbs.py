"""`riser backup` and `riser restore`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from bridge.contract.clock import SystemClock
from host.backup import make, restore
from host.exits import FINE, USAGE, Trouble
from host.layout import SITE_NAME
from host.places import base_directory, version
from host.request import person
from host.status import live_run

SECRETS = click.Path(path_type=Path)
FILE = click.Path(path_type=Path)

json_option = click.option("--json", "as_json_text", is_flag=True, help="One line of JSON for programs.")
without_option = click.option("--without-secrets", is_flag=True, help="Keys, passwords and the panel's users stay out.")


def say(text: str) -> None:
    click.echo(f"riser: {text}", err=True)


@click.command("backup")
@click.option("--to", type=FILE, metavar="DIR|FILE", help="Where to [default: backups in the data directory].")
@click.option("--secrets", type=SECRETS, metavar="FILE", help="Seal the secrets with the passphrase in this file.")
@without_option
@click.option(
    "--keep", type=click.IntRange(1, 10_000), metavar="N", help="Remove all but the newest N of this gateway."
)
@click.option("--site", type=FILE, metavar="FILE", help="The site file [default: the one in use].")
@click.option("--data", metavar="DIR", help="Data directory [default: RISER_DATA, else var].")
@json_option
def backup(
    to: Path | None, secrets: Path | None, without_secrets: bool, keep: int | None, site: Path | None,
    data: str | None, as_json_text: bool,
) -> int:  # fmt: skip
    """A copy of the book, the site file and the secrets, proved by restoring it. Riser may run meanwhile.

    Without --secrets keys and passwords stay out, and so do the panel's users. The archive is no part of it.
    """
    base = base_directory(data)
    run = live_run(base)
    directory = run.directory if run is not None else base
    site_file = site or (Path(run.site) if run is not None else directory / SITE_NAME)
    target = make.directory_of(directory, to)
    made = make.make(directory, site_file, target, passphrase(secrets, without_secrets), keep, SystemClock(), version())
    click.echo(json.dumps(asdict(made), ensure_ascii=False) if as_json_text else make.told(made))
    return FINE


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--into", metavar="DATA", help="Data directory [default: RISER_DATA, else var].")
@click.option("--secrets", type=SECRETS, metavar="FILE", help="The passphrase that the secrets were sealed with.")
@without_option
@click.option("--gateway", metavar="ID", help="Take this gateway's backup although another one's book is here.")
@click.option("--who", help="The person who restores [default: you].")
@json_option
def restore_verb(
    file: Path, into: str | None, secrets: Path | None, without_secrets: bool, gateway: str | None, who: str | None,
    as_json_text: bool,
) -> int:  # fmt: skip
    """Put a backup in the place of the book here. Refused while Riser runs on it; what was there is kept aside.

    The gateway then cuts nobody until a named person says that all payments since the backup are in the book again.
    """
    word = passphrase(secrets, without_secrets)
    if not file.is_file():
        raise Trouble(USAGE, f"there is no file {file}")
    done = restore.restore(
        file, base_directory(into), word, not without_secrets, gateway, who or person(), version(), SystemClock()
    )
    if as_json_text:
        found = {**asdict(done), "data": str(done.data), "aside": None if done.aside is None else str(done.aside)}
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for line in restore.told(done):
            click.echo(line)
    return FINE


def passphrase(path: Path | None, without: bool) -> bytes | None:
    """None where secrets stay out. Raises Trouble."""
    if path is None:
        return None
    if without:
        raise Trouble(USAGE, "--secrets and --without-secrets are two different wishes; leave one of them out")
    from host.backup import sealed  # Only where it is wanted.

    return sealed.passphrase_of(path)
