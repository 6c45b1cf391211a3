"""The vendored front-end files: whole, licensed, and enough for every icon that a template shows."""

import re
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
VENDOR = ROOT / "crm_contact_guard/static/crm_contact_guard/vendor"
SVG = "{http://www.w3.org/2000/svg}"


def icons() -> dict[str, ElementTree.Element]:
    sprite = ElementTree.parse(VENDOR / "lucide-sprite.svg").getroot()
    return {symbol.attrib["id"]: symbol for symbol in sprite.iter(f"{SVG}symbol")}


def test_every_icon_draws_something() -> None:
    assert icons()
    for name, symbol in icons().items():
        assert len(symbol) > 0, name
        assert symbol.attrib["stroke"] == "currentColor", f"{name} would not follow the text's colour"


def test_every_icon_of_a_template_is_in_the_sprite() -> None:
    known = set(icons())
    for template in [*ROOT.glob("crm_contact_guard/templates/**/*.html"), *ROOT.glob("demo_project/**/*.html")]:
        used = set(re.findall(r"lucide-sprite\.svg[^\"#]*#([a-z0-9-]+)", template.read_text()))
        assert used <= known, f"{template.relative_to(ROOT)} shows {sorted(used - known)}; see tools/vendor.py"


def test_files_need_no_eval_and_no_network() -> None:
    sprite = (VENDOR / "lucide-sprite.svg").read_text()
    assert "<script" not in sprite
    assert not re.findall(r"(?:href|src)=", sprite)


def test_each_file_has_its_licence() -> None:
    licences = (VENDOR / "LICENSES.md").read_text()
    for path in VENDOR.iterdir():
        assert path.name == "LICENSES.md" or f"## {path.name}:" in licences
