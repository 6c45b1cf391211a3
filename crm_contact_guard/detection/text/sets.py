"""Expressions sought together: which of them stand in a text, in one linear pass and without spans."""

from __future__ import annotations

from collections.abc import Iterable

import re2

#: Bytes for the automaton of a few dozen expressions.
MEMORY = 32 << 20


def options(memory: int = MEMORY) -> re2.Options:
    """Silent, and bounded in memory (bytes)."""
    made = re2.Options()
    made.max_mem = memory
    made.log_errors = False
    return made


def set_of(expressions: Iterable[str], memory: int = MEMORY) -> re2.Set:
    """A compiled Set; its ``Match`` gives the numbers of the expressions that stand in a text, in no order."""
    made = re2.Set.SearchSet(options(memory))
    for expression in expressions:
        made.Add(expression)
    made.Compile()
    return made
