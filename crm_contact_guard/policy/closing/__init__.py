"""What happens while nobody answers: automatic answers to customers, emergencies, and who may be disturbed."""
