"""Triangle meshes: topology that never changes is worked out once, normals and tangents per shape."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from training.people.assets import Floats, Ints

MAX_UV = 1_000_000  # more texture coordinates than any mesh here has


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def triangles_of(quads: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Two triangles per quad [2F, 3], and which of them are not degenerate [2F]."""
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    a, b, c = triangles.T
    return triangles, (a != b) & (b != c) & (a != c)


@dataclass(frozen=True)
class Topology:
    """A mesh without its positions. Corners that share a point but not a texture coordinate become two vertices."""

    source: Ints  # [n] point of each vertex
    uv: Floats  # [n, 2]
    triangles: Ints  # [t, 3] over vertices
    point_triangles: Ints  # [t, 3] over points
    points: int

    @staticmethod
    def of(quads: Ints, uv_quads: Ints, uv: Floats, points: int) -> "Topology":
        """From quads over points [F, 4] and over texture coordinates [F, 4]."""
        triangles, valid = triangles_of(quads)
        uv_triangles, _ = triangles_of(uv_quads)
        triangles, uv_triangles = triangles[valid], uv_triangles[valid]
        keys, inverse = np.unique(triangles.astype(np.int64) * MAX_UV + uv_triangles, return_inverse=True)
        corners = inverse.reshape(-1, 3).astype(np.int32)
        return Topology((keys // MAX_UV).astype(np.int32), uv[keys % MAX_UV], corners, triangles, points)

    @cached_property
    def _gather(self) -> sparse.csr_matrix:
        """[points, t] sums what triangles say over the points they touch."""
        count = len(self.point_triangles)
        columns = np.repeat(np.arange(count), 3)
        return sparse.csr_matrix((np.ones(3 * count, np.float32), (self.point_triangles.ravel(), columns)), (self.points, count))

    @cached_property
    def _gather_vertices(self) -> sparse.csr_matrix:
        count = len(self.triangles)
        columns = np.repeat(np.arange(count), 3)
        return sparse.csr_matrix((np.ones(3 * count, np.float32), (self.triangles.ravel(), columns)), (len(self.source), count))

    def normals(self, positions: Floats) -> Floats:
        """Unit normals of the points [points, 3], weighted by triangle area."""
        a, b, c = (positions[self.point_triangles[:, k]] for k in range(3))
        return _unit(np.asarray(self._gather @ np.cross(b - a, c - a), np.float32))

    def tangents(self, positions: Floats) -> Floats:
        """Unit directions in which the texture runs upwards [n, 3]: the way of the strands on a hair mesh."""
        a, b, c = (positions[self.point_triangles[:, k]] for k in range(3))
        ua, ub, uc = (self.uv[self.triangles[:, k]] for k in range(3))
        first, second = ub - ua, uc - ua
        turn = np.sign(first[:, 0] * second[:, 1] - second[:, 0] * first[:, 1])[:, None]
        along = _unit(((c - a) * first[:, :1] - (b - a) * second[:, :1]) * turn)
        return _unit(np.asarray(self._gather_vertices @ along, np.float32))

    def smoothing(self) -> sparse.csr_matrix:
        """[points, points] replaces every point by the mean of itself and its neighbours."""
        edges = np.concatenate([self.point_triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
        rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
        linked = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (self.points, self.points))
        linked = linked.sign() + sparse.identity(self.points, np.float32, "csr")
        return sparse.diags(1 / np.maximum(np.asarray(linked.sum(1)).ravel(), 1)) @ linked


def part_of(topology: Topology, keep: npt.NDArray[np.bool_]) -> Topology:
    """The triangles whose three points are all in `keep` [points]."""
    chosen = keep[topology.point_triangles].all(1)
    used, inverse = np.unique(topology.triangles[chosen], return_inverse=True)
    return Topology(
        topology.source[used], topology.uv[used], inverse.reshape(-1, 3).astype(np.int32), topology.point_triangles[chosen], topology.points
    )
