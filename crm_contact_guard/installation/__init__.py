"""Looking at an installation as a whole: what is missing, what leads nowhere, and the way to mend it.

System checks (``checks.py``) judge the settings alone; what stands here also looks at the host's rows, pages, carriers
and running processes. ``contact_guard_check`` prints it, ``contact_guard_init`` proposes the settings to begin with.
"""
