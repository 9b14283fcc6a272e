"""The model of docs/scaling.md: prints its tables."""

from math import ceil, log2

MB = 1e6
# Bytes of gradients, and milliseconds of processor time of a step on one thread.
WORKLOADS = {"w2": (940_584, 0.62), "w5": (900_136, 8.3), "w8": (3_216_384, 94), "w11": (42_980_352, 1250)}
# Latency and time for each message in microseconds, and bytes per second that a rank sends.
NETWORKS = {
    "100 Gbit/s, RDMA": (2, 0.5, 12.5e9),
    "10 Gbit/s, TCP": (30, 5, 1.25e9),
    "1 Gbit/s, TCP": (50, 5, 0.125e9),
}
COPIES = 1.0  # milliseconds for each MB of gradients: lists, bytes and sums


def communication(ranks, size, latency, message, rate):
    """Milliseconds of a step that pass in communication."""
    rounds = 3 * ceil(log2(ranks)) + 2
    return (rounds * latency + 2 * (ranks - 1) * message) / 1e3 + 2 * size * (ranks - 1) / ranks / rate * 1e3


def efficiency(ranks, size, step, network, batches=1):
    """The rate of one rank among many, to that of one alone, if each computes so many batches before it communicates."""
    compute = batches * step
    return compute / (compute + COPIES * size / MB + communication(ranks, size, *network))


def percent(x):
    return f"{100 * x:.0f} %"


def table(networks, batches=1):
    ranks = [2, 4, 8, 16, 64, 256, 1024]
    for name, network in networks.items():
        print(f"\n| {name} | " + " | ".join(str(r) for r in ranks) + " |\n|---" * 1 + "|---" * len(ranks) + "|")
        for workload, (size, step) in WORKLOADS.items():
            row = [percent(efficiency(r, size, step, network, batches)) for r in ranks]
            print(f"| {workload} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    table(NETWORKS)
