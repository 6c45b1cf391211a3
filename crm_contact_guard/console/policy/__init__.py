"""The page on which compliance officers publish the rules."""
