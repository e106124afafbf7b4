"""`make gpu-check`: what only the owner of a GPU can find out, by one command, in one report."""
