"""Every tensor of every network of a family, declared once. ONNX names and axes, engine profiles and server configs derive from it."""

from dataclasses import replace

from export.families import Family
from export.tensors import Network, Tensor

IDENTITY = "identity vector, unit length"
PIXELS = "RGB, 0..255"
SHAPE = "the five points from the front, in distances of the eyes from between them; x right, y down, z away"
DETECTOR_SIDE = 640  # pixels; YuNet's graph has this size fixed, as MediaPipe's have theirs:
LANDMARK_SIDE, MASK_SIDE = 192, 256


def networks(family: Family) -> dict[str, Network]:
    """All networks of a family by name."""
    found = [*_words(family), *_faces(family), *_contexts(family), *_denoising(family), *_pictures(family)]
    return {network.name: network for network in found}


def network(family: Family, name: str) -> Network:
    """Raises KeyError with the names there are."""
    known = networks(family)
    if name not in known:
        raise KeyError(f"the family {family.name} has no network {name!r}; it has: {', '.join(known)}")
    return known[name]


def _states(family: Family) -> tuple[Tensor, Tensor]:
    batch, tokens = family.batch, family.text_tokens
    return (
        Tensor("states", "fp32", (batch, tokens, family.unet.text_width), "of the text encoder"),
        Tensor("mask", "fp32", (batch, tokens), "1 where there is a token, 0 elsewhere"),
    )


def _face(family: Family) -> tuple[Tensor, Tensor]:
    face = family.face
    return (
        Tensor("identity", "fp32", (family.batch, face.identity), IDENTITY),
        Tensor("appearance", "fp32", (family.batch, face.appearance_tokens, face.appearance), "tokens of the aligned face, then of the head"),
    )


def _scale(family: Family, name: str, says: str) -> Tensor:
    return Tensor(name, "fp32", (family.batch,), says)


def _text_kv(family: Family) -> Tensor:
    return Tensor("text_kv", "fp32", (family.batch, family.text_tokens, family.unet.kv_width(whole=True)), "keys and values of the words")


def _id_kv(family: Family) -> Tensor:
    return Tensor(
        "id_kv", "fp32", (family.batch, family.face.cross_tokens, family.unet.kv_width(whole=True)), "keys and values of the face, 0 for nobody"
    )


def _pose_kv(family: Family) -> Tensor:
    width = family.unet.kv_width(whole=False)
    return Tensor("pose_kv", "fp32", (family.batch, family.face.cross_tokens, width), "the face for the ControlNet of poses, 0 for nobody")


def _latent(family: Family, name: str, says: str) -> Tensor:
    return Tensor(name, "fp32", (family.batch, family.unet.latent_channels, family.latent_side, family.latent_side), says)


def _picture(family: Family, name: str, says: str) -> Tensor:
    return Tensor(name, "fp32", (family.batch, 3, family.size, family.size), says)


def _residuals(family: Family) -> tuple[Tensor, ...]:
    found = []
    shapes = family.unet.residuals()
    for place, (channels, coarser) in enumerate(shapes):
        name = "control_middle" if place == len(shapes) - 1 else f"control_{place}"
        side = family.latent_side // coarser
        found.append(Tensor(name, "fp32", (family.batch, channels, side, side), "added to the UNet's features, 0 without a ControlNet"))
    return tuple(found)


def _words(family: Family) -> tuple[Network, ...]:
    ids = (
        Tensor("ids", "int64", (family.batch, family.text_tokens), "token numbers"),
        Tensor("id_mask", "int64", (family.batch, family.text_tokens), "1 where there is a token, 0 elsewhere"),
    )
    return (Network("text_encoder", "token numbers to states", ids, _states(family)[:1]),)


def _faces(family: Family) -> tuple[Network, ...]:
    crop = Tensor("face", "fp32", (family.batch, 3, family.face.crop, family.face.crop), f"aligned by its five points; {PIXELS}")
    head = replace(crop, name="head", says=f"the same from farther away: hair and ears, too; {PIXELS}")
    identity, appearance = _face(family)
    noise = Tensor("noise", "fp32", (family.batch, family.face.character), "standard normal")
    shape = Tensor("shape", "fp32", (family.batch, 5, 3), SHAPE)
    image = Tensor("image", "fp32", (1, 3, DETECTOR_SIDE, DETECTOR_SIDE), "BGR, 0..255")
    around = Tensor("crop", "fp32", (1, 3, LANDMARK_SIDE, LANDMARK_SIDE), "RGB, 0..1; the face's box a quarter wider on every side, eyes level")
    surface = Tensor("landmarks", "fp32", (1, 468, 3), "MediaPipe's points; x, y, z in pixels of the crop")
    presence = Tensor("presence", "fp32", (1, 1), "logit of there being a face")
    picture = Tensor("picture", "fp32", (1, 3, MASK_SIDE, MASK_SIDE), "RGB, 0..1")
    person = Tensor("mask", "fp32", (1, 1, MASK_SIDE, MASK_SIDE), "0..1, 1 where the person is")
    return (
        Network("face_detector", "a picture to what YuNet sees in every cell", (image,), _detections()),
        Network("face_landmarks", "a square round a face to its surface", (around,), (surface, presence)),
        Network("person_mask", "a picture to where the person is", (picture,), (person,)),
        Network("identity_encoder", "an aligned face to who it is", (crop,), (identity,)),
        Network("character", "noise to an invented person", (noise,), (identity, appearance, shape)),
        Network("appearance_encoder", "an aligned face and the head to how they look", (crop, head), (appearance,)),
    )


def _detections() -> tuple[Tensor, ...]:
    """YuNet's outputs at strides of 8, 16 and 32 pixels."""
    kinds = (("cls", 1, "share of a face"), ("obj", 1, "share of any object"), ("bbox", 4, "box"), ("kps", 10, "five points"))
    return tuple(
        Tensor(f"{kind}_{stride}", "fp32", (1, (DETECTOR_SIDE // stride) ** 2, width), says) for kind, width, says in kinds for stride in (8, 16, 32)
    )


def _contexts(family: Family) -> tuple[Network, ...]:
    states, face = _states(family), _face(family)
    strength = _scale(family, "identity_scale", "factor on the face's values")
    structure = _scale(family, "structure_scale", "factor on the appearance's part of the tokens")
    faces = (_id_kv(family), _pose_kv(family))
    return (
        Network("context_text", "words alone", states, (_text_kv(family),)),
        Network("context_face0", "a face in the last three places of the words", (*states, *face), (_text_kv(family),)),
        Network("context_face_makeup", "a face in four tokens", (*face, structure, strength), faces),
        Network("context_crossfaceid", "a face in sixteen tokens", (*face, strength), faces),
    )


def _denoising(family: Family) -> tuple[Network, ...]:
    sample, step = _latent(family, "sample", "noisy latents"), Tensor("timestep", "int64", (family.batch,), "0..999")
    prediction = _latent(family, "prediction", "v")
    strength = _scale(family, "strength", "factor on all residuals")
    keypoints = Tensor("keypoints", "fp32", (family.batch, 5, 2), "x, y in 0..1 of the side; eyes, nose, mouth corners, the viewer's left first")
    condition = _picture(family, "condition", "0..1")
    width = family.unet.kv_width(whole=False)
    words = Tensor("shading_kv", "fp32", (family.batch, family.text_tokens, width), "the words for the ControlNet of light")
    return (
        Network("unet", "one prediction of one step", (sample, step, _text_kv(family), _id_kv(family), *_residuals(family)), (prediction,)),
        Network("condition_pose", "a drawing of five keypoints", (keypoints,), (condition,)),
        Network("condition_shading", "light, colour and soft shape of a picture", (_picture(family, "picture", "0..1"),), (condition,)),
        Network("context_shading", "words for the ControlNet of light", _states(family), (words,)),
        Network("controlnet_pose", "what a pose adds to the UNet", (sample, step, condition, _pose_kv(family), strength), _residuals(family)),
        Network("controlnet_shading", "what a light adds to the UNet", (sample, step, condition, words, strength), _residuals(family)),
    )


def _pictures(family: Family) -> tuple[Network, ...]:
    picture, latent = _picture(family, "picture", "-1..1"), _latent(family, "latent", "mean 0 and deviation 1")
    mask = Tensor("mask", "fp32", (family.batch, 1, family.size, family.size), "1 where the face was pasted in")
    return (
        Network("vae_encoder", "a picture to latents", (picture,), (latent,)),
        Network("vae_decoder", "latents to a picture", (latent,), (picture,)),
        Network("harmonizer", "a pasted border made whole", (picture, mask), (_picture(family, "fused", "-1..1"),)),
    )
