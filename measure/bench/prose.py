"""What a bench's page says beside its numbers."""

WRITTEN = """Written by `make bench`; change nothing here by hand. All numbers with the raw times they come from are in `out/bench.json`. One row is
measured anew, and the others are left as they are, by `python -m measure.bench ROW`."""
HOW = """Ways that are compared run in turns, so that whatever else the machine does falls on all alike; what is said is the median, with
quartiles in brackets. All run on two threads. {machine}"""
SECTIONS: dict[str, tuple[str, str]] = {
    "unet": (
        "One step of the UNet",
        """Milliseconds. All have the same weights and are given the same numbers; *served* is the engine as the denoiser runs it, eight rows at a
time. A way counts if its prediction is within a thousandth of that of diffusers' own module: bfloat16 is not. diffusers makes keys and values
of words and face anew in every step; the exported graph takes them as inputs.""",
    ),
    "portrait": (
        "One portrait",
        """Seconds. Ours is one call to the server with a photo: it finds and cuts out the face, makes the portrait, says how like it is, and
writes a PNG file. The diffusers pipeline is torch as one writes it: text and face encoders, ControlNet and UNet with guidance as a batch of
two, a scheduler of diffusers, the decoder; it is given the face cut out, and ends with pixels. With every step guided and the pose looked at
in every one, both give the same picture; `balanced` guides the first half of the steps by two predictions and
the others by folded keys and values, and looks at the pose in every second step.""",
    ),
    "likeness": (
        "What fast costs in likeness",
        """SFace, normalised as in [evaluation.md](evaluation.md): 0 is what two strangers reach, 1 two shots of one person. The people are ones
nobody trained on; each is enrolled by one shot, asked for in the pose of a second, and compared with a third.""",
    ),
    "server": (
        "The server",
        """Seconds of one portrait: by one call to the server, step by step from the client, and by the same recipe in one process.""",
    ),
    "mixed": (
        "Short jobs among long ones",
        """Jobs of the sample person's portrait come each by itself (Poisson), at a share of capacity, which is what one whole job after the
other reaches. *By step*: all go to the denoiser as they come. *By request*: the same arrivals at the same engine, one whole job after the
other. Seconds from arrival to latents.""",
    ),
    "people": (
        "Many people",
        """As many jobs of the denoiser at once as fill a batch: of many invented people by the three systems in turns, and of one by one
system. Below, how long it takes until so many different people, who come together, are all done.""",
    ),
    "overload": (
        "Twice as much as can be done",
        """Every request has a deadline. It ends with a result, or with a status: refused when it comes, because the line is full or the deadline
cannot be met, or given up as soon as it cannot be met any more. Goodput is results within the deadline a second, while they come.""",
    ),
    "growth": (
        "Memory",
        """Requests of one step each to a server of the denoiser alone, whose batch was full before; the growth is that of a straight line
through the last half.""",
    ),
    "profile": (
        "Where the time goes",
        """Milliseconds of one step of one portrait, two rows, by kind of operator, as ONNX Runtime tells it. The floor is all multiply-adds of
convolutions and products at the best rate of one large product of matrices on the same threads; it leaves out that memory takes time, and that
softmax, norms and sums do.""",
    ),
}
"""Row -> its title, and what a reader must know."""
