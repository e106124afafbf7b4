"""Heads that rows of a batch begin with: another shot's, which is to become the picture's, and the picture's own, which stays."""

import numpy as np
import torch
from omokage import head

from training.mini.known import counted, covered, inside, known_rows

COVER = torch.zeros(3, 1, 12, 12)
COVER[:2, :, 3:9, 2:10] = 1
COVER[:2, :, 3:9, 10] = 0.3
EDGE = torch.zeros(1, 1, 12, 12)
EDGE[..., :5, 4:] = 1
ARRAYS = {"covered": COVER, "kept": torch.tensor([True, False, False])}


def test_a_row_with_a_head_of_another_shot_is_one_and_a_kept_one_is_none() -> None:
    assert known_rows(ARRAYS).tolist() == [False, True, False]


def test_the_inside_of_a_head_is_what_a_portrait_takes_for_it() -> None:
    for one in (*COVER, *EDGE):
        np.testing.assert_array_equal(inside(one[None])[0, 0].bool().numpy(), head.inside(one[None].numpy())[0, 0])


def test_a_kept_head_lets_its_outermost_cells_go_where_portraits_do() -> None:
    above, below = (covered(ARRAYS, torch.tensor([step] * 3)) for step in (300, 299))
    torch.testing.assert_close(above, COVER)
    torch.testing.assert_close(below[1:], COVER[1:])
    torch.testing.assert_close(below[0], COVER[0] * inside(COVER[:1])[0])


def test_errors_where_a_head_is_kept_do_not_count_and_those_round_it_do() -> None:
    weights = counted(ARRAYS, torch.tensor([500] * 3), torch.tensor([0.5, 0.5, 0.5]))
    assert weights[0, 0, 5, 5] == 0
    assert weights[0, 0, 0, 0] == 1
    assert weights[0, 0, 5, 10].item() == np.float32(0.35), "a cell that is covered in part"
    assert (weights[1:] == 1).all()
