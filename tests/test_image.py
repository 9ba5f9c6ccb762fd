"""The container image and compose.yaml hold together: stages, user, sources, tags, mounts. Read, not built."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site_file import load as load_site
from edge import install
from host.ready import UNATTENDED
from riser import main
from tests import yaml_subset

ROOT = Path(__file__).parents[1]
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
PINNED = re.compile(r"^[a-z0-9./-]+:\d+\.\d+\.\d+(-[a-z]+)*$")


@dataclass
class Stage:
    """One stage of the Dockerfile: its base, and its instructions in order."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [rest for instruction, rest in self.instructions if instruction == word]


def dockerfile() -> dict[str, Stage]:
    """{name: stage}, in order."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    stages: dict[str, Stage] = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        word, rest = line.split(None, 1)
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(base, name)
        else:
            list(stages.values())[-1].instructions.append((word, rest))
    return stages


def lineage(name: str) -> list[Stage]:
    """A stage and those it stands on, the lowest first."""
    stages = dockerfile()
    found = [stages[name]]
    while found[0].base in stages:
        found.insert(0, stages[found[0].base])
    return found


def environment(name: str) -> dict[str, str]:
    words = [word for stage in lineage(name) for rest in stage.all("ENV") for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


def copies(name: str) -> list[tuple[str | None, list[str], str]]:
    """(from which stage, sources, target) of every COPY of a stage."""
    found = []
    for rest in dockerfile()[name].all("COPY"):
        words = shlex.split(rest)
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        found.append((options[0].removeprefix("--from=") if options else None, sources, target))
    return found


def ignored(path: str) -> bool:
    """True when .dockerignore keeps a path of the repository out of every build. The last line that fits decides."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        keeps, pattern = line.startswith("!"), line.removeprefix("!")
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            head = "/".join(parts[:end])
            if fnmatch(head, pattern) or (pattern.startswith("**/") and fnmatch(parts[end - 1], pattern[3:])):
                verdict = not keeps
    return verdict


COMPOSE: dict[str, Any] = yaml_subset.load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
LINES: dict[str, Any] = yaml_subset.load((ROOT / "deploy/lines.example.yaml").read_text(encoding="utf-8"))


def test_every_foreign_image_has_one_meaning() -> None:
    """What is built today is built next year: each image from outside is pinned to a version of three numbers."""
    stages = dockerfile()
    foreign = [stage.base for stage in stages.values() if stage.base not in stages]
    foreign += [service["image"] for service in COMPOSE["services"].values() if "build" not in service]
    assert foreign and all(PINNED.match(image) for image in foreign), foreign
    assert len({base for base in foreign if base.startswith("python:")}) == 1
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["python_version"]
    assert foreign[0].startswith(f"python:{asked}.") and foreign[0].endswith("-slim-bookworm")


def test_one_file_for_every_processor() -> None:
    """Nothing in the build names a processor, so the Pi's image and the server's come from the same lines."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8") + (ROOT / "compose.yaml").read_text(encoding="utf-8")
    instructions = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"amd64|arm64|aarch64|x86_64|armv7|armhf|--platform|platform:", instructions)


def test_the_last_stage_is_what_a_site_runs() -> None:
    """`docker build .` gives the image for a site: no root, no compiler, no pip run, nothing but what it needs."""
    stages = dockerfile()
    assert list(stages) == ["packages", "programs", "system", "test", "run"]
    run = lineage("run")
    assert [stage.name for stage in run] == ["system", "run"]
    assert run[-1].all("USER") == ["10001"] and run[-1].instructions[0][0] == "USER"
    ran = " ".join(rest for stage in run for rest in stage.all("RUN"))
    assert "pip" not in ran and "gcc" not in ran and "build-essential" not in ran
    assert "--no-install-recommends" in ran and "rm -rf /var/lib/apt/lists/*" in ran
    assert "--uid 10001" in ran and "-o riser -g riser /data" in ran
    assert "--no-cache-dir" in stages["packages"].all("RUN")[0]
    assert not any(stage.all("ADD") for stage in stages.values())


def test_every_program_and_all_its_files_are_in_it() -> None:
    """Each package folder, with its templates, tables and words, reaches the image; nothing copied is missing here."""
    assert {"bridge", "edge", "firmware_sim", "host", "panel"} == PACKAGES
    copied = {source for _, sources, _ in copies("programs") for source in sources}
    assert copied >= PACKAGES | {"riser.py"}
    for name in dockerfile():
        for origin, sources, _ in copies(name):
            for source in sources if origin is None else []:
                assert (ROOT / source).exists() and not ignored(source), source
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*"):
            if "__pycache__" not in path.parts and path.is_file():
                assert not ignored(path.relative_to(ROOT).as_posix()), path
    assert ("programs", ["/opt/riser"], "/opt/riser") in copies("system")
    assert ("packages", ["/packages"], "/usr/local") in copies("system")


@pytest.mark.parametrize(
    "path",
    [
        ".git/config", ".venv/bin/python", "var/book.db", "var/secrets/edge.json", "x/secrets/edge.json",
        "demo/panel.db", "var/first-password.txt", "deploy/site/site.toml", ".env", "compose.override.yaml",
        "edge/__pycache__/a.pyc",
    ],
)  # fmt: skip
def test_no_secret_and_no_rubbish_reaches_a_build(path: str) -> None:
    """Books, passwords, a site's own files and history stay out, even where `COPY . .` takes the rest."""
    assert ignored(path)
    assert not ignored("deploy/site/example.toml") and not ignored("tests/test_image.py")


def test_the_health_check_is_a_command_that_exists() -> None:
    """The container is well when `riser status --ready` says so, and a slow shaft gets time to be read once."""
    (check,) = dockerfile()["run"].all("HEALTHCHECK")
    options, _, command = check.partition(" CMD ")
    words = json.loads(command)
    assert words[0] == "riser"
    verb = main.commands[words[1]]  # type: ignore[attr-defined]
    assert {option for parameter in verb.params for option in parameter.opts} >= set(words[2:])
    assert dict(re.findall(r"--(\S+)=(\d+)", options))["start-period"] == "120"


def test_process_1_hands_on_signals() -> None:
    """`docker stop` reaches Riser, which closes the book; process 1 also collects orphans, which Riser does not."""
    assert "tini" in dockerfile()["system"].all("RUN")[0]
    (run,) = dockerfile()["run"].all("ENTRYPOINT")
    assert json.loads(run) == ["tini", "--", "riser"] and dockerfile()["run"].all("STOPSIGNAL") == ["SIGTERM"]
    wrapper = dockerfile()["programs"].all("RUN")[0]
    assert r"exec python /opt/riser/riser.py" in wrapper, "the front door of the image never tries pip"
    assert "ln -s /opt/riser/riser /usr/local/bin/riser" in dockerfile()["system"].all("RUN")


def test_the_environment_fits_a_container() -> None:
    """Data in the volume, a panel that the published port can reach, no password in a log that others keep."""
    found = environment("run")
    assert (found["RISER_DATA"], found["RISER_PANEL_LISTEN"], found[UNATTENDED]) == ("/data", "0.0.0.0", "1")
    assert not any(word in name for name in found for word in ("PASSWORD", "KEY", "SECRET", "TOKEN"))
    (listen,) = [option for option in main.commands["up"].params if option.name == "panel_listen"]  # type: ignore[attr-defined]
    assert listen.envvar == "RISER_PANEL_LISTEN"


def test_the_test_stage_has_everything_the_tests_need() -> None:
    """The same base, the test packages and the whole repository; `riser test` is what it runs."""
    (stage,) = [stage for stage in lineage("test") if stage.name == "test"]
    assert stage.base == "system" and (None, ["."], ".") in copies("test")
    assert "requirements-test.txt" in stage.all("RUN")[0] and stage.all("USER") == ["10001"]
    assert json.loads(stage.all("CMD")[0]) == ["test"] and "riser.py" in stage.all("ENTRYPOINT")[0]


def test_every_service_is_shut_in() -> None:
    """No service writes its own system, has a capability or gains one, is root, or fills memory, processes or disk."""
    for name in ("mosquitto", "riser"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service, name
        assert service["mem_limit"] and service["pids_limit"] and service["logging"]["options"]["max-size"], name
        assert service["restart"] == "unless-stopped"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), (
            "nobody on the network, unless asked for"
        )
    assert COMPOSE["services"]["mosquitto"]["user"] == "1883:1883"
    assert "profiles" in COMPOSE["services"]["test"], "the tests do not run by `docker compose up`"


def test_compose_and_dockerfile_agree() -> None:
    """Targets exist, the published port is the panel's, the volume is the data's, /tmp belongs to the image's user."""
    services = COMPOSE["services"]
    for name in ("riser", "test"):
        assert services[name]["build"]["target"] in dockerfile()
    riser = services["riser"]
    assert riser["build"]["target"] == list(dockerfile())[-1]
    assert [port.split(":")[-1] for port in riser["ports"]] == dockerfile()["run"].all("EXPOSE")
    mounts = dict(reversed(volume.split(":")[:2]) for volume in riser["volumes"])
    assert mounts["/data"] == "data" and json.loads(dockerfile()["run"].all("VOLUME")[0]) == ["/data"]
    assert riser["tmpfs"] == ["/tmp:uid=10001,gid=10001,mode=0700"]
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] if not source.startswith("./") else (ROOT / source).is_dir()
            assert not source.startswith("./") or volume.endswith(":ro"), (
                "a container does not write into the repository"
            )
    grace = int(riser["stop_grace_period"].removesuffix("s"))
    assert grace >= 30
    words = riser["command"]
    options = {option for parameter in main.commands[words[0]].params for option in parameter.opts}  # type: ignore[attr-defined]
    assert set(words[1::2]) <= options


def test_the_broker_and_riser_of_compose_find_each_other(tmp_path: Path) -> None:
    """The example site names the broker's service, its user, and the file in which its start leaves the password."""
    site = load_site(ROOT / "deploy/site/example.toml")
    assert install.mistakes(site) == []
    services = COMPOSE["services"]
    assert site.broker.url == f"mqtt://mosquitto:{services['mosquitto']['ports'][0].split(':')[-1]}"
    start = (ROOT / "deploy/mosquitto.sh").read_text(encoding="utf-8")
    conf = (ROOT / "deploy/mosquitto.conf").read_text(encoding="utf-8")
    assert f"printf '{site.broker.user}:%s" in start
    theirs = dict(reversed(volume.split(":")[:2]) for volume in services["mosquitto"]["volumes"])
    ours = dict(reversed(volume.split(":")[:2]) for volume in services["riser"]["volumes"])
    assert theirs["/mosquitto/data"] == ours["/run/broker"] == "broker"
    assert site.broker.password_file == "/run/broker/login/password" and "login=/mosquitto/data/login" in start
    assert (
        f"{theirs and '/riser'}/mosquitto.conf" in start
        and services["mosquitto"]["command"][1] == "/riser/mosquitto.sh"
    )
    assert re.search(r"^password_file /tmp/passwords$", conf, re.M) and "/tmp/passwords" in start
    assert "allow_anonymous false" in conf and "persistence_location /mosquitto/data/" in conf
    device = LINES["services"]["riser"]["devices"][0].split(":")
    assert device == [site.ports[0].device] * 2
    assert LINES["services"].keys() <= services.keys()
