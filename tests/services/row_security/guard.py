"""The adapter, as docs/installation.md has it, to the letter."""

import re
from pathlib import Path

from tests.services.row_security.models import Organisation, organisation_context, organisation_in_force

PAGE = Path(__file__).parents[3] / "docs" / "installation.md"
_found = re.search(
    r"^```python\n# crm/guard\.py\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
assert _found
namespace = {
    "Organisation": Organisation,
    "organisation_context": organisation_context,
    "organisation_in_force": organisation_in_force,
}
exec(compile(_found[1], str(PAGE), "exec"), namespace)
Adapter = namespace["Adapter"]
