"""Mutation operators for ``make mutants``: a selection of cosmic-ray's operators, and some for Django projects.

An operator makes a small change (a mutant) that alters behaviour without breaking the statement. For example, ``a | b``
with two conditions becomes ``a & b``, but never ``a ** b``, which any test would detect. Annotations, decorators,
docstrings and log calls aren't changed.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

#: A position in the source: the line, starting at 1, and the column, starting at 0.
Place = tuple[int, int]

_CORE = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_Mul",
    "ReplaceBinaryOperator_Mul_Add",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBreakWithContinue",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Not",
    "ZeroIterationForLoop",
)
#: Calls whose keywords are conditions or columns. Omitting one selects too many rows, or doesn't update a column.
_ROWS = {"Q", "exclude", "filter", "get", "update"}
_OTHER_NAME = {
    "exclude": "filter",
    "filter": "exclude",
    "first": "last",
    "last": "first",
    "max": "min",
    "min": "max",
}
_OTHER_LOOKUP = {"__gt": "__gte", "__gte": "__gt", "__lt": "__lte", "__lte": "__lt"}


class _Replacing(Operator):  # type: ignore[misc]
    """Base class for operators that replace a node with each of several pieces of code, given by ``instead()``."""

    def instead(self, node: Any) -> Iterator[str]:
        raise NotImplementedError

    def mutation_positions(self, node: Any) -> Iterator[tuple[Place, Place]]:
        for _text in self.instead(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        prefix = node.get_first_leaf().prefix
        parse: Any = parso.parse
        made = parse(prefix + list(self.instead(node))[index])
        made.parent = node.parent
        return made

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class DropStatement(_Replacing):
    """Remove a statement that consists of a call or a ``raise``."""

    def instead(self, node: Any) -> Iterator[str]:
        if node.type not in ("atom_expr", "raise_stmt") or node.parent.type != "simple_stmt":
            return
        if node.parent.parent.type == "file_input":
            return  # runs when the module is imported, which a fork can't undo
        if not node.get_code().lstrip().startswith("logger."):
            yield "pass"


class DropOperand(_Replacing):
    """Remove one of several conditions."""

    def instead(self, node: Any) -> Iterator[str]:
        if node.type not in ("and_test", "or_test", "expr", "and_expr"):
            return
        parts = [child.get_code() for child in node.children]
        for place in range(0, len(parts), 2):
            kept = [*parts[: max(place - 1, 0)], *parts[place + (1 if place else 2) :]]
            yield "".join(kept).strip()


class DropKeyword(_Replacing):
    """Remove one condition from a lookup, or one column from an update."""

    def instead(self, node: Any) -> Iterator[str]:
        if node.type != "trailer" or node.children[0].value != "(" or _called(node) not in _ROWS:
            return
        given = node.children[1:-1]
        listed = given[0].children[::2] if given and given[0].type == "arglist" else given
        for one in listed:
            if one.type == "argument" and one.children[0].type == "name":
                kept = [other.get_code() for other in listed if other is not one]
                yield f"({','.join(kept)})"


class OtherLookup(_Replacing):
    """Replace ``__lt`` with ``__lte`` and so on, to include or exclude the boundary value."""

    def instead(self, node: Any) -> Iterator[str]:
        if node.type != "name" or node.parent.type != "argument" or node.parent.children[0] is not node:
            return
        stem, mark, end = node.value.rpartition("__")
        if mark and mark + end in _OTHER_LOOKUP:
            yield stem + _OTHER_LOOKUP[mark + end]


class OtherName(_Replacing):
    """Swap ``max`` and ``min``, ``exclude`` and ``filter``, or ``last`` and ``first``."""

    def instead(self, node: Any) -> Iterator[str]:
        if node.type == "name" and node.value in _OTHER_NAME:
            follows = node.get_next_leaf()
            if follows is not None and follows.value == "(" and node.parent.type in ("atom_expr", "trailer"):
                yield _OTHER_NAME[node.value]


class OtherOrder(_Replacing):
    """Reverse the order of a field in ``order_by``."""

    def instead(self, node: Any) -> Iterator[str]:
        if node.type != "string":
            return
        call = node.parent.parent if node.parent.type == "arglist" else node.parent
        if call.type == "trailer" and _called(call) == "order_by":
            name = ast.literal_eval(node.value)
            yield repr(name[1:] if name.startswith("-") else f"-{name}")


class NeverIf(_Replacing):
    """Replace the condition of an ``if`` or ``elif`` with ``False``."""

    def instead(self, node: Any) -> Iterator[str]:
        above = node.parent
        if above is not None and above.type == "if_stmt":
            place = above.children.index(node)
            if above.children[place - 1].type == "keyword" and above.children[place - 1].value in ("if", "elif"):
                yield "False"


def _mutated(source: str, operator: Any, occurrence: int) -> str | None:
    try:
        mutated: str | None = mutate_code(source, operator, occurrence)
    except AttributeError:  # ExceptionReplacer supports only plain names, not `base.Error` or `*ERRORS`
        return None
    return mutated


def _called(trailer: Any) -> str:
    """Return the name before the parentheses of a call."""
    before = trailer.get_previous_leaf()
    return before.value if before is not None and before.type == "name" else ""


OWN = (DropStatement, DropOperand, DropKeyword, OtherLookup, OtherName, OtherOrder, NeverIf)


@dataclass(frozen=True)
class Mutant:
    """A module with one small change, which tests should detect."""

    module: Path
    operator: str
    #: The first and last lines of the changed statement; for a compound statement, the lines of its header.
    first: int
    last: int
    #: The source of the whole module, before and after the change.
    original: str
    source: str
    #: The changed lines, before and after the change.
    was: str
    now: str
    #: Whether the changed code runs when the module is imported, such as a constant or a default argument.
    at_import: bool


def mutants(module: Path) -> list[Mutant]:
    """Return all mutants of a module, ordered by line."""
    source = module.read_text(encoding="utf-8")
    tree = ast.parse(source)
    left_alone = [*_left_alone(tree), *_class_bodies(tree)]
    functions = list(_function_bodies(tree))
    statements = list(_statements(tree))
    nodes = list(ast_nodes(get_ast(source)))
    made: dict[str, Mutant] = {}
    for name, operator in [(name, get_operator(f"core/{name}")()) for name in _CORE] + [(o.__name__, o()) for o in OWN]:
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (start, end) in enumerate(places):
            if any(begin <= start and end <= stop for begin, stop in left_alone):
                continue
            mutated = _mutated(source, operator, occurrence)
            if mutated is None or mutated in made or not _compiles(mutated):
                continue
            first, last = min(
                ((one, two) for one, two in statements if one <= start[0] <= two), key=lambda lines: lines[1] - lines[0]
            )
            was, now = _changed(source, mutated)
            at_import = not any(begin <= start[0] <= stop for begin, stop in functions)
            made[mutated] = Mutant(module, name, first, last, source, mutated, was, now, at_import)
    return sorted(made.values(), key=lambda one: (one.first, one.operator, one.now))


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _changed(before: str, after: str) -> tuple[str, str]:
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
    return tuple(" ".join(line[2:].strip() for line in lines if line[0] == mark).strip() for mark in "-+")  # type: ignore[return-value]


def _left_alone(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Yield the positions of annotations, decorators, log calls, and code that only a type checker reads."""
    for node in ast.walk(tree):
        found: list[ast.expr | ast.stmt | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            found += node.decorator_list
        elif isinstance(node, ast.Expr | ast.If) and ast.unparse(node).startswith(("logger.", "if TYPE_CHECKING:")):
            found.append(node)
        for one in found:
            if one is not None:
                yield (one.lineno, 0 if one.lineno != one.end_lineno else one.col_offset), (one.end_lineno or 0, 10**6)


def _class_bodies(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Yield the positions of statements in classes outside methods, such as defaults, codes and columns of tables.

    Columns are covered by migrations.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for one in node.body:
                if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield (one.lineno, 0), (one.end_lineno or 0, 10**6)


def _function_bodies(tree: ast.Module) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.body[0].lineno, node.end_lineno or 0
        elif isinstance(node, ast.Lambda):
            yield node.body.lineno, node.body.end_lineno or 0


def _statements(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Yield the first and last lines of each statement; for a compound statement, only those of its header."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            body = getattr(node, "body", None)
            begins = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
            ends = body[0].lineno - 1 if body else getattr(node, "end_lineno", begins)
            yield begins, max(begins, ends)
