"""A passport: what the systems need to know of a person, in one safetensors file that the person's own side keeps."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from omokage.errors import InvalidRequest, Refused
from omokage.files import write_whole
from omokage.prior import Prior
from omokage.system import Face

FORMAT, PERSONAL = "omokage-passport/4", "omokage-passport/5"
"""Without and with a personal prior: who does not know of it is not to leave it out in silence."""
LEARNED = "prior_"  # what the prior's tensors are called begins so
ENROL = "make it anew with `omokage enroll`"
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, kw_only=True)
class Passport:
    """`face` as the family's encoders see it, and what was learned beyond that, or None, with the `generator` that it was learned by (see
    `omokage.installed`); `purposes` and `expires` (None: never) are what the person agreed to."""

    family: str
    face: Face
    prior: Prior | None = None
    generator: str = ""
    name: str = ""
    purposes: tuple[str, ...] = ()
    expires: date | None = None
    notes: tuple[str, ...] = ()  # on the photos it was made from; not in the file
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_bytes(self) -> bytes:
        """The file."""
        tensors = vars(self.face) | ({} if self.prior is None else {LEARNED + name: value for name, value in vars(self.prior).items()})
        known = {
            "format": FORMAT if self.prior is None else PERSONAL,
            "family": self.family,
            "name": self.name,
            "purposes": json.dumps(self.purposes),
            "expires": self.expires.isoformat() if self.expires else "",
            "created": self.created,
        } | ({} if self.prior is None else {"generator": self.generator})
        return save(tensors, {**known, "digest": _digest(tensors, known)})

    def save(self, path: Path | str) -> None:
        """Write the file, whole or not at all."""
        write_whole(Path(path), self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> "Passport":
        """Raises InvalidRequest for what is no passport, or one that was changed or cut."""
        tensors, known = _opened(data)
        if known.get("format") not in (FORMAT, PERSONAL):
            raise InvalidRequest(f"the passport's format is {known.get('format', 'not said')!r}, wanted {FORMAT!r} or {PERSONAL!r}; {ENROL}")
        digest = known.pop("digest", "")
        if digest != _digest(tensors, known):
            raise InvalidRequest(f"the passport is damaged: it is not what was written (its digest differs); use another copy, or {ENROL}")
        try:
            found = cls(
                family=known["family"],
                face=Face.of(tensors),
                prior=Prior.of({name.removeprefix(LEARNED): value for name, value in tensors.items()}) if known["format"] == PERSONAL else None,
                generator=known["generator"] if known["format"] == PERSONAL else "",
                name=known["name"],
                purposes=tuple(json.loads(known["purposes"])),
                expires=date.fromisoformat(known["expires"]) if known["expires"] else None,
                created=known["created"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidRequest(f"the passport lacks something or has it wrong ({type(error).__name__}: {error}); {ENROL}") from None
        for name, tensor in tensors.items():
            if tensor.dtype != np.float32 or tensor.shape[:1] != (1,) or not np.isfinite(tensor).all():
                raise InvalidRequest(f"the passport's {name} is {tensor.dtype} {tensor.shape}, wanted finite float32 [1, ...]; {ENROL}")
        return found

    @classmethod
    def load(cls, path: Path | str) -> "Passport":
        """Raises InvalidRequest."""
        try:
            return cls.from_bytes(Path(path).read_bytes())
        except OSError as error:
            raise InvalidRequest(f"the passport {path} cannot be read ({error.strerror}); {ENROL}") from None

    def checked(self, family: str, today: date, shapes: Mapping[str, Sequence[int]], generator: str) -> Face:
        """The face, for a family whose faces and priors have such shapes, and a generator of it. Raises InvalidRequest for another family or a prior
        of another generator, Refused when its time is over."""
        if self.family != family:
            raise InvalidRequest(f"the passport is of the family {self.family!r}, this server's is {family!r}; {ENROL} on this server")
        if self.expires is not None and self.expires < today:
            raise Refused(f"the passport's consent ended on {self.expires.isoformat()}; ask the person, and {ENROL}")
        if self.prior is not None and self.generator != generator:
            raise InvalidRequest(
                f"the passport's personal prior was learned by the generator {self.generator!r}, this server's is {generator!r}: other weights "
                "mean other keys and values; learn it anew with `omokage enroll PHOTO... --personal` on this server"
            )
        tensors = vars(self.face) | ({} if self.prior is None else vars(self.prior))
        for name, tensor in tensors.items():
            if tensor.shape[1:] != tuple(shapes[name]):
                raise InvalidRequest(f"the passport's {name} is {list(tensor.shape[1:])}, this server's {list(shapes[name])}; {ENROL}")
        return self.face


def _opened(data: bytes) -> tuple[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]], dict[str, str]]:
    """(tensors, metadata). safetensors' own reader leaves the metadata out."""
    if len(data) > MOST_BYTES:
        raise InvalidRequest(f"the passport has {len(data)} bytes, at most {MOST_BYTES} are taken; {ENROL}")
    try:
        tensors = load(data)
        header = data[8 : 8 + int.from_bytes(data[:8], "little")].rstrip(b" ").decode()
        parsed = json.loads(header)
        if json.dumps(parsed, separators=(",", ":"), ensure_ascii=False) != header:
            raise ValueError("not as it was written")
        known = parsed.get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError) as error:
        raise InvalidRequest(
            f"the passport of {len(data)} bytes cannot be read ({type(error).__name__}): cut, damaged, or no passport; {ENROL}"
        ) from None
    return tensors, known


def _digest(tensors: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]], known: dict[str, str]) -> str:
    """SHA-256 over what is known and the tensors: tells damage, not forgery."""
    found = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        found.update(np.ascontiguousarray(tensor).tobytes())
    return found.hexdigest()
