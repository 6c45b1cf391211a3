"""Programs that the formats run as processes of their own, since their libraries need much memory or may crash.

They are started by their path and import nothing of the app.
"""
