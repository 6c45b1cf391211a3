"""The demo's data: people, guests and conversations in TOML files, and the code that loads them."""
