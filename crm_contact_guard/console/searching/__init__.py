"""The search page: words in the messages that the viewer may read, with filters in the address."""
