"""Our own garments, headwear and fur: a part of the body, lifted off the skin. The shader cuts the edges in rest space."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from training.people import assets, body
from training.people.assets import Floats
from training.people.mesh import Topology, part_of


@dataclass(frozen=True)
class Shell:
    """A part of the body mesh with the matrix that irons it out."""

    topology: Topology
    ironing: sparse.csr_matrix
    passes: int

    def over(self, rest: Floats, normals: Floats, ease_dm: float) -> Floats:
        """Points [V, 3] at least `ease_dm` outside the body `rest` [V, 3] with unit normals [V, 3], and smoother."""
        smooth = rest
        for _ in range(self.passes):
            smooth = np.asarray(self.ironing @ smooth, np.float32)
        height = ((smooth - rest) * normals).sum(1, keepdims=True)
        lifted = rest + normals * np.maximum(height, ease_dm)  # only along the normals: ironing alone drifts along the surface
        return np.where(body.is_ear()[:, None], smooth, lifted).astype(np.float32)  # cloth lies flat on the ears


def _shell(keep: npt.NDArray[np.bool_], passes: int) -> Shell:
    topology = part_of(body.topology(), keep)
    return Shell(topology, topology.smoothing(), passes)


@lru_cache(maxsize=1)
def garment() -> Shell:
    """Torso, shoulders and neck."""
    at = assets.load().vertices
    return _shell((at[:, 1] < 6.35) & (np.abs(at[:, 0]) < 4), passes=8)


@lru_cache(maxsize=1)
def headwear() -> Shell:
    """The head down to the collar; the shader leaves the face open."""
    return _shell(assets.load().vertices[:, 1] > 5.0, passes=16)


@lru_cache(maxsize=1)
def scalp() -> Topology:
    """Where hair may grow as fur."""
    at = assets.load().vertices
    return part_of(body.topology(), (at[:, 1] > 6.4) & ((at[:, 2] < 0.95) | (at[:, 1] > 7.55)) & ~body.is_ear())


@lru_cache(maxsize=1)
def under_hair() -> Floats:
    """[n] in 0..1 of the body's vertices: which lie under any hair, from above the hairline upwards."""
    at = assets.load().vertices
    return np.asarray(np.clip((at[:, 1] - 7.85) / 0.2, 0, 1) * ~body.is_ear(), np.float32)


@lru_cache(maxsize=1)
def lower_face() -> Topology:
    """Where a beard may grow as fur."""
    at = assets.load().vertices
    return part_of(body.topology(), (at[:, 1] > 5.8) & (at[:, 1] < 7.2) & (at[:, 2] > 0.0) & ~body.is_ear())
