"""Public weights in the formats that people have, recognised by their tensors' names, to the components of a family."""
