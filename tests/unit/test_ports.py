"""Ports that are taken are named before anything starts, with who holds them."""

import os
import socket
from pathlib import Path

import pytest

from local.ports import holder_of, refuse_taken
from local.stack import Places
from shared.errors import Misconfigured


def test_a_taken_port_is_named_with_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(Misconfigured) as refused:
            refuse_taken([port - 1, port, port + 1])
    said = str(refused.value)
    assert f"needs the ports {port - 1} to {port + 1}; " in said
    assert f"{port} is taken by " in said
    assert f"({os.getpid()})" in said
    assert "AGENTMETER_PORT" in said


def test_free_ports_are_taken_in_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    refuse_taken([port])
    assert holder_of(port) == ""


def test_five_ports_follow_the_first() -> None:
    assert Places(Path(), 7070).ports == [7070, 7071, 7072, 7073, 7074]
    assert Places(Path()).ports == []
