"""A salon's booking site: whoever books is a user, and so is the staff, who have a row of their own besides."""
