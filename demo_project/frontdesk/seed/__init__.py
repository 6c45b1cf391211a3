"""The demo's data: people, guests and talks in TOML files, and the code that brings them in."""
