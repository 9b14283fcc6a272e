"""The model of docs/scaling.md: prints its tables."""

from math import ceil, log2

# Bytes of the gradients, and milliseconds of a step on one thread.
WORKLOADS = {"w2": (940_584, 1.35), "w5": (900_136, 13.1), "w8": (3_216_384, 52.6), "w11": (42_980_352, 750)}
# Microseconds for a message to arrive and for a rank to handle one, and bytes a second in each direction.
DATA_CENTER = (2, 0.5, 12.5e9)
TEN_GIGABIT = (30, 5, 1.25e9)
GIGABIT = (50, 5, 0.125e9)
INTERNET = (20_000, 5, 12.5e6)
# Milliseconds a byte: gradients to bytes and back.
COPIES = 1e-6
# Messages up to this size are sent without asking the receiver first.
EAGER = 65_536
RANKS = [2, 4, 8, 16, 64, 256, 1024]


def communication(ranks, size, network):
    """The milliseconds of announcing gradients, exchanging parts, and gathering sums."""
    latency, message, rate = network[0] / 1e3, network[1] / 1e3, network[2] / 1e3
    rounds, part = ceil(log2(ranks)), size / ranks
    arrival = latency * (3 if part > EAGER else 1) + (ranks - 1) * (message + part / rate)
    return 2 * rounds * latency, arrival, rounds * latency + arrival


def efficiency(ranks, size, step, network, batches=1):
    """The speed of a rank, to that of one alone, if each computes so many batches between two exchanges."""
    return batches * step / (batches * step + COPIES * size + sum(communication(ranks, size, network)))


def table(title, columns, rows):
    print(f"\n| {title} | {' | '.join(map(str, columns))} |\n|---{'|---' * len(columns)}|")
    for name, values in rows:
        print(f"| {name} | {' | '.join(f'{100 * value:.0f} %' for value in values)} |")


def of_workloads(network):
    for name, (size, step) in WORKLOADS.items():
        yield name, [efficiency(ranks, size, step, network) for ranks in RANKS]


if __name__ == "__main__":
    table("100 Gbit/s, RDMA", RANKS, of_workloads(DATA_CENTER))
    table("10 Gbit/s, TCP", RANKS, of_workloads(TEN_GIGABIT))
    table("1 Gbit/s, TCP", RANKS, of_workloads(GIGABIT))
    batches = [1, 10, 100, 1000]
    rows = [(f"{name}, {ranks} ranks", [efficiency(ranks, *WORKLOADS[name], INTERNET, k) for k in batches])
            for name in ("w8", "w11") for ranks in (8, 64)]
    table("internet, 100 Mbit/s; batches between exchanges", batches, rows)
