"""The changes themselves: of one file's text, every place where one small change makes another program.

What people read is left alone (sentences, log lines, annotations, assertions): a change there is no other program.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip

OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip

DROPPED = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """One change: in `where`, the function or class, the `nth` of several alike `was` became `put`, which takes the
    bytes `span` of the file."""

    file: str
    line: int
    where: str
    was: str
    put: str
    span: tuple[int, int] = (0, 0)
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.where}: {self.was!r} -> {self.put!r}"

    def made_in(self, text: str) -> str | None:
        """The whole file with the change in it; None where that would be no Python any more."""
        whole, (begins, ends) = text.encode(), self.span
        changed = (whole[:begins] + self.put.encode() + whole[ends:]).decode()
        try:
            compile(changed, self.file, "exec")
        except SyntaxError:
            return None
        return changed


Place = list[Mutant]
"""All changes of one place; who draws takes one of them."""


def places(file: str, text: str) -> list[Place]:
    """Every place of a file, with its changes."""
    found: list[Place] = []
    alike: Counter[tuple[str, str]] = Counter()
    begins = [0, *accumulate(len(line) for line in text.encode().splitlines(keepends=True))]
    for node, where in _walk(ast.parse(text), ()):
        assert node.end_lineno is not None and node.end_col_offset is not None  # Columns count bytes.
        span = begins[node.lineno - 1] + node.col_offset, begins[node.end_lineno - 1] + node.end_col_offset
        was = " ".join(text.encode()[span[0] : span[1]].decode().split())
        name = ".".join(where) or "module"
        if changes := list(_changes(node)):
            alike[name, was] += 1
            found.append([Mutant(file, node.lineno, name, was, put, span, alike[name, was]) for put in changes])
    return found


def _walk(node: ast.AST, where: tuple[str, ...]) -> Iterator[tuple[ast.expr | ast.stmt, tuple[str, ...]]]:
    """Statements and expressions whose change is another program, each with the names of what it stands in."""
    if isinstance(node, ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom) or _logs(node):
        return
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        where = (*where, node.name)
    elif isinstance(node, ast.expr | ast.stmt):
        yield node, where
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases") or isinstance(node, ast.Raise):
            continue
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, ast.AST):
                yield from _walk(inner, where)


def _logs(node: ast.AST) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func).startswith("log.")


def _changes(node: ast.expr | ast.stmt) -> Iterator[str]:
    """What may stand in the place of a statement or expression."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            others = [*node.ops[:at], OTHER_COMPARISON[type(operator)](), *node.ops[at + 1 :]]
            yield _in_brackets(ast.Compare(node.left, others, node.comparators))
    elif isinstance(node, ast.BoolOp):
        yield _in_brackets(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield _in_brackets(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER_OPERATOR:
        yield _in_brackets(ast.BinOp(node.left, OTHER_OPERATOR[type(node.op)](), node.right))
    elif isinstance(node, ast.IfExp):
        yield _in_brackets(ast.IfExp(node.test, node.orelse, node.body))
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node.value)
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and not node.value.value):  # Nothing is nothing.
            yield "return None"
    elif isinstance(node, DROPPED) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) or _kept(node):
        yield "pass"


def _kept(node: ast.AST) -> bool:
    """True for a value that is put where it stays. A local name that is never given ends the next line that has it:
    whatever runs there notices, and a score of that says nothing."""
    return isinstance(node, ast.Assign) and any(
        isinstance(each, ast.Attribute | ast.Subscript) for each in node.targets
    )


def _other_constants(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
        yield f"({value - 1})"


def _in_brackets(node: ast.expr) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"
