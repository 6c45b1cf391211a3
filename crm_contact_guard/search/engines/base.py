"""What a search engine does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID


class Candidate(NamedTuple):
    """A message that may contain the words. ``number`` is its place in the order of recording."""

    number: int
    message_id: UUID


class Engine(ABC):
    """Finds messages by words. An engine may return too many messages, never too few: the search reads them again."""

    @abstractmethod
    def terms(self, number: int, folded: str) -> str | list[int]:
        """Return what the index stores of a message. An engine with a store of its own keeps the text there.

        ``folded`` is the subject and text, folded by ``folding.fold``. This is called within a transaction, which may
        be rolled back and repeated with another number.
        """

    @abstractmethod
    def candidates(self, words: Sequence[str], below: int, most: int) -> list[Candidate]:
        """Return messages with all ``words``, newest first, whose numbers are less than ``below``.

        Fewer than ``most`` messages mean that there are no others.
        """

    def forget(self, message_ids: Sequence[UUID]) -> None:  # noqa: B027 - an engine without a store has nothing to do
        """Remove erased messages from the engine's own store."""
