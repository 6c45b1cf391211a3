"""Witnesses store checkpoints outside the database, so that a rolled-back or forked record is detected."""

from .base import Witness
from .email import EmailWitness
from .storage import StorageWitness

__all__ = ["EmailWitness", "StorageWitness", "Witness"]
