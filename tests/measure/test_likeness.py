"""Likeness is 0 for strangers, 1 for what real shots reach, and a portrait without a face earns nothing."""

import numpy as np
import pytest

from measure.likeness import Floats, each, likeness, near

PEOPLE, WIDTH = 12, 32


def drawn(seed: int, noise: float) -> tuple[Floats, Floats, Floats]:
    """Three shots of every person: unit vectors round the person's own."""
    draw = np.random.default_rng(seed)
    own = draw.normal(size=(PEOPLE, WIDTH))
    shots = [own + noise * draw.normal(size=own.shape) for _ in range(3)]
    first, second, third = (np.asarray(one / np.linalg.norm(one, axis=1, keepdims=True), np.float32) for one in shots)
    return first, second, third


@pytest.mark.parametrize("distance", [False, True])
def test_real_shots_are_one_and_strangers_zero(distance: bool) -> None:
    asked, compared, other = drawn(0, 0.5)
    again = likeness(list(asked), asked, compared, distance=distance)
    assert again.normalised == pytest.approx(1, abs=1e-5)
    assert likeness(list(other), asked, compared, distance=distance).normalised == pytest.approx(1, abs=0.15)
    strangers = likeness(list(np.roll(asked, 1, 0)), asked, compared, distance=distance)
    assert strangers.normalised == pytest.approx(0, abs=0.15)
    assert strangers.first == 0
    assert again.first == 1


@pytest.mark.parametrize("distance", [False, True])
def test_a_portrait_without_a_face_counts_as_a_stranger(distance: bool) -> None:
    asked, compared, _ = drawn(1, 0.5)
    nobody = likeness([None] * PEOPLE, asked, compared, distance=distance)
    assert nobody.normalised == pytest.approx(0)
    assert (nobody.first, nobody.unfound) == (0, PEOPLE)
    half = likeness([vector if k % 2 else None for k, vector in enumerate(asked)], asked, compared, distance=distance)
    assert half.first == 0.5
    assert 0.3 < half.normalised < 0.7


def test_every_portrait_is_measured_on_the_scale_of_all() -> None:
    asked, compared, _ = drawn(2, 0.5)
    portraits = [*asked[: PEOPLE // 2], *[None] * (PEOPLE // 2)]
    found = each(portraits, asked, compared, distance=False)
    assert found[PEOPLE // 2 :] == pytest.approx(0)
    assert found[: PEOPLE // 2].mean() > 0.7
    assert found.mean() == pytest.approx(likeness(portraits, asked, compared, distance=False).normalised, abs=1e-5)


def test_nearness_is_the_cosine_or_minus_the_distance() -> None:
    one, other = np.eye(2, dtype=np.float32), np.array([[0, 1], [0.6, 0.8]], np.float32)
    np.testing.assert_allclose(near(one, other, distance=False), [[0, 0.6], [1, 0.8]], atol=1e-6)
    np.testing.assert_allclose(near(one, other, distance=True) ** 2, [[2, 0.8], [0, 0.4]], atol=1e-6)
