"""Rebuild the vendored front-end assets from their npm packages.

    python tools/vendor.py

The package contains htmx and the icons, so that an installation needs no build step and no content delivery network.
This script fetches the pinned packages with ``npm pack``, rejects packages with a different SHA-512, and writes
``htmx.min.js``, ``lucide-sprite.svg`` (only the icons listed here) and ``LICENSES.md``. A page shows an icon with
``<svg><use href="…/lucide-sprite.svg#inbox"/></svg>``. The script needs npm.
"""

import base64
import hashlib
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).parents[1] / "crm_contact_guard/static/crm_contact_guard/vendor"


class Package(NamedTuple):
    """An npm package: its exact version, and the hash of its archive in the format of Subresource Integrity."""

    name: str
    version: str
    integrity: str


HTMX = Package(
    "htmx.org",
    "2.0.11",
    "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
)
LUCIDE = Package(
    "lucide-static",
    "1.62.0",
    "sha512-WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA==",
)
ICONS = """
arrow-left arrow-right bell bell-ring briefcase calendar chart-column check chevron-down chevron-left chevron-right
chevron-up circle-alert circle-check circle-dot circle-question-mark circle-x clock copy corner-up-left download
external-link eye eye-off file-text flag funnel hand heart-handshake help-circle history hourglass image inbox info
key-round keyboard languages layout-dashboard life-buoy link list list-checks lock log-out mail menu message-circle
message-square-warning monitor moon moon-star paperclip pencil phone plus printer refresh-cw scale search send
settings shield shield-alert shield-check smartphone sticky-note sun trash-2 triangle-alert user user-check users x
"""


def fetch(package: Package, folder: Path) -> tarfile.TarFile:
    """Return the opened archive of the package. Raise ``SystemExit`` if it isn't the pinned archive."""
    subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"], cwd=folder, check=True, capture_output=True
    )
    archive = folder / f"{package.name}-{package.version}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise SystemExit(f"{package.name} {package.version}: the archive is not the pinned one (sha512-{digest})")
    return tarfile.open(archive)


def read(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise SystemExit(f"{name} is not a file in the archive")
    return member.read().decode()


def symbol(name: str, svg: str) -> str:
    """Turn an icon file into a ``<symbol>`` whose strokes have the text colour of the page that uses it."""
    shapes = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if shapes is None:
        raise SystemExit(f"icon {name} holds no svg element")
    inner = " ".join(line.strip() for line in shapes.group(1).strip().splitlines())
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round">{inner}</symbol>'
    )


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        htmx, lucide = fetch(HTMX, Path(name)), fetch(LUCIDE, Path(name))
        with htmx, lucide:
            (TARGET / "htmx.min.js").write_text(read(htmx, "dist/htmx.min.js"))
            symbols = [symbol(icon, read(lucide, f"icons/{icon}.svg")) for icon in ICONS.split()]
            sprite = [f"<!-- lucide {LUCIDE.version}, ISC, see LICENSES.md; made by tools/vendor.py -->"]
            sprite += ['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>"]
            (TARGET / "lucide-sprite.svg").write_text("\n".join(sprite) + "\n")
            texts = [
                "# Licences of the vendored files\n",
                f"## htmx.min.js: htmx {HTMX.version} (0BSD), unchanged\n",
                f"```text\n{read(htmx, 'LICENSE').strip()}\n```\n",
                f"## lucide-sprite.svg: icons of lucide {LUCIDE.version} (ISC), joined into one file\n",
                f"```text\n{read(lucide, 'LICENSE').strip()}\n```",
            ]
            (TARGET / "LICENSES.md").write_text("\n".join(texts) + "\n")
    for path in sorted(TARGET.iterdir()):
        print(f"{path.stat().st_size:>8} {path.name}")


if __name__ == "__main__":
    main()
