"""MediaPipe's landmarks of a face and mask of a person, from its wheel to ONNX. Run once, in an environment of its own:

python3 -m venv convert && convert/bin/pip install tf2onnx==1.17.0 tensorflow-cpu==2.21.0
convert/bin/pip download --no-deps mediapipe==0.10.21
convert/bin/python scripts/convert_mediapipe.py mediapipe-0.10.21-*.whl weights/mini
.venv/bin/python -m export.sums weights/mini/face_landmarks.onnx weights/mini/person_mask.onnx
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

OPSET = 17
MOST = 1e-3
MODULES = "mediapipe/modules/"
FILES = {"face_landmarks": "face_landmark/face_landmark.tflite", "person_mask": "selfie_segmentation/selfie_segmentation.tflite"}
SHAPES = {
    "face_landmarks": (("crop", [1, 3, 192, 192]), {"conv2d_21": ("landmarks", [1, 468, 3]), "conv2d_31": ("presence", [1, 1])}),
    "person_mask": (("picture", [1, 3, 256, 256]), {"activation_10": ("mask", [1, 1, 256, 256])}),
}
"""Network -> (its input, the graph's outputs -> ours)."""


def converted(tflite: Path, folder: Path) -> onnx.ModelProto:
    out = folder / "model.onnx"
    subprocess.run([sys.executable, "-m", "tf2onnx.convert", "--tflite", str(tflite), "--output", str(out), "--opset", str(OPSET)], check=True)
    return onnx.load(str(out))


def without_custom_convolution(graph: onnx.GraphProto) -> None:
    """The person's mask ends in an operator of TFLite's own: a transposed convolution with a bias."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "TFL_Convolution2DTransposeBias":
            nodes.append(node)
            continue
        weight = np.transpose(constants[node.input[1]], (3, 0, 1, 2)).astype(np.float32)
        graph.initializer.extend(
            [numpy_helper.from_array(weight, "up_weight"), numpy_helper.from_array(constants[node.input[2]].astype(np.float32).ravel(), "up_bias")]
        )
        nodes += [
            helper.make_node("Transpose", [node.input[0]], ["up_in"], perm=[0, 3, 1, 2]),
            helper.make_node("ConvTranspose", ["up_in", "up_weight", "up_bias"], ["up_out"], strides=[2, 2], kernel_shape=[2, 2]),
            helper.make_node("Transpose", ["up_out"], [node.output[0]], perm=[0, 2, 3, 1]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def renamed(model: onnx.ModelProto, network: str) -> onnx.ModelProto:
    """With the spec's names, and pixels in planes."""
    graph = model.graph
    (name, shape), outputs = SHAPES[network]
    first = helper.make_node("Transpose", [name], [graph.input[0].name], perm=[0, 2, 3, 1])
    last = []
    for old, (new, dims) in outputs.items():
        graph.initializer.append(numpy_helper.from_array(np.array(dims, np.int64), f"{new}_shape"))
        last.append(helper.make_node("Reshape", [old, f"{new}_shape"], [new]))  # a channel of one: planes or not is the same
    nodes = [first, *graph.node, *last]
    for field, kept in (
        (graph.node, nodes),
        (graph.input, [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]),
        (graph.output, [helper.make_tensor_value_info(new, TensorProto.FLOAT, dims) for new, dims in outputs.values()]),
    ):
        del field[:]
        field.extend(kept)
    del graph.value_info[:], model.opset_import[:], model.metadata_props[:]
    model.opset_import.append(helper.make_opsetid("", OPSET))
    onnx.checker.check_model(model)
    return model


def apart(model: onnx.ModelProto, tflite: Path) -> float:
    """Largest difference between the graph and TFLite's own interpreter over the largest number, on three random pictures."""
    import tensorflow as tf

    runner, interpreter, worst = ReferenceEvaluator(model), tf.lite.Interpreter(str(tflite)), 0.0
    interpreter.allocate_tensors()
    given, draw = interpreter.get_input_details()[0], np.random.default_rng(0)
    for _ in range(3):
        picture = draw.random(given["shape"], np.float32)
        interpreter.set_tensor(given["index"], picture)
        interpreter.invoke()
        wanted = [interpreter.get_tensor(output["index"]).ravel() for output in interpreter.get_output_details()]
        found = [np.asarray(value).ravel() for value in runner.run(None, {model.graph.input[0].name: picture.transpose(0, 3, 1, 2)})]
        for one in found:
            other = next(value for value in wanted if value.size == one.size)
            worst = max(worst, float(np.abs(one - other).max() / max(np.abs(other).max(), 1.0)))
    return worst


def main() -> int:
    """Writes both graphs into the folder given second; 1 where one does not give what TFLite does."""
    wheel, out = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(wheel) as files:
        for network, file in FILES.items():
            tflite = Path(files.extract(MODULES + file, temporary))
            model = converted(tflite, Path(temporary))
            without_custom_convolution(model.graph)
            difference = apart(renamed(model, network), tflite)
            print(f"{network:16} {difference:.1e} from TFLite; at most {MOST:.0e} is taken", flush=True)
            if difference > MOST:
                return 1
            (out / f"{network}.onnx").write_bytes(model.SerializeToString())
    return 0


if __name__ == "__main__":
    sys.exit(main())
