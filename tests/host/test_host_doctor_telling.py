"""How the doctor speaks: on a phone, worst last, a cure once, commands to be copied; and the same for programs."""

from __future__ import annotations

import json

import click

from host.doctor.findings import Finding, good, know, with_data, wrong
from host.doctor.telling import MOST_OF_A_GROUP, as_json, lines, summary

PHONE = 40

TENANTS = "6 of 24 accounts are never cut: 100301 (星河影城), 100302 (欢唱量贩), 100303 (启明英语)."

SOME = [
    wrong("disk", "", "The disk is full.", "Make room.", "sudo du -xh -d 2 /a/very/long/path/wider/than/any | tail"),
    know("accounts", "", TENANTS, "See."),
    good("ports", "line-1", "Port line-1 is open at 2400 baud; 9 of 9 meters read, a round takes 8.3 s."),
]


def told(findings: list[Finding], width: int = PHONE) -> list[str]:
    return [click.unstyle(line) for line in lines(findings, "East", width)]


def test_the_worst_stands_last_where_a_phone_shows_it() -> None:
    """What is good comes first and scrolls away; what is wrong and the sum stay in view."""
    text = told(SOME)
    assert text[0] == "East"
    assert text.index("GOOD") < text.index("WORTH KNOWING") < text.index("WRONG")
    assert text[-1] == "1 thing wrong, 1 worth knowing."


def test_no_line_is_wider_than_the_phone_but_commands_are_whole() -> None:
    """Chinese names take two columns a letter and still fit; a command is one line, to be copied."""
    text = told(SOME)
    wide = [len(line) + sum(letter > "\u2e80" for letter in line) for line in text if not line.startswith("  $ ")]
    assert max(wide) < PHONE
    assert [line for line in text if line.startswith("  $ ")] == [f"  $ {SOME[0].command}"]
    assert "".join(line.strip() for line in text).count("欢唱量贩") == 1, "broken across lines nothing is lost"


def test_no_word_is_lost_in_wrapping() -> None:
    """Whatever the width, the sentence is whole."""
    for width in (20, 37, 61, 200):
        text = " ".join(line.removeprefix("- ").strip() for line in told([SOME[2]], width))
        assert SOME[2].sentence in text


def test_one_cure_for_several_things_is_read_once() -> None:
    """Three meters with the same remedy: three sentences, one remedy below them."""
    many = [know("book and site file", str(n), f"Meter {n} differs.", "The book wins.") for n in range(3)]
    text = told(many)
    assert text.count("  > The book wins.") == 1 and text.index("- Meter 2 differs.") + 1 == text.index(
        "  > The book wins."
    )


def test_a_long_list_is_cut_and_says_so() -> None:
    """Nobody reads 200 lines on a phone; how many there are is told, and JSON has them all."""
    many = [know("meters", str(n), f"Meter {n}.", f"Cure {n}.") for n in range(MOST_OF_A_GROUP + 3)]
    text = told(many)
    assert "- and 3 more: ./riser doctor --json" in text and f"- Meter {MOST_OF_A_GROUP}." not in text
    assert len(as_json(many)["findings"]) == MOST_OF_A_GROUP + 3


def test_the_sum() -> None:
    """The last line in each case."""
    assert summary([]) == "Nothing is wrong."
    assert summary(SOME[1:]) == "Nothing is wrong; 1 thing worth knowing."
    assert summary([SOME[0], SOME[0]]) == "2 things wrong, 0 worth knowing."


def test_json_has_every_finding_with_every_field() -> None:
    """Programs get the counts and all findings, ordered by group."""
    table = json.loads(json.dumps(as_json(SOME)))
    assert (table["wrong"], table["worth_knowing"]) == (1, 1)
    assert [each["group"] for each in table["findings"]] == ["ports", "disk", "accounts"]
    assert list(table["findings"][0]) == ["severity", "group", "about", "sentence", "remedy", "command"]


def test_commands_mean_the_data_directory_that_was_given() -> None:
    """What is copied from doctor works on the installation that was looked at; other programs' commands stay."""
    for command, typed in (
        ("./riser request release meter=a101", "./riser request release meter=a101 --data '/data of two'"),
        ("./riser up --demo", "./riser up --demo --data '/data of two'"),
        ("./riser site check my.toml", "./riser site check my.toml"),
        ("sudo ./riser doctor --data x", "sudo ./riser doctor --data x"),
        ("./riser doctor --data x", "./riser doctor --data x"),
        ("kill 7", "kill 7"),
        ("", ""),
    ):
        assert with_data(wrong("meters", "", "It is.", "Do.", command), "/data of two").command == typed
    many = [know("meters", str(n), f"Meter {n}.", f"Cure {n}.") for n in range(MOST_OF_A_GROUP + 3)]
    assert "- and 3 more: ./riser doctor --data x --json" in lines(many, "East", 200, "./riser doctor --data x")
