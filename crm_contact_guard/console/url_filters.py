"""Filters of a list that stand in its URL. Their values are text; an empty one matches everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import ClassVar, Self


@dataclass(frozen=True)
class UrlFilters:
    """Base class. The fields are the parameters of the URL, and the defaults of the list."""

    #: Parameters of the URL that aren't filters.
    beside: ClassVar[frozenset[str]] = frozenset({"cursor"})

    @classmethod
    def read(cls, given: Mapping[str, str]) -> tuple[Self, list[str]]:
        """Return the usable filters, and the names of parameters that are unknown or have an unusable value."""
        names = {field.name for field in fields(cls)}
        values = {name: given[name] for name in names if given.get(name)}
        usable = {name: value for name, value in values.items() if cls.is_usable(name, value)}
        unknown = [name for name in given if name not in names and name not in cls.beside]
        return cls(**usable), sorted({*unknown, *(values.keys() - usable.keys())})

    @classmethod
    def is_usable(cls, name: str, value: str) -> bool:
        """Whether a parameter can have this value."""
        raise NotImplementedError

    @property
    def texts(self) -> dict[str, str]:
        """The filters that have a value."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value}


def is_day(value: str) -> bool:
    """Whether the value is a date that columns can be compared with. Raise ValueError if it is no date."""
    return date(2000, 1, 1) <= date.fromisoformat(value) < date(2200, 1, 1)
