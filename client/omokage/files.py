"""Files that are there whole, or not at all."""

from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Raises OSError, and leaves nothing behind then."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
