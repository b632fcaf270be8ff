"""Two hosts and a router between them, as network namespaces: its packets can be dropped without a word to either side."""

import contextlib
import os
import subprocess

import pytest

HERE, THERE = "10.99.1.2", "10.99.2.2"


class Network:
    def __init__(self):
        self.here, self.router, self.there = (f"mover-{os.getpid()}-{name}" for name in ("here", "router", "there"))
        self.made = []

    def ip(self, space: str, *words: str) -> None:
        subprocess.run(["ip", *(["-n", space] if space else []), *words], check=True, capture_output=True, text=True)

    def build(self) -> None:
        for space in (self.here, self.router, self.there):
            self.ip("", "netns", "add", space)
            self.made.append(space)
            self.ip(space, "link", "set", "lo", "up")
        for space, port, address in ((self.here, "to-here", HERE), (self.there, "to-there", THERE)):
            gateway = address[:-1] + "1"
            self.ip(space, "link", "add", "out", "type", "veth", "peer", "name", port, "netns", self.router)
            self.ip(space, "address", "add", f"{address}/24", "dev", "out")
            self.ip(self.router, "address", "add", f"{gateway}/24", "dev", port)
            self.ip(space, "link", "set", "out", "up")
            self.ip(self.router, "link", "set", port, "up")
            self.ip(space, "route", "add", "default", "via", gateway)
        subprocess.run([*self.inside(self.router), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True)
        # Slow enough that a copy of 16 MB takes seconds and can be cut in its middle.
        shape = ["root", "tbf", "rate", "40mbit", "burst", "32k", "latency", "50ms"]
        for space in (self.here, self.there):
            subprocess.run(["tc", "-n", space, "qdisc", "add", "dev", "out", *shape], check=True, capture_output=True, text=True)

    def inside(self, space: str) -> list[str]:
        return ["ip", "netns", "exec", space]

    def drop(self) -> None:
        """Both directions vanish in the router, as in front of a security group: no answer, no error."""
        for address in (HERE, THERE):
            self.ip(self.router, "route", "add", "blackhole", f"{address}/32")

    def heal(self) -> None:
        for address in (HERE, THERE):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.ip(self.router, "route", "del", "blackhole", f"{address}/32")

    def remove(self) -> None:
        for space in reversed(self.made):
            subprocess.run(["ip", "netns", "del", space], capture_output=True)


@contextlib.contextmanager
def network():
    if os.getuid() != 0:
        pytest.skip("network namespaces need root: dropped packets were not tried")
    made = Network()
    try:
        try:
            made.build()
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            pytest.skip(f"no network can be made here (iproute2 and network namespaces are needed): {said}; dropped packets were not tried")
        yield made
    finally:
        made.remove()
