"""Write the generated JSON Schemas: ``python -m bidsify.schema_export schemas``."""

from __future__ import annotations

import sys
from pathlib import Path

from ..bids_schema import schema
from . import documents, render


def main(folder: Path) -> None:
    """Write all generated schemas below ``folder``, and remove those that no rule makes now."""
    texts = {f"{name}.schema.json": render(entry) for name, entry in documents(schema()).items()}
    for name in ("sidecars", "tables"):
        for path in (folder / name).glob("*.schema.json"):
            if f"{name}/{path.name}" not in texts:
                path.unlink()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit("usage: python -m bidsify.schema_export DIR")
    main(Path(sys.argv[1]))
