"""RE2 Sets, which find out in one linear pass which of many expressions match a text, but not where."""

from __future__ import annotations

from collections.abc import Iterable

import re2

#: Memory limit in bytes for the automaton of a few dozen expressions.
MEMORY = 32 << 20


def options(memory: int = MEMORY) -> re2.Options:
    """Return RE2 options without logging and with a memory limit in bytes."""
    result = re2.Options()
    result.max_mem = memory
    result.log_errors = False
    return result


def set_of(expressions: Iterable[str], memory: int = MEMORY) -> re2.Set:
    """Compile a Set. Its ``Match`` returns the numbers of the expressions that match a text, in no fixed order."""
    result = re2.Set.SearchSet(options(memory))
    for expression in expressions:
        result.Add(expression)
    result.Compile()
    return result
