"""The ways to the server's models: `over_grpc` for clients, `inside_triton` for the models that call other models."""
