"""A deadline shuts the sockets it watches when its time is over, and no others."""

from __future__ import annotations

import socket
import threading
import time

from extension.notify.deadline import Deadline


def _blocked(sock: socket.socket) -> threading.Thread:
    """A thread that waits for a byte that nobody sends."""
    thread = threading.Thread(target=sock.recv, args=(1,), daemon=True)
    thread.start()
    return thread


def test_a_read_that_waits_ends_with_the_time() -> None:
    """From another thread, which closing alone would not do."""
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.1) as deadline:
        deadline.watch(ours)
        reader = _blocked(ours)
        reader.join(10)
        assert not reader.is_alive()
        assert deadline.passed


def test_a_socket_that_comes_late_is_shut_at_once() -> None:
    """A connection made just as the time ended does not slip through."""
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(60) as deadline:
        deadline.cut()
        deadline.watch(ours)
        assert ours.recv(1) == b""


def test_what_ends_in_time_is_left_alone() -> None:
    """The timer ends with the context."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(0.05) as deadline:
            deadline.watch(ours)
        time.sleep(0.1)
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
        assert not deadline.passed


def test_a_socket_that_is_closed_already_is_no_mistake() -> None:
    """It needs no shutting."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with Deadline(60) as deadline:
        deadline.watch(ours)
        ours.close()
        deadline.cut()
    assert deadline.passed
