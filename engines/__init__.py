"""ONNX graphs to engines, per target, with a key that covers everything that can change a result."""
