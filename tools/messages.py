"""Update, compile and check the translations.

    python tools/messages.py update    # collect texts from the sources (needs gettext), then compile
    python tools/messages.py compile   # .po -> .mo; pure Python, no gettext needed
    python tools/messages.py check     # report problems; exit code 1 if there are any

Compiled catalogues are committed, because a fresh clone must show Japanese without gettext. ``check`` therefore
compares each .mo file with its .po file. It also reports untranslated and fuzzy entries, missing placeholders and, if
``xgettext`` is installed, messages in the sources that a .po file lacks.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).parents[1]
#: The packages with a ``locale`` folder. Each has its own catalogues.
PACKAGES = ("crm_contact_guard", "demo_project")
LANGUAGES = ("ja",)
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")


def catalogues() -> Iterator[Path]:
    for package in PACKAGES:
        for language in LANGUAGES:
            path = ROOT / package / "locale" / language / "LC_MESSAGES/django.po"
            if path.exists():
                yield path


def collect(package: Path) -> None:
    """Run ``makemessages`` in a package. Leave out line numbers, so that moving code doesn't change the catalogue."""
    command = [sys.executable, "-m", "django", "makemessages", "--add-location", "file", "--no-wrap"]
    command += [argument for language in LANGUAGES for argument in ("--locale", language)]
    subprocess.run(command, cwd=package, check=True, stdout=subprocess.DEVNULL)


def translations(catalogue: polib._BaseFile) -> dict[tuple[str, str], object]:
    """Map (context, text) to its translation or translations."""
    return {
        (entry.msgctxt or "", entry.msgid): dict(entry.msgstr_plural) or entry.msgstr
        for entry in catalogue
        if (entry.msgstr or entry.msgstr_plural) and not entry.obsolete and "fuzzy" not in getattr(entry, "flags", ())
    }


def entry_faults(entry: polib.POEntry) -> Iterator[str]:
    if entry.fuzzy:
        yield "is fuzzy"
        return
    if not entry.translated():
        yield "is not translated"
        return
    expected = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    for text in entry.msgstr_plural.values() or [entry.msgstr]:
        if set(PLACEHOLDER.findall(text)) != expected:
            yield f"must have the placeholders {sorted(expected)}"


def catalogue_faults(path: Path) -> Iterator[str]:
    catalogue = polib.pofile(str(path))
    for entry in catalogue:
        if not entry.obsolete:
            yield from (f"{entry.msgid!r} {fault}" for fault in entry_faults(entry))
    compiled = path.with_suffix(".mo")
    if not compiled.exists() or translations(polib.mofile(str(compiled))) != translations(catalogue):
        yield "the .mo does not match the .po: run python tools/messages.py compile"


def source_faults(path: Path) -> Iterator[str]:
    """Yield messages in the sources that are missing from the .po file, which is restored afterwards."""
    before = path.read_bytes()
    known = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(path)) if not entry.obsolete}
    try:
        collect(path.parents[3])
        collected = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(path)) if not entry.obsolete}
    finally:
        path.write_bytes(before)
    yield from (
        f"{text!r} is missing in the catalogue: run make messages" for _, text in sorted(collected - known, key=str)
    )


def check() -> int:
    faults = 0
    for path in catalogues():
        messages = list(catalogue_faults(path))
        if shutil.which("xgettext"):
            messages += source_faults(path)
        for fault in messages:
            print(f"{path.relative_to(ROOT)}: {fault}")
        faults += len(messages)
    print(f"translations: {faults} fault(s) in {len(list(catalogues()))} catalogue(s)")
    return 1 if faults else 0


def compile_all() -> None:
    for path in catalogues():
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))


def update() -> None:
    for package in PACKAGES:
        if (ROOT / package / "locale").is_dir():
            collect(ROOT / package)
    compile_all()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["update", "compile", "check"])
    action = parser.parse_args().action
    if action == "check":
        return check()
    if action == "compile":
        compile_all()
    else:
        update()
    return 0


if __name__ == "__main__":
    sys.exit(main())
