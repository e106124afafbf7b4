"""Published families in miniature: the same structure, narrow."""

from dataclasses import replace

from export.families import SD15, SDXL, ClipShape, Family, KlShape, UnetShape

_WORDS = ClipShape(width=32, layers=2, heads=2, activation="quick_gelu")
_PICTURES = ClipShape(width=64, layers=2, heads=2, activation="gelu", projection=48, patch=14, picture=28)
_AUTOENCODER = KlShape(encoder_channels=(8, 8, 16, 16), blocks=1, norm_groups=4)


def _narrow(family: Family, unet: UnetShape) -> Family:
    face = replace(family.face, identity=24, appearance_tokens=5, appearance=64, resampler=(64, 2), stages=(1, 1, 1, 1), crop=32)
    shape = replace(unet, norm_groups=8, condition_channels=(4, 4, 8, 8), layers_per_block=1)
    return replace(
        family, name=family.name, size=64, unet=shape, autoencoder=replace(_AUTOENCODER, scaling=0.2), face=face, looks=_PICTURES, safety=_PICTURES
    )


NARROW = {
    "sd15": replace(_narrow(SD15, replace(SD15.unet, channels=(16, 32, 32, 32), heads=(2, 2, 2, 2), text_width=32)), clip=(_WORDS,)),
    "sdxl": replace(
        _narrow(SDXL, replace(SDXL.unet, channels=(16, 32, 32), heads=(1, 2, 2), text_width=72, depth=(1, 2, 3), vector=40)),
        clip=(_WORDS, replace(_WORDS, width=40, activation="gelu", projection=40)),
    ),
}
