"""Runs an MPI program with each rank in a network namespace of its own, connected by links of limited bandwidth and latency.

    network.py RANKS MBIT MICROSECONDS PROGRAM ARGUMENTS...

MBIT is the rate at which a rank sends, and MICROSECONDS the time of a packet from one rank to another; 0 for no limit. As root, on
Linux with iproute2 and Open MPI. The rate is that of a token bucket (tbf). A kernel without netem cannot delay packets, so with a
latency they pass through this program, on interfaces of user space (tun), which takes processor time of its own.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
MTU = 60000


def ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True)


def enter(namespace):
    """Moves this thread to a network namespace."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace.name}")


def limit(space, mbit):
    if mbit:
        # What passes at once is at least a packet; a long queue would delay acknowledgments.
        burst = max(2 * MTU, int(mbit * 1e6 / 8 * 0.001))
        rate = ["rate", f"{mbit}mbit", "burst", str(burst), "latency", "20ms"]
        ip("netns", "exec", space, "tc", "qdisc", "add", "dev", "wire", "root", "tbf", *rate)


def connect(spaces):
    """Links to a switch of the kernel."""
    ip("link", "add", "wmpi", "type", "bridge")
    ip("link", "set", "wmpi", "up")
    for rank, space in enumerate(spaces):
        ip("link", "add", f"wmpi{rank}", "mtu", MTU, "type", "veth", "peer", "name", "wire", "mtu", MTU, "netns", space)
        ip("link", "set", f"wmpi{rank}", "master", "wmpi", "up")


def connect_with_delay(spaces, seconds):
    """Links to this program, which passes a packet on after a time."""
    files = []
    with open("/proc/thread-self/ns/net") as own:
        for space in spaces:
            with open(f"/run/netns/{space}") as namespace:
                enter(namespace)
            files.append(os.open("/dev/net/tun", os.O_RDWR))
            fcntl.ioctl(files[-1], TUNSETIFF, struct.pack("16sH", b"wire", IFF_TUN | IFF_NO_PI))
            enter(own)

    def relay():
        waiting, count = [], 0
        while True:
            timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            for file in select.select(files, [], [], timeout)[0]:
                packet, count = os.read(file, MTU + 100), count + 1
                # The last byte of the destination, in an IPv4 header, numbers the rank.
                if packet[0] >> 4 == 4 and 0 < packet[19] <= len(files):
                    heapq.heappush(waiting, (time.monotonic() + seconds, count, files[packet[19] - 1], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, file, packet = heapq.heappop(waiting)
                os.write(file, packet)

    threading.Thread(target=relay, daemon=True).start()


def launch(ranks, command, folder):
    # Open MPI starts its daemon on another machine by `ssh HOST COMMAND`. A host name of its own keeps a rank from talking to the
    # others through shared memory.
    agent = os.path.join(folder, "agent")
    with open(agent, "w") as file:
        file.write("#!/bin/sh\nrank=$((${1##*.} - 1)); shift\n")
        file.write('exec ip netns exec wmpi$rank unshare -u sh -c "hostname wmpi$rank; $*"\n')
    os.chmod(agent, 0o755)
    hosts = ",".join(f"10.77.0.{rank + 1}:1" for rank in range(ranks))
    settings = {
        "plm_rsh_agent": agent,
        "plm_rsh_no_tree_spawn": "1",
        "btl": "tcp,self",
        "btl_tcp_if_include": "10.77.0.0/24",
        "oob_tcp_if_include": "10.77.0.0/24",
        # A rank that waits lets others have the processor.
        "mpi_yield_when_idle": "1",
    }
    options = [word for name, value in settings.items() for word in ("--mca", name, value)]
    mpirun = ["mpirun", "-n", str(ranks), "--allow-run-as-root", "--host", hosts, "--bind-to", "none", *options, *command]
    first = ["ip", "netns", "exec", "wmpi0", "unshare", "-u", "sh", "-c", 'hostname wmpi0; exec "$@"', "sh"]
    return subprocess.run([*first, *mpirun]).returncode


def run(ranks, mbit, microseconds, command):
    spaces = [f"wmpi{rank}" for rank in range(ranks)]
    try:
        for space in spaces:
            ip("netns", "add", space)
        connect_with_delay(spaces, microseconds / 1e6) if microseconds else connect(spaces)
        for rank, space in enumerate(spaces):
            ip("-n", space, "address", "add", f"10.77.0.{rank + 1}/24", "dev", "wire")
            ip("-n", space, "link", "set", "wire", "mtu", MTU, "up")
            ip("-n", space, "link", "set", "lo", "up")
            limit(space, mbit)
        with tempfile.TemporaryDirectory() as folder:
            return launch(ranks, command, folder)
    finally:
        for space in spaces:
            subprocess.run(["ip", "netns", "delete", space])
        if not microseconds:
            subprocess.run(["ip", "link", "delete", "wmpi"])


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    sys.exit(run(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
