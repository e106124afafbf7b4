"""Whether a server that is asked again and again takes more and more memory."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tqdm import tqdm

from measure.bench.load import ended
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import denoiser, jobs, sample_task
from measure.bench.spread import grown
from server_config.processes import memory

AT_ONCE = 4
POSED = 20  # every so many-th request is a whole portrait's, with guidance and a pose; the others have one branch and none
SAMPLES = 200  # looks at the memory
FULL = 8  # whole portraits that fill a batch


def measured(scale: Scale) -> Found:
    """Requests of one step each, to a server of the denoiser alone: what other models hold would only make a growth look small. Its batch was full
    before: what a full one takes is no growth, and would come at some time by chance."""
    whole = sample_task()
    bare = replace(whole, branches=[replace(whole.branches[0], weight=1.0)], pose=None, head=None)
    part = max(scale.step_requests // SAMPLES, 1)
    gib: list[float] = []
    failed = 0
    with denoiser(whole) as asking, ThreadPoolExecutor(AT_ONCE) as pool:
        ask = asking.of([whole, *[bare] * (POSED - 1)])
        with ThreadPoolExecutor(FULL) as filling:
            list(filling.map(asking.of([whole]), jobs(4 * FULL, 4)))
        every = jobs(scale.step_requests, 1)
        for first in tqdm(range(0, len(every), part), "requests", disable=not sys.stderr.isatty()):
            ends = list(pool.map(lambda job: ended(ask, job), every[first : first + part]))
            failed += len(ends) - ends.count("result")
            gib.append(memory(asking.pid)[0])
    raw = {"requests": len(every), "at_once": AT_ONCE, "failed": failed, "resident_gib": [round(one, 5) for one in gib]}
    return Found({"memory_growth": round(grown(gib), 5)}, raw)
