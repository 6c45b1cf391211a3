"""The tests' host behind an ASGI server, with a middleware that is asynchronous only."""
