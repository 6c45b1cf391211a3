"""The encoder's network: the lower layers of the base model with our adapters, in integer arithmetic.

Weights and activations are rounded to integers between -127 and 127, with a scale for each row, and multiplied with
numpy's floating-point matrix product. Each sum stays below 2**24 and is therefore exact, in any order of summation and
on any machine. An integer product would be exact too, but is slow in numpy. Operations between the products use single
precision, so scores may differ between machines in the third decimal place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crm_contact_guard.detection.encoder.base import Base, Floats
from crm_contact_guard.detection.encoder.inputs import Input

#: Maximum number of inputs of one product, so that 127 × 127 × 1024 stays below 2**24.
_EXACT = 1024
#: GELU is read from a table between ± ``_LIMIT``, in steps of 1/256.
_LIMIT, _STEPS = 8, 256
_PLACES = np.arange(-_LIMIT * _STEPS, _LIMIT * _STEPS + 1) / _STEPS
_GELU: Floats = np.array([x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in _PLACES], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Product:
    """A linear layer in integers: parts of the transposed weights, a scale for each output, and the bias."""

    parts: tuple[Floats, ...]
    scales: Floats
    bias: Floats

    @classmethod
    def of(cls, weights: Floats, bias: Floats) -> Product:
        """Quantise the weights (outputs × inputs)."""
        scales = np.maximum(np.abs(weights).max(axis=1), 1e-12) / np.float32(127)
        quantised = np.round(weights / scales[:, None]).astype(np.float32)
        count = -(-weights.shape[1] // _EXACT)
        parts = tuple(np.ascontiguousarray(part.T) for part in np.array_split(quantised, count, axis=1))
        return cls(parts, scales.astype(np.float32), bias.astype(np.float32))

    def __call__(self, rows: Floats) -> Floats:
        """Return the outputs for rows of tokens × inputs."""
        size = np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.float32(1e-12)) / np.float32(127)
        quantised = np.rint(rows / size)
        if len(self.parts) == 1:
            total = quantised @ self.parts[0]
        else:
            step = self.parts[0].shape[0]
            total = quantised[:, :step] @ self.parts[0]
            for number, part in enumerate(self.parts[1:], 1):
                total += quantised[:, number * step : number * step + part.shape[0]] @ part
        total *= size
        total *= self.scales
        total += self.bias
        return total


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: Floats
    bias: Floats
    epsilon: float

    def __call__(self, rows: Floats) -> Floats:
        rows = rows - rows.mean(axis=1, keepdims=True)
        spread = np.sqrt((rows * rows).mean(axis=1, keepdims=True) + np.float32(self.epsilon))
        rows /= spread
        rows *= self.weight
        rows += self.bias
        return rows


@dataclass(frozen=True, slots=True)
class _Layer:
    attention: Product
    mixed: Product
    after_attention: _Norm
    inner: Product
    outer: Product
    after_inner: _Norm

    def __call__(self, rows: Floats, heads: int) -> Floats:
        count, width = rows.shape
        parts: Floats = self.attention(rows).reshape(count, 3, heads, width // heads).transpose(1, 2, 0, 3)
        query, key, value = parts
        weights: Floats = query @ key.transpose(0, 2, 1)
        weights *= np.float32(1 / math.sqrt(width // heads))
        weights -= weights.max(axis=2, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=2, keepdims=True)
        seen: Floats = (weights @ value).transpose(1, 0, 2).reshape(count, width)
        rows = self.after_attention(rows + self.mixed(seen))
        return self.after_inner(rows + self.outer(_gelu(self.inner(rows))))


def _gelu(rows: Floats) -> Floats:
    """Look up GELU in a table. Above the table's range it is the identity, below it (almost) zero."""
    places = np.rint(np.clip(rows, -_LIMIT, _LIMIT) * np.float32(_STEPS)).astype(np.int32) + _LIMIT * _STEPS
    curve: Floats = _GELU[places]
    return np.where(rows > _LIMIT, rows, curve)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The class scores (log odds up to a constant), and the log odds that each token of the message is evidence."""

    classes: Floats
    evidence: Floats


class Network:
    """The layers with their adapters; ``arrays`` is the content of ``weights/encoder.npz``."""

    def __init__(self, base: Base, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        self._base = base
        self.special = base.special
        self._places = base.vector("emb.pos").reshape(-1, base.width) + base.vector("emb.type")[: base.width]
        self._norm = _Norm(base.vector("emb.ln.w"), base.vector("emb.ln.b"), base.epsilon)
        weights = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items() if name[0] in "lhs"}
        self._layers = [_layer(base, number, weights) for number in range(int(arrays["layers"]))]
        self._classes, self._class_bias = weights["head.w"], weights["head.b"]
        self._span, self._span_bias = weights["span.w"], weights["span.b"]

    def __call__(self, inputs: Input) -> Outputs:
        """Return the outputs for one input."""
        rows = self._base.embeddings(np.array(inputs.ids, dtype=np.int64)) + self._places[: len(inputs.ids)]
        rows = self._norm(rows)
        for layer in self._layers:
            rows = layer(rows, self._base.heads)
        own = rows[inputs.first : inputs.last]
        mean = own.mean(axis=0) if len(own) else np.zeros(self._base.width, dtype=np.float32)
        classes = self._classes @ np.concatenate([rows[0], mean]) + self._class_bias
        return Outputs(classes, own @ self._span + self._span_bias)


def _layer(base: Base, number: int, learned: Mapping[str, Floats]) -> _Layer:
    name = f"l{number}."

    def adapted(part: str, inputs: int) -> tuple[Floats, Floats]:
        weights = base.matrix(f"{name}{part}.w", inputs)
        down, up = learned.get(f"{name}{part}.down"), learned.get(f"{name}{part}.up")
        if down is not None and up is not None:
            weights = weights + up @ down
        return weights, learned.get(f"{name}{part}.b", base.vector(f"{name}{part}.b"))

    def norm(part: str) -> _Norm:
        weight = learned.get(f"{name}{part}.w", base.vector(f"{name}{part}.w"))
        return _Norm(weight, learned.get(f"{name}{part}.b", base.vector(f"{name}{part}.b")), base.epsilon)

    attention = [adapted(part, base.width) for part in ("q", "k", "v")]
    return _Layer(
        Product.of(np.concatenate([w for w, _ in attention]), np.concatenate([b for _, b in attention])),
        Product.of(*adapted("ao", base.width)),
        norm("aln"),
        Product.of(*adapted("fi", base.width)),
        Product.of(*adapted("fo", base.inner)),
        norm("oln"),
    )
