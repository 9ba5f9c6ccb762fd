"""Every rule of cutting off and restoring has tests with its number: `./riser test -k test_r4_` runs those of R4."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.planted.bugs import bugs

HERE = Path(__file__).parent
NUMBERED = [*(f"R{n}" for n in range(1, 10)), *(f"I{n}" for n in range(7, 14)), "I22"]
TESTS = {
    node.name: ast.get_docstring(node) or ""
    for path in HERE.rglob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


@pytest.mark.parametrize("rule", NUMBERED)
def test_each_rule_has_a_test_named_after_it(rule: str) -> None:
    """A rule without a test of its own number is a promise that nobody looks after."""
    named = [name for name in TESTS if name.startswith(f"test_{rule.lower()}_")]
    assert named and all(TESTS[name] for name in named)


def test_the_planted_bugs_of_policy_touch_every_kind_of_rule() -> None:
    """At least two dozen mistakes in policy and relay code are planted, in each rule that code keeps (R8 is wiring)."""
    planted = bugs("policy")
    assert len(planted) >= 24
    assert {bug.rule for bug in planted} >= set(NUMBERED) - {"R8"}
