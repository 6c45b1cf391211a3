"""Compares every column of our tables with what the record says of it (``record.following``)."""
