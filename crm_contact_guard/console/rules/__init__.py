"""The company's rules for talking to customers: read, sign, ask, publish."""
