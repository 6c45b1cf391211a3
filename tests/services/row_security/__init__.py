"""A host with row security of PostgreSQL: without an organisation its rows are not there, whoever asks."""
