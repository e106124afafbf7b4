"""Synthetic people: portraits of persons that do not exist, with the truth known for every pixel.

A person is a seed (`person.py`), a shot is a seed under a person (`shot.py`); both are plain data. `scene.py` turns the
pair into meshes, `render.py` into a picture and its truth, `shards.py` into files. Command line: `python -m training.people`.
"""
