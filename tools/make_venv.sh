#!/bin/sh
# Create the virtual environment .venv with the first suitable Python. PYTHON=/path/to/python overrides the search.
set -eu

venv=${1:-.venv}
found=""
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    # A name on PATH may be a shim that runs nothing, so each candidate is tested.
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
        2.* | 3.[0-9] | 3.10) found="$found $candidate ($version: too old)"; continue ;;
    esac
    if ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        found="$found $candidate ($version: its venv module is missing; on Debian: apt install python$version-venv)"
        continue
    fi
    echo "Making $venv with $candidate ($version)"
    exec "$candidate" -m venv --clear "$venv"
done

echo "crm_contact_guard needs Python 3.11 or newer, with its venv module." >&2
echo "Found:${found:- none}." >&2
echo "Install one (Debian: apt install python3 python3-venv), or name it: make install PYTHON=/path/to/python3.12" >&2
exit 1
