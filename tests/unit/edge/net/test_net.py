"""Sockets under a total timeout: what is cut off says so, over TLS too, and the watchdog ends."""

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dora.edge.net.connections import HttpPool, HttpsPool
from dora.edge.net.deadline import Deadline
from dora.edge.net.request import Network, Watchdog
from tests.support.slow_server import PATIENCE_S, STEP_S, answers, reply, slow_server, trickles

LIMIT_S = 0.3


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody but its reader trusts."""
    key, name = (
        generate_private_key(SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]),
    )
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "both.pem"
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


@contextmanager
def tls_trickle(path: Path) -> Iterator[int]:
    """A server that shakes hands and answers at once, and then lets the body trickle; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    over = Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True) as connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
            for _ in range(int(PATIENCE_S / STEP_S)):
                if over.wait(STEP_S):
                    return
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=[listener])
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


def test_a_body_that_trickles_over_tls_is_cut_off_although_it_has_no_end_of_its_own(tmp_path: Path) -> None:
    path, network, began = certificate(tmp_path), Network(), time.monotonic()
    with tls_trickle(path) as port, HttpsPool("127.0.0.1", port, ca_certs=str(path)) as pool:
        with pytest.raises(TimeoutError, match=r"no complete answer within 0.3 s"), network.request(LIMIT_S):
            pool.urlopen("GET", "/", retries=False, timeout=1)
        assert time.monotonic() - began < PATIENCE_S / 2


def test_a_trickle_that_looks_whole_when_it_is_cut_off_is_a_timeout_all_the_same() -> None:
    network, content = Network(), b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"
    with slow_server(trickles(b" " * 1_000, content)) as server, HttpPool("127.0.0.1", server.port) as pool:
        bounded = network.request(LIMIT_S)
        with pytest.raises(TimeoutError), bounded:
            assert pool.urlopen("GET", "/", retries=False, timeout=1).data.strip() == b"{}"


def test_a_request_in_time_is_left_alone_and_so_is_its_connection_afterwards() -> None:
    network = Network()
    with slow_server(answers(reply(b"{}"))) as server, HttpPool("127.0.0.1", server.port) as pool:
        for _ in range(2):
            with network.request(0.1):
                assert pool.urlopen("GET", "/", retries=False).data == b"{}"
            time.sleep(0.15)
        assert server.connections == [1, 1]


def test_a_connection_outside_of_a_bounded_request_is_a_bug() -> None:
    with slow_server(answers(reply(b"{}"))) as server, HttpPool("127.0.0.1", server.port) as pool:
        with pytest.raises(LookupError, match="no request of a Network"):
            pool.urlopen("GET", "/", retries=False)
        assert server.seen == []


def test_the_watchdog_is_one_thread_and_ends_when_nothing_is_left_to_watch() -> None:
    network, watchdog = Network(), Watchdog()
    before = set(threading.enumerate())
    with network.request(0.1) as one, network.request(0.1) as other:
        watchdog.watch(one)
        watchdog.watch(other)
        (thread,) = set(threading.enumerate()) - before
        watchdog.forget(one)
        watchdog.forget(other)
    thread.join(5)
    assert not thread.is_alive()


def test_a_deadline_within_a_block_gives_way_to_the_one_before() -> None:
    deadline = Deadline(lambda: 100.0)
    assert math.isinf(deadline.left_s)
    deadline.set_in(5)
    with deadline.within(2):
        assert deadline.left_s == 2
    assert deadline.left_s == 5
