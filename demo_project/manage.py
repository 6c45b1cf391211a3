#!/usr/bin/env python
"""Django's command line for the demo project."""

import os
import sys
from pathlib import Path

# The script's folder has modules named like libraries (celery, mailbox), so the repository's root replaces it.
sys.path[0] = str(Path(__file__).resolve().parents[1])

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
