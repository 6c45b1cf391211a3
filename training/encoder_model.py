"""The encoder in PyTorch, for training only: the base model's lower layers, frozen, with low-rank adapters.

This is the same network as in ``crm_contact_guard.detection.encoder.network``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from crm_contact_guard.detection.encoder.base import Base
from crm_contact_guard.detection.encoder.classes import CLASSES
from crm_contact_guard.detection.encoder.inputs import Input

#: How many layers of the base model are used. The lower half is nearly as good and takes half the time.
LAYERS = 6
#: Rank of the adapters.
RANK = 32
DROPOUT = 0.1


class Adapted(nn.Module):
    """A frozen linear layer with a trainable adapter and bias."""

    def __init__(self, base: Base, name: str, inputs: int) -> None:
        super().__init__()
        weights = torch.from_numpy(base.matrix(f"{name}.w", inputs).copy())
        self.register_buffer("weights", weights, persistent=False)
        self.b = nn.Parameter(torch.from_numpy(base.vector(f"{name}.b").copy()))
        self.down = nn.Parameter(torch.randn(RANK, inputs) / math.sqrt(inputs))
        self.up = nn.Parameter(torch.zeros(weights.shape[0], RANK))

    def forward(self, rows: Tensor) -> Tensor:
        return functional.linear(rows, self.weights, self.b) + functional.linear(
            functional.linear(rows, self.down), self.up
        )


class Layer(nn.Module):
    """One layer of the transformer, with normalisation after each half."""

    def __init__(self, base: Base, number: int) -> None:
        super().__init__()
        name = f"l{number}."
        self.heads, self.width = base.heads, base.width
        self.q, self.k, self.v, self.ao = (Adapted(base, f"{name}{part}", base.width) for part in ("q", "k", "v", "ao"))
        self.fi, self.fo = Adapted(base, f"{name}fi", base.width), Adapted(base, f"{name}fo", base.inner)
        self.aln, self.oln = (self._norm(base, f"{name}{part}") for part in ("aln", "oln"))

    @staticmethod
    def _norm(base: Base, name: str) -> nn.LayerNorm:
        norm = nn.LayerNorm(base.width, base.epsilon)
        with torch.no_grad():
            norm.weight.copy_(torch.from_numpy(base.vector(f"{name}.w").copy()))
            norm.bias.copy_(torch.from_numpy(base.vector(f"{name}.b").copy()))
        return norm

    def forward(self, rows: Tensor, seen: Tensor) -> Tensor:
        count, length, _ = rows.shape

        def parted(of: Tensor) -> Tensor:
            return of.view(count, length, self.heads, -1).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            parted(self.q(rows)), parted(self.k(rows)), parted(self.v(rows)), attn_mask=seen
        )
        rows = self.aln(rows + self.ao(mixed.transpose(1, 2).reshape(count, length, self.width)))
        result: Tensor = self.oln(rows + self.fo(functional.gelu(self.fi(rows))))
        return result


class Encoder(nn.Module):
    """Layers, a class head over the first token and the mean of the message, and an evidence head over its tokens."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        self.base = base
        places = base.vector("emb.pos").reshape(-1, base.width) + base.vector("emb.type")[: base.width]
        self.places = torch.from_numpy(places)
        self.weight, self.bias = (torch.from_numpy(base.vector(f"emb.ln.{part}").copy()) for part in "wb")
        self.layers = nn.ModuleList(Layer(base, number) for number in range(LAYERS))
        self.dropout = nn.Dropout(DROPOUT)
        self.head, self.span = nn.Linear(2 * base.width, len(CLASSES)), nn.Linear(base.width, 1)

    def forward(self, inputs: Sequence[Input]) -> tuple[Tensor, Tensor]:
        """Return class scores (inputs × classes) and evidence scores (inputs × tokens, padded)."""
        length = max(len(one.ids) for one in inputs)
        ids = torch.full((len(inputs), length), self.base.special.pad)
        for row, one in enumerate(inputs):
            ids[row, : len(one.ids)] = torch.tensor(one.ids)
        place = torch.arange(length)[None]
        lengths, first, last = (
            torch.tensor(column)[:, None]
            for column in zip(*((len(g.ids), g.first, g.last) for g in inputs), strict=True)
        )
        with torch.no_grad():
            distinct, inverse = torch.unique(ids, return_inverse=True)
            words = torch.from_numpy(self.base.embeddings(distinct.numpy()))[inverse]
            rows = functional.layer_norm(
                words + self.places[:length], (self.base.width,), self.weight, self.bias, self.base.epsilon
            )
        seen = (place < lengths)[:, None, None, :]
        for layer in self.layers:
            rows = layer(rows, seen)
        own = ((place >= first) & (place < last)).float()[..., None]
        mean = (rows * own).sum(1) / own.sum(1).clamp(min=1)
        return self.head(self.dropout(torch.cat([rows[:, 0], mean], 1))), self.span(rows).squeeze(-1)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the content of ``weights/encoder.npz``: the trained weights and the number of layers.

        The layers' weights are in half precision.
        """
        result: dict[str, npt.NDArray[np.generic]] = {"layers": np.int64(LAYERS)}  # type: ignore[dict-item]
        for number, layer in enumerate(self.layers):
            for name, value in layer.named_parameters():
                result[f"l{number}.{_short(name)}"] = value.detach().numpy().astype(np.float16)
        result["head.w"], result["head.b"] = (value.detach().numpy() for value in (self.head.weight, self.head.bias))
        result["span.w"], result["span.b"] = self.span.weight.detach().numpy()[0], self.span.bias.detach().numpy()
        return result


def _short(name: str) -> str:
    return name.replace("weight", "w").replace("bias", "b")
