"""The daemon's own door, with a crowd before it."""
import contextlib
import os
import re
import resource
import socket
import time

from harness import CHAIN, get, state_of, wait_for

TESTS = []
HELLO = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
# What a connection of the crowd sends, and leaves it at that.
MANNERS = {
    "silent": b"",
    "slow": b"GET /healthz HTTP/1.1\r\nHost:",
    "pipelining": HELLO * 50,
    "garbage": bytes(range(256)) * 4,
    "a header too large": b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20000,
    "a body too large": b"POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 70000,
    "a wrong token": b"POST /-/reload HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer no\r\n"
                     b"Content-Length: 0\r\n\r\n",
    "a body that does not come": b"POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc",
}


def test(function):
    TESTS.append(function)
    return function


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.child.pid}/fd"))


def worst_lag(daemon):
    found = re.search(r"(?m)^cml_reconciler_event_loop_lag_seconds (\S+)", get(daemon.url + "/metrics")[1])
    return float(found.group(1))


@test
def thousand_connections_hold_up_neither_the_door_nor_the_loop(w):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if most == resource.RLIM_INFINITY else min(most, 4096), most))
    w.write(CHAIN)
    w.simulate()
    daemon = w.run_daemon("--token-file", w.write("right", "token"))
    before = descriptors(daemon)
    address = daemon.url.removeprefix("http://").split(":")
    longest, asked = 0.0, 0
    with contextlib.ExitStack() as crowd:
        manners = list(MANNERS.values())
        for n in range(1000):
            one = crowd.enter_context(socket.create_connection((address[0], int(address[1])), 10))
            one.setblocking(False)
            # Whom the daemon has shown out already cannot say more.
            with contextlib.suppress(BlockingIOError, ConnectionError):
                one.send(manners[n % len(manners)])
            if n % 50 == 49:
                began = time.monotonic()
                status, text = get(daemon.url + "/healthz")
                longest, asked = max(longest, time.monotonic() - began), asked + 1
                assert (status, text) == (200, "ok\n"), (n, status, text)
        # The crowd is still there, and the work is done all the same.
        wait_for("the project to be Converged", lambda: state_of(daemon) == "Converged", 60)
        assert descriptors(daemon) <= before + 256 + 64 + 20, descriptors(daemon)
        assert worst_lag(daemon) < 1, worst_lag(daemon)
    assert longest < 2, longest
    assert len(w.ledger()["runs"]) == 3, w.ledger()["runs"]
    assert "config.reloaded" not in daemon.output, daemon.output
    wait_for("the crowd to be forgotten", lambda: descriptors(daemon) <= before + 20, 30)
    print(f"figure: door: 1000 connections; longest of {asked} answers of /healthz {longest * 1000:.0f} ms")


@test
def pipelined_requests_are_answered_in_their_order(w):
    w.write(CHAIN)
    w.simulate()
    daemon = w.run_daemon()
    host, port = daemon.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as one:
        one.sendall(HELLO + HELLO.replace(b"/healthz", b"/nothing") + HELLO.replace(b"GET", b"PUT")
                    + HELLO.replace(b"Host: h", b"Host: h\r\nConnection: close"))
        text = b""
        while data := one.recv(65536):
            text += data
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"200", b"404", b"405", b"200"], text
