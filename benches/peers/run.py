#!/usr/bin/env python3
"""Runs this crate and other engines on the same workloads, and prints the tables of docs/performance.md.

    python3 benches/peers/run.py build      # virtual environments, programs, data; a quarter of an hour or more
    python3 benches/peers/run.py measure    # appends to target/peers/results.jsonl, then prints the tables

One process for each engine, workload and number of threads, in turn, so that a change of the machine's speed meets all of them.
`scaling` measures networks over widths, batches and depths and draws docs/scaling.svg; `table` prints what has been measured.
"""

import argparse
import collections
import gzip
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
ROOT = pathlib.Path(os.environ.get("PEERS", REPOSITORY / "target" / "peers"))
MNIST = ROOT / "mnist"
WORKLOADS = ["w1", "w2", "w3", "w4", "w5", "w6", "w7b1", "w7b32", "w8", "w9", "w10", "w11", "microgpt", "epochs"]
NATIVE = "-C target-cpu=native"
# Name, feature of the crate of peers, flags of the compiler. Candle and burn have always been faster with native ones.
RUST = [("candle", "candle", NATIVE), ("burn", "burn", NATIVE), ("dfdx", "dfdx", NATIVE), ("dfdx-default", "dfdx", "")]
OURS = ["wengert", "wengert-native"]
PYTHON = ["torch", "torch-fused", "torch-channels_last", "torch-compiled", "jax"]
PEERS = PYTHON + [name for name, _, _ in RUST]
# Two processors that share a third-level cache answer each other within so many nanoseconds; virtual ones move.
NEAR = 200
ABSENT = {("jax", "w6"), ("torch-compiled", "w6"), ("dfdx", "w5"), ("dfdx-default", "w5")}
ABSENT |= {(name, workload) for name, _, _ in RUST for workload in ("w8", "w9", "w10", "w11", "microgpt")}
ABSENT |= {("torch-channels_last", workload) for workload in WORKLOADS if workload not in ("w5", "w10")}


def build():
    MNIST.mkdir(parents=True, exist_ok=True)
    for path in (REPOSITORY / "data" / "mnist").glob("*.gz"):
        with gzip.open(path) as packed, open(MNIST / path.stem, "wb") as raw:
            shutil.copyfileobj(packed, raw)
    for name, packages in ("torch", ["torch", "numpy"]), ("jax", ["jax"]):
        if not (ROOT / name).exists():
            subprocess.run([sys.executable, "-m", "venv", ROOT / name], check=True)
            subprocess.run([ROOT / name / "bin" / "pip", "install", "-q", *packages], check=True)
    for name, feature, flags in RUST:
        cargo = ["cargo", "build", "--release", "--no-default-features", "--features", feature, "--target-dir", ROOT / f"target-{name}"]
        subprocess.run(cargo, cwd=HERE, env=os.environ | {"RUSTFLAGS": flags}, check=True)
    for name, flags in zip(OURS, ["", NATIVE]):
        cargo = ["cargo", "bench", "--bench", "workloads", "--no-run", "--message-format=json", "--target-dir", ROOT / f"target-{name}"]
        lines = subprocess.run(cargo, cwd=REPOSITORY, env=os.environ | {"RUSTFLAGS": flags}, check=True, stdout=subprocess.PIPE).stdout
        messages = map(json.loads, lines.splitlines())
        shutil.copy(next(m["executable"] for m in messages if m.get("executable")), ROOT / name)


def command(engine, workload, threads, seconds, windows):
    if engine.startswith("wengert"):
        return [ROOT / engine, workload, seconds, threads, "--windows", windows, "--mnist", MNIST, "--json"]
    arguments = [workload, threads, seconds, windows, MNIST]
    if engine.startswith("torch"):
        variant = engine.partition("-")[2] or "eager"
        return [ROOT / "torch" / "bin" / "python", HERE / "torch_peer.py", *arguments, variant]
    if engine == "jax":
        # XLA's own threads have no number, so one thread means one processor.
        bound = ["taskset", "-c", "1"] if threads == 1 else []
        return [*bound, ROOT / "jax" / "bin" / "python", HERE / "jax_peer.py", *arguments]
    feature = next(feature for name, feature, _ in RUST if name == engine)
    return [ROOT / f"target-{engine}" / "release" / f"peer-{feature}", *arguments]


def busy():
    """Seconds that all processors together have worked since the system started."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(seconds):
    end = time.time() + seconds
    while time.time() < end:
        before = busy()
        time.sleep(0.5)
        if busy() - before < 0.1:
            return


def distance(threads):
    """Nanoseconds that a line of the cache takes from one processor to another and back, if there are several."""
    if threads == 1 or len(os.sched_getaffinity(0)) == 1:
        return []
    done = subprocess.run([ROOT / OURS[0], "distance", "0.02", "2", "--json"], check=True, capture_output=True, text=True)
    return [1e4 / statistics.median(json.loads(done.stdout)["rates"])]


def run(engine, workload, threads, options):
    """Runs a program; returns what it printed, how long it took, how many processors others used meanwhile, and how far from each
    other the processors were before and after."""
    numbers = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "MATMUL_NUM_THREADS", "WENGERT_NUM_THREADS"]
    words = [str(word) for word in command(engine, workload, threads, options.seconds, options.windows)]
    wait_until_quiet(options.quiet)
    distances = distance(threads)
    before, start, own = busy(), time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {name: str(threads) for name in numbers}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        print(f"{engine} {workload} failed: {done.stderr[-500:]}", file=sys.stderr)
        return None
    used = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    result = json.loads(done.stdout.splitlines()[-1])
    about = {"engine": engine, "workload": workload, "threads": threads, "wall": wall}
    foreign = max(0.0, (busy() - before - used) / wall)
    return about | result | {"foreign": foreign, "distances": distances + distance(threads)}


def measure(options, engines, workloads, path):
    jobs = [(w, t, e) for w in workloads for t in options.threads for e in engines if (e, w) not in ABSENT]
    with open(path, "a") as results:
        for _ in range(options.rounds):
            for workload, threads, engine in jobs:
                result = run(engine, workload, threads, options)
                if result:
                    results.write(json.dumps(result) + "\n")
                    results.flush()
                    value = statistics.median(result.get("rates", [result["wall"]]))
                    print(f"{workload:16} {threads} {engine:16} {value:10.2f} foreign {result['foreign']:.2f}", file=sys.stderr)


def read(path):
    """The results by engine, workload and number of threads."""
    results = collections.defaultdict(list)
    for line in open(path):
        result = json.loads(line)
        results[result["engine"], result["workload"], result["threads"]].append(result)
    return results


def during(results, near):
    """Those results during which the processors stayed near to each other, or far from each other."""
    stayed = lambda r: r.get("distances") and all((one < NEAR) == near for one in r["distances"])
    return {key: kept for key, all_rounds in results.items() if (kept := [r for r in all_rounds if stayed(r)])}


def figure(results, engine, workload, threads):
    """The median over all windows of all rounds: steps a second, nanoseconds for w6, seconds for the epochs."""
    rounds = results.get((engine, workload, threads))
    if not rounds:
        return None
    if workload == "epochs":
        return statistics.median(result["wall"] for result in rounds)
    rate = statistics.median(rate for result in rounds for rate in result["rates"])
    return 1e5 / rate if workload == "w6" else rate


def short(value):
    return "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio_row(results, workload, threads):
    """This crate, the best of the others, and the ratio of the two in each round."""
    less_is_more = workload in ("w6", "epochs")
    figures = {engine: figure(results, engine, workload, threads) for engine in PEERS}
    figures = {engine: value for engine, value in figures.items() if value is not None}
    ours = figure(results, OURS[0], workload, threads)
    if not figures or ours is None:
        return None
    best = (min if less_is_more else max)(figures, key=figures.get)
    pick = lambda engine, k: figure({(engine, workload, threads): [results[engine, workload, threads][k]]}, engine, workload, threads)
    count = min(len(results[engine, workload, threads]) for engine in [OURS[0], best])
    figures = {engine: value for engine, value in figures.items() if len(results[engine, workload, threads]) >= count}
    in_rounds = [pick(OURS[0], k) / (min if less_is_more else max)(pick(e, k) for e in figures) for k in range(count)]
    span = f"{min(in_rounds):.2f} … {max(in_rounds):.2f}"
    return f"| {workload} | {threads} | {short(ours)} | {short(figures[best])} {best} | {ours / figures[best]:.2f} | {span} |"


def table(path):
    results = read(path)
    threads = sorted({key[2] for key in results})
    print_ratios("", results, threads)
    for near, title in (True, ", processors near to each other"), (False, ", far from each other"):
        print_ratios(title, during(results, near), [number for number in threads if number > 1])
    engines = [engine for engine in OURS + PEERS if any(key[0] == engine for key in results)]
    value = lambda engine, workload, number: short(figure(results, engine, workload, number))
    most = lambda engine, workload, number: short(max((r["resident"] for r in results.get((engine, workload, number), [])), default=None))
    for number in threads:
        print_all(f"{number} thread{'s' * (number > 1)}", engines, lambda e, w: value(e, w, number))
    print_all("resident memory, MiB", engines, lambda e, w: most(e, w, threads[0]))
    accuracies = {e: [r["accuracy"] for n in threads for r in results.get((e, "epochs", n), [])] for e in engines}
    print("\naccuracy after five epochs: " + ", ".join(f"{e} {statistics.mean(a):.4f}" for e, a in accuracies.items() if a))
    foreign = [result["foreign"] for all_rounds in results.values() for result in all_rounds]
    print(f"{len(foreign)} runs; processors used by others: median {statistics.median(foreign):.2f}, most {max(foreign):.2f}")


def print_ratios(title, results, threads):
    rows = [ratio_row(results, workload, number) for workload in WORKLOADS for number in threads]
    if any(rows):
        print(f"\n| workload{title} | threads | wengert | best other | ratio | in each round |\n|---|---|---|---|---|---|")
        print("\n".join(row for row in rows if row))


def print_all(title, engines, cell):
    print(f"\n| {title} | {' | '.join(WORKLOADS)} |\n|---|{'---|' * len(WORKLOADS)}")
    for engine in engines:
        print(f"| {engine} | {' | '.join(cell(engine, workload) for workload in WORKLOADS)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["build", "measure", "scaling", "table"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", default=OURS + PEERS)
    parser.add_argument("--workloads", nargs="+", default=WORKLOADS)
    parser.add_argument("--seconds", type=float, default=0.4, help="length of a window")
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--quiet", type=float, default=10, help="seconds to wait at most for others to be idle before each run")
    options = parser.parse_args()
    if options.what == "build":
        build()
    elif options.what == "scaling":
        import scaling

        options.threads = [1]
        path = ROOT / "scaling.jsonl"
        measure(options, scaling.ENGINES, scaling.workloads(), path)
        scaling.draw(read(path), REPOSITORY / "docs" / "scaling.svg")
    else:
        if options.what == "measure":
            measure(options, options.engines, options.workloads, ROOT / "results.jsonl")
        table(ROOT / "results.jsonl")


if __name__ == "__main__":
    main()
