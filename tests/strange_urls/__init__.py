"""Where hosts put our addresses."""
