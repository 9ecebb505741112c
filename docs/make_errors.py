"""Write docs/errors.md: every error code, with its meaning, an example and its cure.

python docs/make_errors.py
"""

from pathlib import Path

from netcalc.render.reference.errors import markdown_chunks

PAGE = Path(__file__).parent / "errors.md"

if __name__ == "__main__":
    PAGE.write_text("".join(markdown_chunks()))
