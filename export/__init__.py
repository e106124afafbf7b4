"""Networks as torch modules, and their way to ONNX: the only folder that both training and the server's engines stand on."""
