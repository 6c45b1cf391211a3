"""Keepers of checkpoints outside the database: against them a rolled-back or forked record is noticed."""

from .base import Witness
from .email import EmailWitness
from .storage import StorageWitness

__all__ = ["EmailWitness", "StorageWitness", "Witness"]
