"""Portraits that stay the same person: the client of an Omokage server."""
