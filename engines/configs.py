"""Triton's configs of all models, from the specs: `config.pbtxt` for TensorRT, `configs/cpu.pbtxt` for the CPU, in one repository."""

import json
from dataclasses import replace
from pathlib import Path

from engines.served import Ensemble, PythonModel, ensembles, python_models
from export import specs
from export.families import MARKS, Family
from export.tensors import Axis, Network, Tensor

HEADER = "# Written by `python -m engines configs`; change the specs instead.\n"
DTYPES = {"fp32": "TYPE_FP32", "fp16": "TYPE_FP16", "int64": "TYPE_INT64", "string": "TYPE_STRING"}
BACKEND = "onnx_cpu"  # server_config/backends/onnx_cpu
GPU, CPU = 'platform: "tensorrt_plan"\n', f'backend: "{BACKEND}"\n'
LATE = ("unet_gradient",)
"""Engines that few ask for: on the CPU they are read when they are first wanted, and take no memory before."""
LENT = {
    "denoiser": ("unet", "controlnet_pose"),
    "context_text": (
        *("text_encoder", "context_face0", "context_face_makeup", "context_crossfaceid", "context_guided"),
        *("condition_pose", "character", "face_expression", "face_light", "face_overlay"),
    ),
    "face_detector": ("face_landmarks", "identity_encoder", "person_mask", "face_texture", "appearance_encoder"),
    "vae_decoder": ("vae_encoder", "harmonizer", "face_parsing"),
}
"""On the CPU, engines that another model's process runs, too: a runtime in each would take 40 MB more, and the denoiser has its two anyway.
Who lends is whose arrays are the largest: those of the others are handed on once more."""
NO_CONTROL = "no_control"
"""Its zeros are what TensorRT's UNet takes where there is no ControlNet. On the CPU they are left out: handing them on takes time."""


def batch_of(network: Network) -> int:
    """Triton's `max_batch_size`; 0 for a network whose batch is always 1, which Triton then does not count as one."""
    first = network.inputs[0].dims[0]
    return first.max if isinstance(first, Axis) else 0


def ports(kind: str, tensors: tuple[Tensor, ...], *, batched: bool) -> str:
    """The block of all inputs or outputs. With a batch size, Triton's dims leave the batch out."""
    lines = []
    for place, tensor in enumerate(tensors):
        dims = tensor.dims[1:] if batched else tensor.dims
        shape = ", ".join(str(dim) if isinstance(dim, int) else "-1" for dim in dims)
        reshape = "" if dims else " reshape { shape: [ ] }"
        if len(dims) == 1 and not batched:  # one number a row is [B, 1] on the wire, whatever B is
            shape, reshape = f"{shape}, 1", f" reshape {{ shape: [ {shape} ] }}"
        optional = " optional: true" if tensor.optional else ""
        comma = "," if place < len(tensors) - 1 else ""
        lines.append(
            f'  {{ name: "{tensor.name}" data_type: {DTYPES[tensor.dtype]} dims: [ {shape or 1} ]{reshape}{optional} }}{comma}  # {tensor.says}\n'
        )
    return f"{kind} [\n{''.join(lines)}]\n"


def engine_config(network: Network, runs: str, where: str, zeros: frozenset[str] = frozenset(), parameters: str = "") -> str:
    """Of an engine; `runs` names the platform or backend, `where` the kind of instance; `zeros`: inputs that may be left out and are zeros then;
    `parameters`: as the config has them."""
    batch = batch_of(network)
    text = HEADER + f"# {network.says}\n" + runs + f"max_batch_size: {batch}\n"
    inputs = tuple(replace(tensor, optional=tensor.optional or tensor.name in zeros) for tensor in network.inputs)
    text += ports("input", inputs, batched=batch > 0) + ports("output", network.outputs, batched=batch > 0)
    if batch:
        text += "dynamic_batching { }  # what waits together runs together; nothing waits for more\n"
    return text + parameters + f"instance_group [ {{ kind: {where} count: 1 }} ]\n"


def parameter(name: str, value: str) -> str:
    return f'parameters {{ key: "{name}" value {{ string_value: "{value}" }} }}\n'


def _lending(network: str) -> str:
    """By whose process an engine is run on the CPU, or whose engines its own runs."""
    by = [parameter("run_by", model) for model, lent in LENT.items() if network in lent]
    by += [parameter("read", "late")] if network in LATE else []
    return "".join(by) + (parameter("lends", " ".join(LENT[network])) if network in LENT else "")


def python_config(model: PythonModel, others: tuple[tuple[str, str], ...] = ()) -> str:
    """`others`: parameters instead of the model's own of the same name."""
    text = HEADER + f'# {model.says}\nbackend: "python"\nmax_batch_size: {model.batch}\n'
    # without the reshape of engines: a Python model sees one number a row as it lies on the wire
    batched = model.batch > 0
    text += ports("input", model.inputs, batched=batched) + ports("output", model.outputs, batched=batched)
    text = text.replace(" reshape { shape: [ ] }", "")
    for name, value in (dict(model.parameters) | dict(others)).items():
        text += parameter(name, value)
    if model.waiting:
        text += f"dynamic_batching {{ default_queue_policy {{ max_queue_size: {model.waiting} }} }}\n"
    if model.several:
        text += "model_transaction_policy { decoupled: true }\n"
    return text + f"instance_group [ {{ kind: KIND_CPU count: {model.copies} }} ]\n"


def ensemble_config(ensemble: Ensemble, models: dict[str, Network | PythonModel], left_out: frozenset[str] = frozenset()) -> str:
    """`left_out`: inputs of its steps that they get from nowhere. Raises KeyError for a tensor that no step has."""
    steps = [models[name] for name in ensemble.steps]
    entering = {tensor.name: tensor for step in steps for tensor in step.inputs}
    leaving = {tensor.name: tensor for step in steps for tensor in step.outputs}
    inputs, outputs = tuple(entering[name] for name in ensemble.inputs), tuple(leaving[name] for name in ensemble.outputs)
    text = HEADER + f'# {ensemble.says}\nplatform: "ensemble"\nmax_batch_size: {ensemble.batch}\n'
    text += (ports("input", inputs, batched=True) + ports("output", outputs, batched=True)).replace(" reshape { shape: [ ] }", "")
    wanted = {*entering, *ensemble.outputs}
    blocks = []
    for step in steps:
        maps = "".join(
            f'      input_map {{ key: "{tensor.name}" value: "{tensor.name}" }}\n' for tensor in step.inputs if tensor.name not in left_out
        )
        maps += "".join(f'      output_map {{ key: "{tensor.name}" value: "{tensor.name}" }}\n' for tensor in step.outputs if tensor.name in wanted)
        blocks.append(f'    {{\n      model_name: "{step.name}" model_version: -1\n{maps}    }}')
    return text + "ensemble_scheduling {\n  step [\n" + ",\n".join(blocks) + "\n  ]\n}\n"


def plans(family: Family) -> dict[str, str]:
    """Path inside a model repository -> content, for the networks of a family as TensorRT's plans."""
    return {f"{name}/config.pbtxt": engine_config(network, GPU, "KIND_GPU") for name, network in specs.networks(family).items()}


def files(family: Family) -> dict[str, str]:
    """Path inside the model repository -> content, for all models."""
    found = plans(family)
    networks, others = specs.networks(family), python_models(family)
    zeros = frozenset(tensor.name for model in others if model.name == NO_CONTROL for tensor in model.outputs)
    for name, network in networks.items():
        found[f"{name}/configs/cpu.pbtxt"] = engine_config(network, CPU, "KIND_CPU", zeros, _lending(name))
    for model in others:
        found[f"{model.name}/config.pbtxt"] = python_config(model)
        if model.cpu:
            found[f"{model.name}/configs/cpu.pbtxt"] = python_config(model, model.cpu)
    known: dict[str, Network | PythonModel] = {**networks, **{model.name: model for model in others}}
    for ensemble in ensembles(family):
        found[f"{ensemble.name}/config.pbtxt"] = ensemble_config(ensemble, known)
        if NO_CONTROL in ensemble.steps:
            shorter = replace(ensemble, steps=tuple(name for name in ensemble.steps if name != NO_CONTROL))
            found[f"{ensemble.name}/configs/cpu.pbtxt"] = ensemble_config(shorter, known, left_out=zeros)
        found[f"{ensemble.name}/1/.gitkeep"] = ""  # Triton wants the folder of a version, and git keeps no empty ones
    face = {
        "identity": [family.face.identity],
        "appearance": [family.face.appearance_tokens, family.face.appearance],
        "shape": [MARKS, 3],
        "texture": [3, family.face.texture, family.face.texture],
    }
    latent = [family.unet.latent_channels, family.latent_side, family.latent_side]
    about = {
        "family": family.name,
        "size": family.size,
        "latent": latent,
        "face_tokens": family.face.cross_tokens,
        "face": face,
        "text_width": family.unet.text_width,
        "kv_width": family.unet.kv_width(whole=True),
        "pose_width": family.unet.kv_width(whole=False),
        "character": family.face.character,
        "schedule": family.schedule,
        "prediction": family.prediction,
        "preview": family.preview,
    }
    found["about/1/family.json"] = json.dumps(about, indent=2) + "\n"
    return found


def write(texts: dict[str, str], repository: Path) -> list[Path]:
    """Write all configs; returns their paths."""
    paths = []
    for name, text in texts.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths
