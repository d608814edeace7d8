"""Lists the commands."""

import ast
from pathlib import Path


def main() -> int:
    """Prints each command with the first line of its docstring."""
    print("Commands (each answers --help):")
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "\ndef main(" in text and path.name != "__main__.py":
            about = (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]
            print(f"  python -m search.{path.stem:<10} {about}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
