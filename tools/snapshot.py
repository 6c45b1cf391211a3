"""Store this version's data for tests of later upgrades.

Run ``python tools/snapshot.py [VERSION]`` once per release. The script plays ``tests/upgrades/scene.py`` on an empty
in-memory database and writes ``tests/upgrades/versions/VERSION.json.gz``, which must never be changed afterwards.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    from tests.upgrades import scene, snapshot  # noqa: PLC0415 - after the settings

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = sys.argv[1] if len(sys.argv) > 1 else project["version"]
    if version in snapshot.versions():
        sys.exit(f"{version} exists already; the data of a released version never change")
    call_command("migrate", verbosity=0)
    scene.play()
    print(f"Wrote {snapshot.write(version).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
