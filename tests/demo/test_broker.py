"""The folder broker."""

from __future__ import annotations

from pathlib import Path
from queue import Empty
from threading import Thread
from typing import Any

import pytest
from kombu import Connection

import demo_project.celery  # registers the transport


def connect(folder: Path) -> Connection:
    assert demo_project.celery.app.main == "demo_project"
    return Connection("folder://", transport_options={"folder": str(folder), "polling_interval": 0.01})


def test_messages_are_delivered_in_order_and_once(tmp_path: Path) -> None:
    with connect(tmp_path) as connection, connection.SimpleQueue("celery") as queue:
        for number in range(5):
            queue.put({"number": number})
        taken = []
        for _ in range(5):
            message = queue.get(timeout=60)
            taken.append(message.payload["number"])
            message.ack()
        with pytest.raises(Empty):
            queue.get(block=False)
    assert taken == [0, 1, 2, 3, 4]
    assert not list(tmp_path.glob("*.msg*"))


def test_an_unfinished_message_is_not_delivered(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001_x.celery.msg.part").write_text('{"body": "half')
    with connect(tmp_path) as connection, connection.SimpleQueue("celery") as queue, pytest.raises(Empty):
        queue.get(block=False)


def test_two_readers_never_get_the_same_message(tmp_path: Path) -> None:
    taken: list[int] = []

    def read(amount: int) -> None:
        with connect(tmp_path) as connection, connection.SimpleQueue("celery") as queue:
            for _ in range(amount):
                message: Any = queue.get(timeout=60)
                taken.append(message.payload)
                message.ack()

    readers = [Thread(target=read, args=(20,)) for _ in range(2)]
    for reader in readers:
        reader.start()
    with connect(tmp_path) as connection, connection.SimpleQueue("celery") as queue:
        for number in range(40):
            queue.put(number)
    for reader in readers:
        reader.join(30)
    assert sorted(taken) == list(range(40))
