"""Tells employees, once and not in their free time, that a customer wrote."""
