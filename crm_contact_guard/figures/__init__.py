"""Figures for supervisors and compliance, counted per day and team. There is none about a single employee's conduct."""
