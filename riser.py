"""The front door: `riser <verb>`. It starts the programs and imports none of them; each verb is a few lines here."""

from __future__ import annotations

import errno
import json
import logging
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import click

from bridge.contract.clock import SystemClock
from bridge.contract.os_words import in_words
from host import checks, mosquitto, peers, site_check
from host.answer_words import zone_of
from host.backup.verbs import backup, restore_verb
from host.demo import FASTEST, SPEED
from host.doctor import telling
from host.doctor.visit import code, visit
from host.exits import FAILED, FINE, NOT_RUNNING, Trouble, table_text
from host.handing import PASSES_ON, become, hand_over
from host.journal import Terminal
from host.layout import Wish
from host.places import base_directory
from host.price_verbs import price
from host.programs import SIM
from host.request import fields_of, limit_of, outcome, person, request
from host.service_verbs import service
from host.status import as_json, as_lines, gather, live_run
from host.up import up

data_option = click.option("--data", metavar="DIR", help="Data directory [default: RISER_DATA, else var].")
json_option = click.option("--json", "as_json_text", is_flag=True, help="One line of JSON for programs.")


def say(text: str) -> None:
    """A sentence for the person, apart from what a program may read from stdout."""
    click.echo(f"riser: {text}", err=True)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExit codes:\n" + table_text(),
)
def main() -> None:
    """Riser: a prepaid metering gateway for the electrical shaft."""


main.add_command(service)
main.add_command(price)
main.add_command(backup)
main.add_command(restore_verb)


@main.command("up")
@click.option("--demo", is_flag=True, help="A shaft of simulated meters, a fresh book, a faster calendar.")
@click.option(
    "--speed", type=click.FloatRange(1, FASTEST), metavar="N", help=f"How fast the demo's calendar runs [{SPEED:g}]."
)
@click.option("--site", type=click.Path(path_type=Path), metavar="FILE", help="Your site file: real ports, real time.")
@click.option("--practice", is_flag=True, help="With --site: simulated meters behind its ports, and a book of its own.")
@data_option
@click.option(
    "--panel-listen", envvar="RISER_PANEL_LISTEN", metavar="ADDRESS", help="Address of the panel, such as 0.0.0.0."
)
@click.option("--panel-port", type=click.IntRange(1, 65535), metavar="N", help="Port of the panel.")
@click.option("--no-browser", is_flag=True, help="Do not open the panel in a browser.")
@click.option("--begin-anew", is_flag=True, help="Begin an empty book although there was one: it is really lost.")
@click.option("--restored", is_flag=True, help="This is a restored copy: nobody is cut before --recovered-by.")
@click.option("--recovered-by", metavar="NAME", help="Leave mode recovery: you say that every payment is booked again.")
def up_verb(
    demo: bool,
    speed: float | None,
    site: Path | None,
    practice: bool,
    data: str | None,
    panel_listen: str | None,
    panel_port: int | None,
    no_browser: bool,
    begin_anew: bool,
    restored: bool,
    recovered_by: str | None,
) -> int:
    """Run everything this machine should run, until Ctrl-C."""
    if demo and site:
        raise click.UsageError("--demo brings a site of its own; leave out --demo or --site")
    if speed is not None and not demo:
        raise click.UsageError("--speed belongs to --demo; a real site runs on the machine's own clock")
    if practice and demo:
        raise click.UsageError("--practice belongs to --site; the demo has simulated meters already")
    said = {"--begin-anew": begin_anew, "--restored": restored}
    once = (*(word for word, is_said in said.items() if is_said),)
    once += ("--recovered-by", recovered_by) if recovered_by else ()
    wish = Wish(demo, speed or SPEED, site, practice, panel_listen, panel_port, demo and not no_browser, once)
    terminal = Terminal(sys.stdout)
    try:
        return up(base_directory(data), wish, terminal, say)
    finally:
        terminal.close()


@main.command("status")
@click.option("--ready", is_flag=True, help="Exit code 1 while anything stands between this and ready.")
@json_option
@data_option
def status_verb(ready: bool, as_json_text: bool, data: str | None) -> int:
    """What runs here."""
    standing = gather(live_run(base_directory(data)))
    if as_json_text:
        click.echo(json.dumps(as_json(standing), ensure_ascii=False))
    else:
        click.echo("\n".join(as_lines(standing)))
    if standing.run is None:
        return NOT_RUNNING
    return FAILED if ready and not standing.ready else FINE


@main.command("request")
@click.argument("operation")
@click.argument("fields", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--who", help="The person who asks [default: you].")
@click.option("--role", default="manager", show_default=True, help="In which role.")
@click.option("--transaction", help="Ask again under the same id; the answer is the first one's.")
@click.option(
    "--timeout", type=click.FloatRange(1, 3600), metavar="SECONDS", help="[30; off and on 150: a valve turns slowly]"
)
@json_option
@data_option
def request_verb(
    operation: str,
    fields: tuple[str, ...],
    who: str | None,
    role: str,
    transaction: str | None,
    timeout: float | None,
    as_json_text: bool,
    data: str | None,
) -> int:
    """A signed request and its answer, such as: riser request topup account=100206 amount_fen=20000 method=cash

    off and on switch the supply of every kind of meter: a relay opens and closes, a valve closes and opens. trip and
    close are the same for relays alone.
    """
    timeout = limit_of(operation) if timeout is None else timeout
    words = fields_of(operation, fields)
    run = live_run(base_directory(data))
    if run is None:
        raise Trouble(NOT_RUNNING, "Riser does not run here; start it with `riser up`")
    heard = request(
        run, operation, words, who=who or person(), role=role, transaction=transaction, limit_s=timeout
    )  # fmt: skip
    code, sentence = outcome(heard, timeout, zone_of(run))
    if as_json_text:
        click.echo(json.dumps([each.model_dump(exclude_none=True) for each in heard], ensure_ascii=False))
    else:
        click.echo(sentence)
    return code


@main.command("test", context_settings=PASSES_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test_verb(arguments: tuple[str, ...]) -> int:
    """Style, types and all tests; with arguments pytest alone, which gets them."""
    mosquitto.ensure_installed(say)
    peers.try_to_install(say)
    return checks.run(checks.plan(arguments), say)


@main.command("sim", context_settings=PASSES_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sim_verb(arguments: tuple[str, ...]) -> NoReturn:
    """A shaft of simulated meters on pseudo-terminals; `riser sim fault` sets and clears faults while it runs."""
    if arguments[:1] == ("fault",) and (run := live_run(base_directory(None))) is not None:
        os.environ.setdefault("RISER_SIM_RUN", str(run.directory / SIM))
    become("firmware_sim", arguments)


@main.command("doctor")
@click.option(
    "--site", type=click.Path(path_type=Path), metavar="FILE", help="The site file [default: the one in use]."
)
@json_option
@data_option
def doctor_verb(site: Path | None, as_json_text: bool, data: str | None) -> int:
    """What is wrong with this installation, in sentences. Changes nothing. 0: nothing is wrong, 1: something is."""
    typed = shlex.join(["./riser", *sys.argv[1:]])
    findings, head = visit(base_directory(data), site, SystemClock(), typed, data)
    if as_json_text:
        click.echo(json.dumps(telling.as_json(findings), ensure_ascii=False))
    else:
        click.echo("\n".join(telling.lines(findings, head, shutil.get_terminal_size().columns, typed)))
    return code(findings)


@main.group("site")
def site_group() -> None:
    """The site file."""


@site_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def site_check_verb(file: Path, as_json_text: bool) -> int:
    """Every mistake of a site file at once, each with its path. 0: it is good, 2: it is not."""
    checked = site_check.check(file)
    told = [json.dumps(site_check.as_json(checked), ensure_ascii=False)] if as_json_text else site_check.told(checked)
    click.echo("\n".join(told))
    return site_check.code(checked)


@main.group("model")
def model_group() -> None:
    """Meter models."""


hand_over(main, "scan", "edge.scan", "What is on a serial line: protocol, speed, meters, an address given twice.")
hand_over(main, "meter", "edge.by_hand", "One meter by hand, on a line nobody else holds: read it, or order it.")
hand_over(main, "decode", "edge.explain", "Any frame of a meter line, explained byte by byte.")
hand_over(main, "explain", "edge.audit.explain", "One entry of the book in full: readings, frames, prices, balances.")
hand_over(main, "verify", "edge.audit.verify", "Derive the whole book again; name the first entry that lies.")
hand_over(main, "statement", "edge.audit.statement", "An account's month on paper: registers, money, every posting.")
hand_over(main, "vouchers", "edge.audit.vouchers", "The book's money for accounting, as CSV or XLSX.")
hand_over(main, "simulate", "tests.simulate", "Years of bad luck under a clock of their own; every invariant checked.")
hand_over(main, "prove", "tests.prove", "Prove what is promised: simulated years, kills, power cuts, hostile input.")
hand_over(main, "bench", "tests.bench", "Measure against the limits: riser bench NAME.")
hand_over(model_group, "check", "edge.model_file", "Every mistake of a model's file, and each row against its frame.")


def front_door() -> int:
    """Run a verb; whatever goes wrong ends in one sentence and a documented exit code."""
    logging.getLogger("riser").addHandler(logging.NullHandler())  # A verb says itself what a person must know.
    try:
        return main(prog_name="riser", standalone_mode=False) or 0
    except Trouble as trouble:
        say(trouble.sentence)
        return trouble.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return FAILED
    except OSError as error:
        remedy = "; make room, or choose another directory with --data" if error.errno == errno.ENOSPC else ""
        say(f"{error.filename or 'this machine'}: {in_words(error)}{remedy}")
        return FAILED


if __name__ == "__main__":
    sys.exit(front_door())
