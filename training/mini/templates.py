"""What is put over heads, as the mean of rendered ones, or as one of them: where it lies, its shade, its colours."""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from export.conditions import EYES, INNER_LIPS
from export.overlay import BARE, COLOURED, LAYERS, LIDS, MOUTH, FaceOverlay, skin
from export.somebody import not_grey, somebody
from export.texture import SIDE, places_in_texture
from training.mini.corpus import Corpus, Indices
from training.mini.even import textures
from training.mini.worn import COLOURS, Worn

WHOLLY = 0.9  # of a place: its colour is that of what is worn
MOST = 120  # heads of a kind, which are enough for a mean
LARGER, SOFT = 7, 5  # pixels: of lids round open eyes, and of their edge
LIP, FINER = 1.5, 8  # pixels of lips that the inside of an open mouth covers, too; and as how many each is drawn
DEEP = 0.35
"""How bright the inside of an open mouth is, of the skin round it: what lies behind tongue and teeth. Those are as bright as skin, and lie
elsewhere in every rendered mouth, so a mean of them is no mouth."""
FINE = 13  # pixels: a knit is finer
SHARPER = 3.0  # times: a mean of outlines is soft
CRISP = 5.0  # how much a map of frames loses by the share of it that is neither frame nor none, of how much like others it is
DARK = 0.02  # 0..1, added to brightness before its logarithm is taken
LEVEL, RAMP = 0.35, 0.06  # of the side: hair that a hat hides lies above, wholly from so much higher on


def measure(network: FaceOverlay, corpus: Corpus, worn: Worn) -> None:
    """Give a network its maps. Glasses and hats that nobody wears stay empty; an open mouth's inside is not measured."""
    for layer, kinds in LAYERS.items():
        maps = network.layer(layer)
        for k, kind in enumerate(kinds):
            if layer == MOUTH:
                maps.cover[k], maps.shade[k] = inside_mouth().flatten(), math.log(DEEP)
                continue
            chosen = np.flatnonzero((worn.kind[:, number_of(layer)] == k + 1) & worn.facing & corpus.found)
            if layer in LIDS:
                cover = lid(LIDS.index(layer))
                heads = textures(corpus, chosen[worn.kind[chosen, number_of("glasses")] == 0][:MOST])
                maps.shade[k] = shade(heads, skin(heads, cover.flatten()[None]), cover.expand(len(heads), 1, SIDE, SIDE)).flatten()
                maps.cover[k] = cover.flatten()
                continue
            chosen = chosen[worn.place[chosen] >= 0][:MOST]
            heads, masks = textures(corpus, chosen), masks_of(worn, layer, chosen)
            own, seen = mean_colours(heads, masks)
            if not seen.any():
                continue
            heads, masks, own = heads[seen], masks[seen], own[seen]
            cover = outline(layer, kind, masks[:, 0])
            where = torch.maximum(masks, cover) if kind == "sunglasses" else masks
            maps.cover[k], maps.shade[k] = cover.flatten(), shade(heads, own, where).flatten()
            if layer == BARE:
                maps.shade[k] += fine(heads, masks, cover).flatten()
                maps.bare[k] = bare(heads, cover).flatten()


def colours(corpus: Corpus, worn: Worn) -> dict[str, Tensor]:
    """By layer of COLOURED, its colours [n, 3] in 0..1 as they look in the mean of all lights; nan where nobody wears one."""
    found = {}
    for number, layer in enumerate(COLOURED):
        shown = (worn.kind[:, number_of(layer)] > 0) & (worn.place >= 0)
        found[layer] = torch.full((len(COLOURS[layer]), 3), float("nan"))
        for k in range(len(COLOURS[layer])):
            chosen = np.flatnonzero(shown & (worn.colour[:, number] == k))[:MOST]
            means, seen = mean_colours(textures(corpus, chosen), masks_of(worn, layer, chosen))
            if seen.any():
                found[layer][k] = means[seen].median(0).values
    return found


def number_of(layer: str) -> int:
    return list(LAYERS).index(layer)


def masks_of(worn: Worn, layer: str, chosen: Indices) -> Tensor:
    """[n, 1, 192, 192] in 0..1: where in pictures the layer lies."""
    return torch.from_numpy(worn.masks[worn.place[chosen], COLOURED.index(layer)]).float()[:, None] / 255


def mean_colours(heads: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """([n, 3] of heads [n, 3, 192, 192], where [n, 1, 192, 192] in 0..1 is nearly 1 and somebody is, [n] whether that is anywhere): frames of glasses
    are narrow."""
    within = (where > WHOLLY).to(heads.dtype) * not_grey(heads * 2 - 1)
    count = within.sum((2, 3))
    return (heads * within).sum((2, 3)) / count.clamp_min(1), count[:, 0] >= 1


def shade(heads: Tensor, colour: Tensor, where: Tensor) -> Tensor:
    """[192, 192]: the mean logarithm of the brightness of heads [n, 3, 192, 192] over that of their colours [n, 3], where [n, 1, 192, 192] they
    count."""
    bright, own = ((one.mean(1) + DARK).log() for one in (heads, colour))
    return ((bright - own[:, None, None]) * where[:, 0]).sum(0) / where[:, 0].sum(0).clamp_min(0.5)


def fine(heads: Tensor, masks: Tensor, cover: Tensor) -> Tensor:
    """[192, 192]: what is finer than FINE pixels in the logarithm of brightness of one head, whose map covers most, as strong as it is in the median
    of the heads [n, 3, 192, 192]; in their mean it is lost."""
    one = int((masks[:, 0] * cover).sum((1, 2)).argmax())
    bright = (heads.mean(1, keepdim=True) + DARK).log()
    round_it, there = (F.avg_pool2d(seen, FINE, 1, FINE // 2) for seen in (bright * masks, masks))
    finest = (bright - round_it / there.clamp_min(1e-3)) * masks
    strong = (finest.square().sum((1, 2, 3)) / masks.sum((1, 2, 3)).clamp_min(1)).sqrt()
    return finest[one, 0] * (strong.median() / strong[one].clamp_min(1e-6))


def lid(side: int) -> Tensor:
    """[192, 192] in 0..1: a closed lid over the eye of the viewer's left (0) or right (1), on the mean face."""
    points = (places_in_texture()[list(EYES[side * len(EYES) // 2 : (side + 1) * len(EYES) // 2])] * SIDE).numpy()
    hull = cv2.convexHull(points.round().astype(np.int32))
    eye = torch.from_numpy(cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), hull, (1,))).float()[None, None]
    larger = F.max_pool2d(eye, LARGER, 1, LARGER // 2)
    return F.avg_pool2d(larger, SOFT, 1, SOFT // 2)[0, 0]


def inside_mouth() -> Tensor:
    """[192, 192] in 0..1: what lies between the lips of the mean face, and a little of them."""
    points = (places_in_texture()[list(INNER_LIPS)] * SIDE * FINER).numpy()
    between = cv2.fillPoly(np.zeros((SIDE * FINER, SIDE * FINER), np.uint8), [points.round().astype(np.int32)], (1,))
    larger = cv2.dilate(between, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(2 * LIP * FINER) + 1,) * 2))
    return F.avg_pool2d(torch.from_numpy(larger).float()[None, None], FINER)[0, 0]


def outline(layer: str, kind: str, masks: Tensor) -> Tensor:
    """[192, 192] in 0..1: where a kind lies whose maps are [n, 192, 192]."""
    if kind == "sunglasses":
        return sharpened(filled(masks.mean(0)))
    return frames(masks) if layer == "glasses" else sharpened(masks.mean(0))


def frames(masks: Tensor) -> Tensor:
    """[192, 192]: frames of glasses: of maps [n, 192, 192] the half most like the mean of all halves, and its mirror image. Frames are narrower than
    they differ, so in a mean they end and blur; so do some in their pictures, so one whose lenses are closed counts more.
    """
    halves = torch.cat([masks, masks.flip(2)])[:, :, : SIDE // 2]
    whole = torch.cat([halves, halves.flip(2)], 2)
    like = (halves * halves.mean(0)).sum((1, 2)) / halves.square().sum((1, 2)).sqrt().clamp_min(1e-6)
    soft = (halves * (1 - halves)).sum((1, 2)) / halves.sum((1, 2)).clamp_min(1e-6)
    lenses = torch.stack([filled(one) > one for one in whole]).sum((1, 2))
    closed = (lenses > lenses.max() / 2).float() - 2 * (halves.amax((1, 2)) == 0)
    one = whole[int((like / like.max().clamp_min(1e-6) - CRISP * soft + closed).argmax())]
    _, parts, sizes, _ = cv2.connectedComponentsWithStats((one > 0).numpy().astype(np.uint8))
    return one * torch.from_numpy(parts == 1 + sizes[1:, cv2.CC_STAT_AREA].argmax())


def sharpened(mean: Tensor) -> Tensor:
    """A mean [192, 192] of maps with an outline again; its highest is 1."""
    return (mean / mean.max().clamp_min(0.5) * SHARPER - (SHARPER - 1) / 2).clamp(0, 1)


def filled(mean: Tensor) -> Tensor:
    """A map [192, 192] with the holes in it, too: lenses between frames."""
    drawn = (mean > 0.3).numpy().astype(np.uint8)
    outlines, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    inside = cv2.drawContours(np.zeros_like(drawn), outlines, -1, (1,), cv2.FILLED)
    return torch.maximum(mean, torch.from_numpy(inside).float())


def bare(heads: Tensor, cover: Tensor) -> Tensor:
    """[192, 192] in 0..1: where above the eyes there is nobody beside a hat."""
    nobody = 1 - somebody(heads * 2 - 1).mean(0)[0]
    above = ((LEVEL - torch.arange(SIDE) / SIDE) / RAMP).clamp(0, 1)[:, None]
    return sharpened(nobody) * above * (1 - cover)
