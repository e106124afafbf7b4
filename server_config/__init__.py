"""How the server is started: the embedded one on the CPU, its arguments each with its reason, and the supervisor that keeps it serving."""
