"""The server's models that are no engines: Python models with their tensors, and ensembles of models whose tensors have one name throughout."""

from dataclasses import dataclass, replace

from export import specs
from export.families import MARKS, Family
from export.tensors import Axis, Tensor


@dataclass(frozen=True)
class PythonModel:
    """A Python model by what goes in and comes out; `batch`: how many rows a request may have, 0: it has no rows and shapes are whole; `copies`:
    processes; `several`: whether it gives several answers to one request; `cpu`: parameters that are others on the CPU; `waiting`: how many
    requests may wait for a process, 0: any number."""

    name: str
    says: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    batch: int = 1
    copies: int = 1
    parameters: tuple[tuple[str, str], ...] = ()
    cpu: tuple[tuple[str, str], ...] = ()
    several: bool = False
    waiting: int = 0


@dataclass(frozen=True)
class Ensemble:
    """Models one after another; a tensor goes to every later model that has an input of its name."""

    name: str
    says: str
    steps: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batch: int = 1


def _text(name: str, says: str, *, optional: bool = False) -> Tensor:
    return Tensor(name, "string", (1, 1), says, optional)


def _number(name: str, says: str) -> Tensor:
    return Tensor(name, "fp32", (1, 1), says)


def python_models(family: Family) -> tuple[PythonModel, ...]:
    """All Python models of a family's repository."""
    unet, identity, step = specs.network(family, "unet"), specs.network(family, "identity_encoder"), family.batch
    known = {tensor.name: tensor for tensor in (*unet.inputs, *unet.outputs, *identity.outputs)}
    encoder = specs.network(family, "text_encoder")
    photo = _text("photo", "an image file: JPEG, PNG, WebP, BMP, TIFF or GIF; at most 32 MiB and 64 megapixels")
    report = _text("report", "JSON; docs/protocol.md lists its fields")
    image, likeness = (
        _text("image", "a PNG file"),
        _number("likeness", "cosine of the portrait's identity vector to the person's; NaN without a face"),
    )
    residuals = tuple(tensor for tensor in unet.inputs if tensor.name.startswith("control"))
    latents = known["sample"].dims
    return (
        PythonModel("about", "what this server is and can do", (_text("ask", "anything"),), (_text("about", "JSON: family, shapes, systems"),)),
        PythonModel(
            "face_analysis",
            "the bytes of a photo to its largest face; refuses what is no photo, has no face, or too small a one",
            (photo,),
            (
                *specs.network(family, "appearance_encoder").inputs,
                Tensor("shape", "fp32", (1, MARKS, 3), specs.SHAPE),
                specs.network(family, "face_texture").outputs[0],
                Tensor("landmarks", "fp32", (1, MARKS, 2), "MediaPipe's points of the face; pixels of the photo"),
                Tensor("box", "fp32", (1, 4), "x, y, width, height; pixels of the photo"),
                Tensor("points", "fp32", (1, 5, 2), "eyes, nose, mouth corners, the viewer's left first; pixels of the photo"),
                report,
            ),
        ),
        PythonModel(
            "tokenizer",
            "words to token numbers",
            (_text("words", "UTF-8; at most 20,000 characters"),),
            (*encoder.inputs, specs.network(family, "context_text").inputs[1], report),
        ),
        PythonModel("no_control", "zeros where there is no ControlNet", (known["sample"],), residuals, batch=step.max),
        PythonModel(
            "sampler",
            "guidance and one step of DDIM; the rows are the branches of one picture",
            (
                known["sample"],
                known["prediction"],
                known["timestep"],
                Tensor("next_timestep", "int64", (step,), "-1..998, below timestep; -1: the end"),
                Tensor("weight", "fp32", (step,), "of each branch in the sum"),
            ),
            (
                Tensor("guided", "fp32", latents, "the branches' predictions as one, the same in every row"),
                Tensor("next_sample", "fp32", latents, "latents at the next step, the same in every row"),
                Tensor("clean", "fp32", latents, "the end as expected now"),
            ),
            batch=step.max,
            parameters=(("schedule", family.schedule), ("prediction", family.prediction)),
        ),
        PythonModel(
            "publisher",
            "a picture to a PNG file, and how like the person it is",
            (
                Tensor("picture", "fp32", (family.batch, 3, Axis("height", 16, 256, 8192), Axis("width", 16, 256, 8192)), "-1..1"),
                known["identity"],
                _text("origin", "JSON object to be written into the file"),
            ),
            (image, likeness),
        ),
        _denoiser(family, residuals),
        PythonModel(
            "portrait",
            "the one call: a photo or a passport and words to a portrait",
            (*_order(), *_turn()),
            (image, likeness, report),
            copies=6,  # portraits at once; the denoiser makes one batch of them
            waiting=64,
        ),
        PythonModel(
            "portrait_stream",
            "the one call that tells every step as it comes: an answer a step, and one with the portrait",
            (
                *_order(),
                *_turn(),
                _whole("preview_every", "steps between two coarse pictures of what is expected. Default: none"),
                _whole("decode_every", "steps between two pictures by the decoder, which take time. Default: none"),
                *_job(),
            ),
            (
                Tensor("step", "int64", (1, 1), "from 1; with `steps` and `preview` in the answers of steps"),
                Tensor("steps", "int64", (1, 1), "of all"),
                _text("preview", "a PNG file, or empty"),
                image,
                likeness,
                report,
            ),
            several=True,
        ),
    )


def _order() -> tuple[Tensor, ...]:
    """What a portrait is made of."""
    return (
        _text("words", "UTF-8; what is wanted"),
        Tensor("photo", "string", (1, 1), "of the person; or a passport", True),
        _text("passport", "of the person, as `encode_person` is kept by clients; or a photo", optional=True),
        _whole("character", "0 or more; instead of a photo or a passport: an invented person, for one number always the same"),
        _text("other", "passport of a second person, to be mixed in. Default: nobody", optional=True),
        _text("unwanted", "UTF-8; what is not wanted. Default: nothing", optional=True),
        _text("system", "a name that `about` lists. Default: crossfaceid", optional=True),
        _whole("seed", "0 or more; the same order with the same seed is the same picture. Default: 0"),
        _text("knobs", 'JSON object of the system\'s knobs, e.g. {"steps": 20}. Default: {}', optional=True),
        _text("pose", "a photo whose pose is taken", optional=True),
        _text("style", "megaportrait: the picture that the person is put into", optional=True),
        _text("image", "lipe: the picture that is edited", optional=True),
        _text("mask", "lipe: a picture of that size, white where it may change. Default: where the person is", optional=True),
    )


def _turn() -> tuple[Tensor, ...]:
    """When it is served."""
    return (
        _whole("deadline", "milliseconds from when the server has the request; refused or given up where it cannot be met. Default: none"),
        _whole("priority", "0 to 9, higher goes first. Default: 0"),
        _text("client", "any text; requests of one text share what one client gets. Default: empty", optional=True),
    )


def _job() -> tuple[Tensor, ...]:
    """How a request is given up."""
    return (
        _text("job", "a name of one's own, by which it can be given up. Default: none", optional=True),
        _text("cancel", "the name of a job that is to be given up; all else is not looked at then", optional=True),
    )


def _whole(name: str, says: str) -> Tensor:
    return Tensor(name, "int64", (1, 1), says, True)


def _head(family: Family) -> tuple[Tensor, ...]:
    """What is held in a picture."""
    head = specs.network(family, "vae_encoder").outputs[0]
    (cover,) = (tensor for tensor in specs.network(family, "condition_pose").outputs if tensor.name == "cover")
    return (
        Tensor("head", "fp32", (1, *head.dims[1:]), "latents of what is held in the picture. Default: nothing is", True),
        Tensor("cover", "fp32", (1, *cover.dims[1:]), "0..1; how much of a cell that covers", True),
        Tensor("hold", "fp32", (1, *cover.dims[1:]), "0..1; over which share of the schedule each cell is held, 1: to the end", True),
    )


def _denoiser(family: Family, residuals: tuple[Tensor, ...]) -> PythonModel:
    """All its inputs may be left out, since a request that only cancels has none of the others; it looks itself. Of what a pose is, the face has a
    row a branch; all else is one for all branches."""
    unet, controlnet, rows = specs.network(family, "unet"), specs.network(family, "controlnet_pose"), family.batch
    known = {tensor.name: replace(tensor, optional=True) for tensor in unet.inputs}
    posed = tuple(
        replace(tensor, optional=True, dims=(rows if tensor.name == "pose_kv" else 1, *(tensor.dims[1:] or (1,))))
        for tensor in controlnet.inputs
        if tensor.name not in known
    )
    latent = (1, *unet.outputs[0].dims[1:])
    return PythonModel(
        "denoiser",
        "pictures from noise, all that are under way in one batch, which changes at every step",
        (
            Tensor("weight", "fp32", (rows, 1), "of each branch in the sum; the rows are the branches of one picture", True),
            Tensor("alone", "fp32", (rows, 1), "the same after the guided steps; those of 0, the last ones, are not computed then", True),
            *(
                Tensor(f"alone_{name}", "fp32", known[name].dims, f"{name} after the guided steps. Default: the same", True)
                for name in ("text_kv", "id_kv")
            ),
            known["text_kv"],
            known["id_kv"],
            _text("sampler", "a name: ddim, euler, ...; ddim-inverse goes from a picture to noise", optional=True),
            _whole("steps", "1 to 100"),
            _whole("seed", "of the noise, 0 or more"),
            _whole("guided_steps", "how many, the first ones, are guided. Default: all"),
            _whole("pose_every", "the ControlNet runs in every so manieth step, 1 or more. Default: 1"),
            Tensor("start", "fp32", latent, "what the sampler begins with. Default: the noise of the seed", True),
            *posed,
            *_head(family),
            _whole("every", "steps between two that are told. Default: none is"),
            *_turn(),
            *_job(),
        ),
        (
            Tensor("step", "int64", (1, 1), "from 1; with `steps` and `clean` in the answers of steps"),
            Tensor("steps", "int64", (1, 1), "of all"),
            Tensor("clean", "fp32", latent, "the end as expected now"),
            Tensor("latent", "fp32", latent, "the end; in the last answer"),
        ),
        batch=0,
        parameters=(
            ("schedule", family.schedule),
            ("prediction", family.prediction),
            ("networks", "triton"),
            ("posed", " ".join(tensor.name for tensor in posed)),
            ("residuals", " ".join(tensor.name for tensor in residuals)),
        ),
        cpu=(("networks", "here"),),
        several=True,
    )


def ensembles(family: Family) -> tuple[Ensemble, ...]:
    """The building blocks that recipes run on."""
    step_inputs, step_outputs = ("sample", "timestep", "next_timestep", "weight", "text_kv", "id_kv"), ("guided", "next_sample", "clean")
    rows = family.batch.max
    return (
        Ensemble(
            "encode_person",
            "the bytes of a photo to who is in it and how they look: what a passport keeps",
            ("face_analysis", "identity_encoder", "appearance_encoder"),
            ("photo",),
            ("identity", "appearance", "shape", "texture", "points", "report"),
        ),
        Ensemble(
            "encode_prompt",
            "words to the text encoder's states and to keys and values",
            ("tokenizer", "text_encoder", "context_text"),
            ("words",),
            ("states", "mask", "text_kv", "report"),
        ),
        Ensemble(
            "denoise_step",
            "one step: prediction, guidance, sampler. Keeps nothing; the rows are the branches of one picture",
            ("no_control", "unet", "sampler"),
            step_inputs,
            step_outputs,
            rows,
        ),
        Ensemble(
            "denoise_step_pose",
            "one step with the ControlNet of poses",
            ("controlnet_pose", "unet", "sampler"),
            (*step_inputs, "condition", "pose_kv", "strength", "reference"),
            step_outputs,
            rows,
        ),
        Ensemble(
            "finish", "latents to a PNG file and its likeness", ("vae_decoder", "publisher"), ("latent", "identity", "origin"), ("image", "likeness")
        ),
    )
