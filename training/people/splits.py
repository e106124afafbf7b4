"""Which seeds are for what. Fixed by range, so that everybody agrees for ever who was trained on."""

from training.people.errors import InvalidRequest

SPLITS: dict[str, range] = {
    "train": range(1_000_000),
    "validation": range(1_000_000, 1_001_000),
    "test": range(1_001_000, 1_003_000),
    "sealed": range(1_003_000, 1_010_000),
}
"""`train` to learn from, `validation` to tune on, `test` to report on; on `sealed` nobody trains, tunes or chooses anything."""


def split_of(seed: int) -> str:
    """The split of a person's seed. Raises InvalidRequest for a seed in none."""
    for name, seeds in SPLITS.items():
        if seed in seeds:
            return name
    last = SPLITS["sealed"].stop - 1
    raise InvalidRequest(f"person seed is {seed}, it must be from 0 to {last}; see `training/people/splits.py` for what each range is for")
