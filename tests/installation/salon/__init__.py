"""A salon's booking site: customers and staff are users, and staff have an additional model."""
