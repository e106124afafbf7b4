"""The settings of a system, as data: what `omokage systems` prints is what requests are held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omokage.errors import InvalidRequest

Values = Mapping[str, Any]
"""Settings by name: numbers, and the names of choices."""


@dataclass(frozen=True)
class Knob:
    """A number a request may set; whole where its default is an int."""

    name: str
    default: float
    low: float
    high: float
    meaning: str

    def checked(self, value: object) -> float:
        """The value as a number in range. Raises InvalidRequest."""
        wanted = f"{self.name} must be {'a whole number' if isinstance(self.default, int) else 'a number'} from {self.low:g} to {self.high:g}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidRequest(f"{self.name} is {value!r}; {wanted} ({self.meaning})")
        if not self.low <= value <= self.high:  # so is not a number, too
            raise InvalidRequest(f"{self.name} is {value}; {wanted} ({self.meaning})")
        if isinstance(self.default, int) and value != int(value):
            raise InvalidRequest(f"{self.name} is {value}; {wanted} ({self.meaning})")
        return int(value) if isinstance(self.default, int) else float(value)

    @property
    def range(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of some names that a request may set."""

    name: str
    default: str
    choices: tuple[str, ...]
    meaning: str

    def checked(self, value: object) -> str:
        """Raises InvalidRequest."""
        if value not in self.choices:
            raise InvalidRequest(f"{self.name} is {value!r}; it must be one of: {', '.join(self.choices)} ({self.meaning})")
        return str(value)

    @property
    def range(self) -> str:
        return ", ".join(self.choices)


def settled(knobs: tuple[Knob | Choice, ...], given: Mapping[str, object]) -> Values:
    """All knobs with their values, defaults where none is given. Raises InvalidRequest for an unknown one or a bad value."""
    known = {knob.name: knob for knob in knobs}
    for name in given:
        if name not in known:
            raise InvalidRequest(f"unknown knob {name!r}; this system has: {', '.join(known)}")
    return {name: knob.checked(given.get(name, knob.default)) for name, knob in known.items()}
