"""Messages that customers mark as urgent."""
