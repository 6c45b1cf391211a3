"""Each column of each of our tables, altered once."""
