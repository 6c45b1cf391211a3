"""The adapter, as docs/installation.md has it, to the letter."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "installation.md"
_found = re.search(
    r"^```python\n# crm/schemas\.py\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
assert _found
namespace: dict[str, object] = {}
exec(compile(_found[1], str(PAGE), "exec"), namespace)
Adapter = namespace["Adapter"]
