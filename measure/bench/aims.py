"""What is aimed at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aim:
    """A number of out/bench.json: at least or at most so much."""

    name: str
    says: str
    least: float | None = None
    most: float | None = None

    @property
    def wanted(self) -> str:
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"

    def met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


AIMS = (
    Aim("unet_step_vs_fastest", "one UNet step, batch 1, 2 and 8, the worst: times as fast as the fastest other way", least=1.0),
    Aim("portrait_balanced_vs_diffusers", "one portrait, `balanced`: times as fast as the diffusers pipeline, same sampler and steps", least=1.5),
    Aim("portrait_fast_vs_diffusers", "one portrait, `fast`: times as fast as the diffusers pipeline at its usual steps", least=6.0),
    Aim("fast_likeness_loss", "normalised likeness that `fast` loses to the usual steps", most=0.05),
    Aim("server_overhead", "one call to the server over the same loop in one process", most=1.05),
    Aim("short_job_mean_ratio", "short jobs among long ones at 80 % of capacity: mean time, by step over by request", most=0.5),
    Aim("short_job_p95_ratio", "the same: 95th percentile", most=0.5),
    Aim("mixed_throughput_ratio", "the same: throughput of all jobs", least=1.0),
    Aim("people_throughput_ratio", "throughput of 32 people and all systems mixed over one person and one system", least=0.97),
    Aim("overload_goodput", "twice the capacity offered: goodput over capacity", least=0.9),
    Aim("overload_unanswered", "the same: requests without a result or a status when their deadline was over", most=0.0),
    Aim("memory_growth", "resident memory over the last half of 10,000 requests of a step", most=0.01),
)
