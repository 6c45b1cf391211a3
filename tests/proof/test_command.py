"""``python -m crm_contact_guard.proof`` as run by an auditor: in a separate process, without Django settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof.bundles import KEY, STRANGER, Record, message, rezip, sample, unzip

ROOT = Path(__file__).parents[2]


def run(*arguments: object, code: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | more
    command = ["-c", code] if code else ["-m", "crm_contact_guard.proof", *map(str, arguments)]
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    path.write_bytes(sample().bundle())
    return path


def key_file(tmp_path: Path, key: object = KEY) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(f"# from the contract\n{key.verifier.to_text()}\n", "utf-8")  # type: ignore[attr-defined]
    return path


def test_a_genuine_bundle_with_the_pinned_key(bundle: Path, tmp_path: Path) -> None:
    done = run(bundle, "--public-key", key_file(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "All holds."
    assert "12 messages and 12 events" in done.stdout
    assert "NOT PINNED" not in done.stdout


def test_without_a_pinned_key_it_says_so_and_prints_the_fingerprint(bundle: Path) -> None:
    done = run(bundle)
    assert done.returncode == 0
    assert "NOT PINNED" in done.stdout
    assert KEY.verifier.fingerprint in done.stdout


def test_another_key_than_the_pinned_one_fails(bundle: Path, tmp_path: Path) -> None:
    done = run(bundle, "--public-key", key_file(tmp_path, STRANGER))
    assert done.returncode == 1
    assert "another key than the pinned one" in done.stdout
    assert KEY.verifier.fingerprint in done.stdout


def test_a_changed_row_comes_right_after_the_verdict(bundle: Path) -> None:
    files = unzip(bundle.read_bytes())
    files["messages.jsonl"] = files["messages.jsonl"].replace("お部屋 3".encode(), "お部屋 4".encode())
    bundle.write_bytes(rezip(files))
    done = run(bundle)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "2 do not hold."
    assert done.stdout.splitlines()[1] == (
        "DOES NOT HOLD  message 0192f0a0-0000-7000-8000-000000000003 of 2026-11-24 09:03: "
        "text differs from what was sealed"
    )


def test_since_an_older_checkpoint(bundle: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.txt"
    kept.write_text(sample().checkpoint(size=10), "utf-8")
    done = run(bundle, "--since", kept)
    assert done.returncode == 0
    assert "begins with the 10 leaves of your checkpoint" in done.stdout
    bundle.write_bytes(Record().add(*(message(number + 50) for number in range(24))).bundle())
    done = run(bundle, "--since", kept)
    assert done.returncode == 1
    assert "the record was rewritten" in done.stdout


@pytest.mark.parametrize("option", ["--public-key", "--since"])
def test_wrong_arguments_have_another_exit_code_than_a_broken_bundle(bundle: Path, tmp_path: Path, option: str) -> None:
    assert run(bundle, option, tmp_path / "missing").returncode == 2
    assert run(tmp_path / "missing.zip").returncode == 2
    assert run().returncode == 2
    bundle.write_bytes(b"no zip")
    assert run(bundle).returncode == 1


def test_many_faults_are_summed_up(bundle: Path) -> None:
    record = sample(80)
    for row in record.rows:
        row.open_values["tenant"] = "elsewhere"
    bundle.write_bytes(record.bundle())
    done = run(bundle)
    assert done.returncode == 1
    assert "… and 60 more" in done.stdout
    assert done.stdout.splitlines()[0] == "160 do not hold."


def test_help_explains_the_exit_codes() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "--public-key FILE" in done.stdout
    assert "1 faults" in done.stdout


def test_the_verifier_loads_neither_django_nor_the_rest() -> None:
    code = (
        "import sys; import crm_contact_guard.proof.__main__; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'django', 'celery', 'rest_framework', 'numpy'}), "
        "sorted(name for name in sys.modules if name.startswith('crm_contact_guard.') and '.proof' not in name))"
    )
    assert run(code=code).stdout == "[] []\n"
