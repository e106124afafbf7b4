"""How unlike a person a face is as it lies in its texture."""

import numpy as np
import torch

from tests.mini.worded import worded
from training.mini.likeness import TextureLikeness, own_vectors


def test_a_face_lies_in_its_texture_as_it_would_be_aligned() -> None:
    """What SFace sees of a texture with a mark between the eyes is a face with that mark at a third of its height, in the middle."""
    seen = []

    def sface(faces: torch.Tensor) -> torch.Tensor:
        seen.append(faces)
        return torch.ones(len(faces), 128)

    unlike = TextureLikeness()
    unlike._identity = sface  # type: ignore[assignment]
    texture = torch.zeros(2, 3, 192, 192)
    eyes = round(192 * (0.5 - 0.35 / 4.6))
    texture[..., eyes - 3 : eyes + 3, 93:99] = 1
    assert unlike(texture, torch.ones(2, 128)).abs().max() < 1e-6
    down, across = np.argwhere(seen[0][1, 0].numpy() > 127).mean(0)
    assert abs(across - 56) < 1.5
    assert abs(down - 51.6) < 2.5, "where ArcFace's template has the eyes"


def test_a_person_is_the_mean_of_all_shots_however_long_their_vectors_are() -> None:
    people = worded(np.array([5, 5, 7]), np.zeros(3, np.int64), np.zeros((3, 468, 3)), np.zeros((3, 3, 192, 192), np.uint8))
    people.identity[:] = 0
    people.identity[0, 0], people.identity[1, 1], people.identity[2, 2] = 3, 1, 9
    found = own_vectors(people)
    torch.testing.assert_close(found[:2, :2], torch.full((2, 2), 0.5**0.5))
    assert found[2, 2] == 1
