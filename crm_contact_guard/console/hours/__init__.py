"""Pages about working time: the next weeks as they are calculated, and the entries of supervisors and compliance."""
