"""Every tensor of every network of a family, declared once. ONNX names and axes, engine profiles and server configs derive from it."""

from dataclasses import replace

from export.families import MARKS, PARSED, SIZES, ClipShape, Family
from export.tensors import Network, Tensor

IDENTITY = "identity vector, unit length"
PIXELS = "RGB, 0..255"
SHAPE = "MediaPipe's points of the face from the front, in distances of the eyes from between them; x right, y down, z away"
DETECTOR_SIDE = 640  # pixels; YuNet's graph has this size fixed, as MediaPipe's have theirs:
LANDMARK_SIDE, MASK_SIDE = 192, 256
LEARNING_ROWS = 4  # of a step in which a person is learned: a gradient's shapes are fixed when it is traced
WEIGHTS_OF = {"unet_gradient": "unet"}
"""Network -> the one that has its weights."""
HEAD_SIDE = 384  # pixels of the head that a texture is made of
TEXTURE = "the head's photo laid out on the mean face, grey where nobody is; RGB, 0..1"


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


def _states(family: Family) -> tuple[Tensor, ...]:
    """The text encoder's; CLIP's need no mask."""
    batch, tokens = family.batch, family.text_tokens
    states = Tensor("states", "fp32", (batch, tokens, family.unet.text_width), "of the text encoder")
    return (states,) if family.clip else (states, Tensor("mask", "fp32", (batch, tokens), "1 where there is a token, 0 elsewhere"))


def _added(family: Family) -> tuple[Tensor, ...]:
    """What SDXL's networks are told beside the words' states."""
    if not family.unet.vector:
        return ()
    sizes = "pixels: original height and width, the crop's top and left, height and width that are wanted"
    return (
        Tensor("text_vector", "fp32", (family.batch, family.unet.vector), "all words together"),
        Tensor("sizes", "fp32", (family.batch, SIZES), sizes),
    )


def _face(family: Family) -> tuple[Tensor, Tensor]:
    face = family.face
    return (
        Tensor("identity", "fp32", (family.batch, face.identity), IDENTITY if face.unit else "identity vector, of any length"),
        Tensor(
            "appearance",
            "fp32",
            (family.batch, face.appearance_tokens, face.appearance),
            "tokens of the aligned face" if family.looks else "tokens of the aligned face, then of the head",
        ),
    )


def _scale(family: Family, name: str, says: str) -> Tensor:
    return Tensor(name, "fp32", (family.batch,), says)


def _text_kv(family: Family) -> Tensor:
    return Tensor("text_kv", family.between, (family.batch, family.text_tokens, family.unet.kv_width(whole=True)), "keys and values of the words")


def _id_kv(family: Family) -> Tensor:
    return Tensor(
        "id_kv",
        family.between,
        (family.batch, family.face.cross_tokens, family.unet.kv_width(whole=True)),
        "keys and values of the face, 0 for nobody",
    )


def _pose_kv(family: Family) -> Tensor:
    width = family.unet.kv_width(whole=False)
    return Tensor("pose_kv", family.between, (family.batch, family.face.cross_tokens, width), "the face for the ControlNet of poses, 0 for nobody")


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
        found.append(Tensor(name, family.between, (family.batch, channels, side, side), "added to the UNet's features, 0 without a ControlNet"))
    return tuple(found)


def _words(family: Family) -> tuple[Network, ...]:
    ids = Tensor("ids", "int64", (family.batch, family.text_tokens), "token numbers")
    if not family.clip:
        mask = Tensor("id_mask", "int64", (family.batch, family.text_tokens), "1 where there is a token, 0 elsewhere")
        return (Network("text_encoder", "token numbers to states", (ids, mask), _states(family)[:1]),)
    second = Tensor("ids_2", "int64", (family.batch, family.text_tokens), "the same for the second encoder, which pads with 0")
    given = (ids, second) if len(family.clip) > 1 else (ids,)
    return (Network("text_encoder", "token numbers to states", given, (*_states(family), *_added(family)[:1])),)


def _faces(family: Family) -> tuple[Network, ...]:
    crop = Tensor("face", "fp32", (family.batch, 3, family.face.crop, family.face.crop), f"aligned by its five points; {PIXELS}")
    identity, _ = _face(family)
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
        *_looks(family, crop),
    )


def _texture(family: Family) -> Tensor:
    return Tensor("texture", "fp32", (family.batch, 3, family.face.texture, family.face.texture), TEXTURE)


def _looks(family: Family, crop: Tensor) -> tuple[Network, ...]:
    """How a face looks: by a small encoder of the face and the head, with which people can be invented, too; or by CLIP's of the face, which sees
    more pixels, and also says one vector."""
    identity, appearance = _face(family)
    if family.looks is not None:
        side = family.looks.picture
        large = Tensor("large_face", "fp32", (family.batch, 3, side, side), f"aligned by its five points; {PIXELS}")
        return (Network("appearance_encoder", "an aligned face to how it looks", (large,), (appearance, _picture_vector(family, family.looks))),)
    head = replace(crop, name="head", says=f"the same from farther away: hair and ears, too; {PIXELS}")
    scale = _scale(family, "expression_scale", "how far the shape is changed, 0 to 1.5")
    light = _scale(family, "light_scale", "how far the light is changed, 0 to 1.5; 1 is as taught")
    over = _scale(family, "overlay_scale", "how much of it there is, 0 to 1")
    noise = Tensor("noise", "fp32", (family.batch, family.face.character), "standard normal")
    shape, texture = Tensor("shape", "fp32", (family.batch, MARKS, 3), SHAPE), _texture(family)
    whole = replace(
        crop, name="whole_head", dims=(family.batch, 3, HEAD_SIDE, HEAD_SIDE), says=f"from still farther away, grey behind the person; {PIXELS}"
    )
    marks = Tensor("head_landmarks", "fp32", (family.batch, MARKS, 2), "MediaPipe's points of the face; x, y in 0..1 of the side")
    return (
        Network("appearance_encoder", "an aligned face and the head to how they look", (crop, head), (appearance,)),
        Network("face_texture", "a head laid out on the mean face", (whole, marks), (texture,)),
        Network("character", "noise to an invented person", (noise,), (identity, appearance, shape, texture)),
        Network(
            "face_expression",
            "a face's shape with the expression of the words",
            (shape, *_states(family), scale),
            (replace(shape, name="expressive_shape"),),
        ),
        Network(
            "face_light", "a head's texture in the light of the words", (texture, *_states(family), light), (replace(texture, name="lit_texture"),)
        ),
        Network(
            "face_overlay",
            "a head's texture with the open mouth, lids, glasses and hat of the words over it",
            (texture, *_states(family), over),
            (replace(texture, name="overlaid_texture"),),
        ),
    )


def _picture_vector(family: Family, clip: ClipShape) -> Tensor:
    return Tensor("picture_vector", "fp32", (family.batch, clip.projection), "CLIP's of the whole crop")


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
    text, keys, both = (_text_kv(family),), (_id_kv(family),), (_id_kv(family), _pose_kv(family))
    known = {
        "face0": Network("context_face0", "a face in the last three places of the words", (*states, *face), text),
        "face_makeup": Network("context_face_makeup", "a face in four tokens", (*face, structure, strength), both),
        "crossfaceid": Network("context_crossfaceid", "a face in sixteen tokens", (*(face[:1] if family.published else face), strength), both),
        "faceid": Network("context_faceid", "an identity in four tokens", (face[0], strength), keys),
        "faceid_plus": Network("context_faceid_plus", "a face in four tokens, without a pose", (*face, structure, strength), keys),
    }
    if family.looks:
        seen = (_picture_vector(family, family.looks), strength)
        known["ip_adapter"] = Network("context_ip_adapter", "a picture in four tokens", seen, keys)
        known["ip_adapter_plus"] = Network("context_ip_adapter_plus", "a picture in sixteen tokens", (face[1], strength), keys)
    made = tuple(replace(tensor, name=f"guided_{tensor.name}") for tensor in (*text, *keys))
    guidance = _scale(family, "guidance", "how strongly words and face are followed, 1 to 5")
    folded = Network("context_guided", "words and face to what is as guided in one prediction", (*text, *keys, guidance), made)
    found = (Network("context_text", "words alone", states, text), *[known[system] for system in family.systems])
    return found if family.published else (*found, folded)


def _denoising(family: Family) -> tuple[Network, ...]:
    sample, step = _latent(family, "sample", "noisy latents"), Tensor("timestep", "int64", (family.batch,), "0..999")
    prediction, added = _latent(family, "prediction", family.prediction), _added(family)
    strength = _scale(family, "strength", "factor on all residuals")
    placed = Tensor("placed_landmarks", "fp32", (family.batch, MARKS, 2), "MediaPipe's points of the face; x, y in 0..1 of the side")
    condition = _picture(family, "condition", "0..1")
    unet = (sample, step, _text_kv(family), _id_kv(family), *added, *_residuals(family))
    posed = (sample, step, condition, _pose_kv(family), strength, *added)
    found = (
        Network("unet", "one prediction of one step", unet, (prediction,)),
        Network("condition_pose", "a drawing of where every part of the face lies", (placed,), (condition,)),
        Network("controlnet_pose", "what a pose adds to the UNet", posed, _residuals(family)),
    )
    if family.published:
        return found
    laid = _picture(family, "laid", "-1..1; the texture laid onto the pose")
    cells = (family.batch, 1, family.latent_side, family.latent_side)
    cover = Tensor("cover", "fp32", cells, "0..1; how much of a cell of the latents the head in `laid` covers: 0 up to one half, 1 for all of it")
    pixels = (family.batch, 1, family.size, family.size)
    matte = Tensor("matte", "fp32", pixels, "0..1; how much of a pixel the head in `laid` covers, a little inside its outline, softly below")
    reference = _latent(family, "reference", "latents of the texture laid onto the pose, 0 for none; seen above step 500")
    return (
        found[0],
        replace(found[1], inputs=(placed, _texture(family)), outputs=(condition, laid, cover, matte)),
        replace(found[2], inputs=(*posed, reference)),
        _gradient(family, unet, prediction),
        *_shading(family, sample, step, condition, strength),
    )


def _gradient(family: Family, unet: tuple[Tensor, ...], prediction: Tensor) -> Network:
    """What a personal prior is learned by; all tensors have that many rows."""
    tokens, cells = family.text_tokens, (family.latent_side // family.unet.patch) ** 2
    found = (
        *unet,
        replace(prediction, name="target", says="the prediction that would be right"),
        Tensor("importance", "fp32", (family.batch, 1, family.latent_side, family.latent_side), "factor on the square errors of a cell"),
        Tensor("loss", "fp32", (family.batch,), "mean over channels and cells of the square error times the importance"),
        *(replace(tensor, name=f"{tensor.name.removesuffix('_kv')}_gradient", says=f"of the loss by {tensor.name}") for tensor in unet[2:4]),
        Tensor("attention", "fp32", (family.batch, tokens, cells), "how much each cell of the finest layers looks at each token of the words"),
    )
    rows = [replace(tensor, dims=(LEARNING_ROWS, *tensor.dims[1:])) for tensor in found]
    return Network("unet_gradient", "how far a prediction is off, and where keys and values are to go", tuple(rows[:-4]), tuple(rows[-4:]))


def _shading(family: Family, sample: Tensor, step: Tensor, condition: Tensor, strength: Tensor) -> tuple[Network, ...]:
    """The ControlNet of light, which only the mini family has."""
    width = family.unet.kv_width(whole=False)
    words = Tensor("shading_kv", "fp32", (family.batch, family.text_tokens, width), "the words for the ControlNet of light")
    return (
        Network("condition_shading", "light, colour and soft shape of a picture", (_picture(family, "picture", "0..1"),), (condition,)),
        Network("context_shading", "words for the ControlNet of light", _states(family), (words,)),
        Network("controlnet_shading", "what a light adds to the UNet", (sample, step, condition, words, strength), _residuals(family)),
    )


def _pictures(family: Family) -> tuple[Network, ...]:
    picture, latent = _picture(family, "picture", "-1..1"), _latent(family, "latent", "mean 0 and deviation 1")
    found = (
        Network("vae_encoder", "a picture to latents", (picture,), (latent,)),
        Network("vae_decoder", "latents to a picture", (latent,), (picture,)),
    )
    if family.safety:
        side = family.safety.picture
        seen = Tensor("seen", "fp32", (family.batch, 3, side, side), f"a whole picture; {PIXELS}")
        return (*found, Network("safety_checker", "what a picture shows", (seen,), (_scale(family, "unsafe", "above 0: not to be given out"),)))
    mask = Tensor("mask", "fp32", (family.batch, 1, family.size, family.size), "1 where the face was pasted in")
    parts = Tensor("parts", "fp32", (family.batch, len(PARSED), family.size, family.size), f"0..1; shares of {', '.join(PARSED)}, which sum to 1")
    return (
        *found,
        Network("harmonizer", "a pasted border made whole", (picture, mask), (_picture(family, "fused", "-1..1"),)),
        Network("face_parsing", "what a picture shows, pixel by pixel", (picture,), (parts,)),
    )
