"""Compare every column of our tables with what the record says about it (``record.following``)."""
