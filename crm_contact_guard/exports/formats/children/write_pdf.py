"""Write PDF files: ``write_pdf.py TEMPLATE FONTS``, where ``FONTS`` is a folder of font files.

Each line of the input is a JSON list: the file to write, and the data for the template. Each is answered with a line:
a JSON string, which is empty if the file was written and else says why not. No file of this machine but the fonts can
be read by a template, and text in the data is never read as markup.
"""

import json
import sys
from pathlib import Path
from typing import Final, Literal

import typst

#: PDF/A-2a is for archives, PDF/UA-1 for screen readers. Both refuse a text for which no font has a glyph.
STANDARDS: Final[list[Literal["a-2a", "ua-1"]]] = ["a-2a", "ua-1"]


def main() -> None:
    """Answer each line."""
    template = Path(sys.argv[1]).read_bytes()
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[sys.argv[2]])
    for line in sys.stdin.buffer:
        target, data = json.loads(line)
        try:
            content = typst.compile(  # type: ignore[call-overload]  # its stubs know lists of one type alone
                template,
                format="pdf",
                font_paths=fonts,
                sys_inputs={"data": json.dumps(data)},
                pdf_standards=STANDARDS,
                timestamp=0,
            )
        except RuntimeError as error:
            answer = str(error) or type(error).__name__
        else:
            Path(target).write_bytes(content)
            answer = ""
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
