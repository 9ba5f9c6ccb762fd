"""`riser prove` runs the proofs piece by piece, counts what was done, and says what broke and how to see it again."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.prove.__main__ import main, seconds
from tests.prove.kept import Kept, NightError, program
from tests.prove.parts import PARTS, Part
from tests.prove.running import Run


def part(name: str, text: str, short: float = 2, broken: Callable[[dict[str, Any]], list[str]] | None = None) -> Part:
    """A proof that prints `text`, in which SEED stands for its seed."""
    return Part(
        name, {"pieces": (short, 4)}, lambda number, seed: ["-c", f"print({text!r}.replace('SEED', '{seed}'))"],
        lambda found: {"pieces": 1}, broken or (lambda found: []), first_s=1,
    )  # fmt: skip


def run(
    *parts: Part, full: bool = False, budget_s: float | None = 60, kept: Kept | None = None
) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    found = Run(77_000, full, budget_s, said.append, parts, kept=kept).run(2)
    return found, said


def test_pieces_are_run_until_all_is_done() -> None:
    """Two pieces of each in a short run, four in the full one; every second seed follows the new one."""
    found, said = run(part("one", '{"seed": SEED}'), part("two", '{"seed": SEED}'))
    assert found["within"] and not found["short"] and found["parts"]["one"]["done"] == {"pieces": 2}
    assert len(said) == 4 and sum("1000" in line for line in said) == 2 and sum("77001" in line for line in said) == 2
    assert run(part("one", "{}"), full=True)[0]["parts"]["one"]["pieces"] == 4
    assert not any("1000" in line for line in run(replace(part("one", '{"seed": SEED}'), fresh=True))[1])


def test_a_broken_promise_is_told_with_its_command() -> None:
    """What a proof found, and what to type to see it again; it is not tried on, the others are."""
    wrong = part("wrong", '{"lost": SEED}', broken=lambda found: [f"lost {found['lost']}"])
    found, said = run(wrong, part("right", "{}"))
    assert not found["within"] and found["parts"]["right"]["done"] == {"pieces": 2}
    assert {breach["part"] for breach in found["breaches"]} == {"wrong"}
    assert found["breaches"][0]["what"] == ["lost 1000"] and "python" in found["breaches"][0]["again"]
    assert any(line.startswith("wrong     BROKEN") for line in said)


def test_a_proof_that_ends_without_a_word_is_broken() -> None:
    """A traceback instead of an object, or an object and a bad exit code, is no proof."""
    found, _ = run(part("silent", "no object"))
    assert "told nothing: no object" in found["breaches"][0]["what"][0]
    partial = part("partial", '{"seed": SEED}', broken=lambda found: [f"lost {found['lost']}"])
    found, _ = run(partial, part("right", "{}"))
    assert "told nothing of 'lost'" in found["breaches"][0]["what"][0] and found["parts"]["right"]["pieces"] == 2
    words = ["-c", "print('{}'); raise SystemExit(3)"]
    crashed = Part("crashed", {"pieces": (1, 1)}, lambda number, seed: words, lambda found: {"pieces": 1},
                   lambda found: [], first_s=1)  # fmt: skip
    assert "ended with 3" in run(crashed)[0]["breaches"][0]["what"][0]


def test_a_budget_that_is_too_small_says_what_was_not_done() -> None:
    """The first piece of each proof begins while any time is left, no other that would not end in time: that is said,
    and is no breach."""
    words = ["-c", "import time; time.sleep(1.6); print('{}')"]
    slow = replace(part("one", "{}"), command=lambda number, seed: words, first_s=9)
    found, said = run(slow, part("two", "{}", short=1), budget_s=1.5)
    assert found["short"] == ["one"] and found["parts"]["one"]["pieces"] == 1 and not found["not_begun"]
    assert not found["breaches"] and len(said) == 2 and not found["within"]
    found, said = run(slow, budget_s=0)
    assert found["short"] == found["not_begun"] == ["one"] and not said


def test_each_proof_has_a_turn_before_one_has_two() -> None:
    """The longest goes on one core, the first pieces of the others on the next, the shortest before; then the rest."""
    turns: list[str] = []

    def proof(name: str, first_s: float) -> Part:
        def command(number: int, seed: int) -> list[str]:
            turns.append(name)
            return ["-c", f"import time; time.sleep({first_s / 10 * (number == 0)}); print('{{}}')"]

        return replace(part(name, "{}"), command=command, first_s=first_s)

    assert run(proof("town", 3), proof("long", 40), proof("tiny", 1), proof("small", 2))[0]["within"]
    assert turns[:4] == ["long", "tiny", "small", "town"] and sorted(turns[4:]) == ["long", "small", "tiny", "town"]


def test_a_proof_that_measures_runs_alone() -> None:
    """While times are measured nothing else runs."""
    slow = [
        "-c",
        """if True:
        import time
        began = time.time()
        time.sleep(0.3)
        print('{"at": [%f, %f]}' % (began, time.time()))""",
    ]
    spans: list[list[float]] = []

    def proof(name: str) -> Part:
        def broken(found: dict[str, Any]) -> list[str]:
            spans.append(found["at"])
            return []

        return Part(name, {"pieces": (2, 2)}, lambda number, seed: slow, lambda found: {"pieces": 1}, broken, first_s=1,
                    alone=name == "alone")  # fmt: skip

    assert not run(proof("alone"), proof("other"))[0]["short"] and len(spans) == 4
    ordered = sorted(spans)
    overlaps = sum(first[1] > second[0] for first, second in itertools.pairwise(ordered))
    assert overlaps <= 1  # The two of the other kind may run beside each other.


def test_what_runs_alone_is_waited_for() -> None:
    """Other proofs that have pieces without end do not keep it from its turn."""
    slow = replace(
        part("slow", "{}", short=1000),
        command=lambda number, seed: ["-c", f"import time; time.sleep({0.2 + 0.2 * (number % 2)}); print('{{}}')"],
    )
    found, said = run(slow, replace(part("alone", "{}", short=1), alone=True), budget_s=3)
    assert found["parts"]["alone"]["pieces"] == 1 and found["parts"]["slow"]["pieces"] > 3
    assert any(line.startswith("alone") for line in said[:4])


def test_a_night_goes_on_where_it_was_ended(tmp_path: Path) -> None:
    """Pieces that ended are counted and not run again; one whose line is torn is; a breach is not forgotten."""
    place = tmp_path / "night" / "night.jsonl"
    right = part("right", '{"seed": SEED}')
    wrong = part("wrong", '{"lost": SEED}', broken=lambda found: [f"lost {found['lost']}"])
    found, said = run(right, wrong, kept=Kept(place, None, 77_000, False, lambda: "p"))
    assert found["parts"]["right"]["done"] == {"pieces": 2} and len(said) >= 3
    again, said = run(right, wrong, kept=Kept(place, None, 5, False, lambda: "p"))
    assert not said and again["parts"] == found["parts"] and again["breaches"] == found["breaches"]

    lines = [line for line in place.read_text().splitlines(keepends=True) if '"part": "wrong"' not in line]
    assert len(lines) == 3
    place.write_text("".join(lines)[:-5])
    kept = Kept(place, None, 5, False, lambda: "p")
    assert kept.seed == 77_000 and len(kept.pieces) == 1
    again, said = run(right, kept=kept)
    assert again["within"] and again["parts"]["right"]["done"] == {"pieces": 2} and len(said) == 1
    number = json.loads(lines[2])["number"]
    assert str(77_001 if number else 1000) in said[0] and len(place.read_text().splitlines()) == 3


def test_a_night_of_another_program_is_not_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was proved of one program says nothing of another; a file of something else is left as it is."""
    place = tmp_path / "night.jsonl"
    Kept(place, 7, 8, True, lambda: "one")
    others = [
        (None, True, "two", "program one there, two now"),
        (7, False, "one", "full True there"),
        (9, True, "one", "seed 7 there, 9 now"),
    ]
    for seed, full, name, why in others:
        with pytest.raises(NightError, match=why):
            Kept(place, seed, 8, full, lambda name=name: name)
    for seed in (7, None):
        assert Kept(place, seed, 8, True, lambda: "one").seed == 7
    for other in (
        b"a list\n",
        b"a list",
        b"\xff\n",
        b'{"seed": 1, "full": true, "program": "p"}',
        b"[]\n",
        b'{"seed": 1}\n{}\n',
    ):
        place.write_bytes(other)
        with pytest.raises(SystemExit):
            main(["--kept", str(place), "--budget", "0s"])
        assert "is no file of riser prove" in capsys.readouterr().err and place.read_bytes() == other


def test_a_night_has_one_run_at_a_time_and_one_program(tmp_path: Path) -> None:
    """Two would count pieces twice; a program that is edited meanwhile is not the one that the file names. A breach is
    told also by a run that was asked for another proof, and a piece counts once."""
    place, name = tmp_path / "night.jsonl", ["p"]
    first = Kept(place, 7, 8, False, lambda: name[0])
    with pytest.raises(NightError, match="in use by another run"):
        Kept(place, 7, 8, False, lambda: name[0])
    wrong = part("wrong", '{"lost": SEED}', broken=lambda found: [f"lost {found['lost']}"])
    assert run(wrong, kept=first)[0]["breaches"]
    name[0] = "q"
    with pytest.raises(NightError, match="changed while it was tried"):
        run(part("right", "{}"), kept=first)
    name[0] = "p"
    del first
    lines = place.read_text().splitlines(keepends=True)
    place.write_text("".join([*lines, *lines[1:]]))
    again, _ = run(part("right", "{}", short=1), kept=Kept(place, 7, 8, False, lambda: name[0]))
    assert [each["part"] for each in again["breaches"]].count("wrong") >= 1 and not again["within"]
    found, _ = run(replace(wrong, broken=lambda found: []), kept=Kept(place, 7, 8, False, lambda: name[0]))
    assert found["parts"] == {} and len(found["breaches"]) == len({each["again"] for each in found["breaches"]})


def test_each_byte_of_the_program_counts(tmp_path: Path) -> None:
    (tmp_path / "edge" / "__pycache__").mkdir(parents=True)
    (tmp_path / "riser.py").write_text("a = 1\n")
    (tmp_path / "edge" / "loop.py").write_text("b = 1\n")
    before = program(tmp_path)
    (tmp_path / "edge" / "__pycache__" / "loop.py").write_text("")
    (tmp_path / "CHANGELOG.md").write_text("")
    assert program(tmp_path) == before
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "shim.c").write_text("")
    assert program(tmp_path) != before
    (tmp_path / "tests" / "shim.c").unlink()
    (tmp_path / "site.example.toml").write_text("")
    assert program(tmp_path) != before
    (tmp_path / "site.example.toml").unlink()
    (tmp_path / "edge" / "loop.py").write_text("b = 2\n")
    changed = program(tmp_path)
    (tmp_path / "edge" / "loop.py").rename(tmp_path / "edge" / "pool.py")
    assert len({before, changed, program(tmp_path)}) == 3


def test_every_proof_has_its_numbers() -> None:
    """What the project promises of each is asked in the full run."""
    wanted = {each.name: each.wanted for each in PARTS}
    assert wanted["kills"] == {"kills": (60, 1_000), "topups": (3_000, 50_000)}
    assert wanted["simulate"] == {"meter_years": (10, 100), "faults": (1_000, 10_000)}
    assert wanted["cuts"] == {"images": (2_000, 20_000)} and wanted["restart"]["entries"][1] == 1_000_000
    assert wanted["frames"]["inputs"][1] >= 9_000_000 and wanted["planted"]["planted"][1] >= 300


SMALL = {
    "--kills": "1", "--topups": "20", "--days": "1", "--meters": "4", "--gateways": "1", "--images": "20",
    "--runs": "20", "--sample": "1", "--calls": "1", "--places": "1", "--entries": "1000",
}  # fmt: skip


@pytest.mark.parametrize("proof", PARTS, ids=[each.name for each in PARTS])
def test_each_proof_tells_what_is_counted_of_it(proof: Part) -> None:
    """The command of a piece, made small, is run: what a night counts of it is among what it prints."""
    words = proof.command(0, 1000)
    small = [SMALL.get(before, word) for before, word in itertools.pairwise(["", *words])]
    assert small != words
    wanted = {next(iter(proof.wanted)): (0.0, 0.001)}
    once = replace(proof, command=lambda number, seed: small, full_command=None, wanted=wanted, width=1)
    found, _ = run(once, full=True, budget_s=None)
    assert not found["breaches"] and found["parts"][proof.name]["pieces"] == 1
    assert set(found["parts"][proof.name]["done"]) == set(proof.wanted)


def test_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A short run names the proofs that only a full one has, and says of which nothing is known at all."""
    assert main(["--budget", "0s"]) == 3
    said = capsys.readouterr().out
    assert (
        "only of the full run, or with --only: failing, dying, restart" in said and "NOTHING IS KNOWN of kills" in said
    )


def test_a_piece_that_hangs_is_ended_and_told() -> None:
    """With what it has started; whoever waits for the night's result is not kept waiting for ever."""
    sleeps = """if True:
        import subprocess, sys, time
        print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
        time.sleep(600)"""
    proof = replace(part("hangs", ""), command=lambda number, seed: ["-c", sleeps], limit_s=1.0, width=1)
    found, _ = run(proof)
    what = found["breaches"][0]["what"][0]
    assert what.startswith("had not ended after 1 s")
    limit = time.monotonic() + 30
    while not _dead(what.split()[-1]):  # It is killed, and dead once it was given a turn.
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def _dead(pid: str) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_what_a_machine_does_not_allow_is_said() -> None:
    """A partition needs a network of one's own."""
    proof = replace(part("kills", '{"own_network": false}'), remark=PARTS[0].remark)
    assert run(proof)[0]["remarks"] == ["kills: without partitions, which this machine does not allow"]
    assert not run(replace(proof, command=part("kills", '{"own_network": true}').command))[0]["remarks"]


def test_a_planted_mistake_that_was_noticed_late_is_said() -> None:
    """It is no breach: other proofs ran beside it."""
    planted = next(each for each in PARTS if each.name == "planted")
    found = run(replace(part("planted", '{"late": ["a day has 24 hours"]}'), remark=planted.remark))[0]
    late = "noticed after more than a minute, beside other proofs: 'a day has 24 hours'"
    assert found["remarks"] == [f"planted: {late}"] and not found["breaches"]
    assert not run(replace(part("planted", '{"late": []}'), remark=planted.remark))[0]["remarks"]


@pytest.mark.parametrize(("text", "meant"), [("5m", 300), ("90s", 90), ("2h", 7200), ("45", 45)])
def test_a_budget_is_typed_as_people_say_it(text: str, meant: float) -> None:
    assert seconds(text) == meant and json.dumps(meant)


def test_some_proofs_may_be_asked_for_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """A night is done in parts; another name is refused with those that there are."""
    assert main(["--only", "simulate", "--only", "restart", "--budget", "0s", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert set(told["parts"]) == set(told["not_begun"]) == {"simulate", "restart"} and not told["within"]
    with pytest.raises(SystemExit):
        main(["--only", "luck"])
    assert "choose from 'kills', 'simulate'" in capsys.readouterr().err
