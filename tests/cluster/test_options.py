"""Addresses of a cluster, and what goes with them."""

import pytest

from music_composer.cluster.options import ClusterOptions, host_and_port
from music_composer.errors import OptionError


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("10.0.0.1:6379", ("10.0.0.1", 6379)),
        ("head.lab:1", ("head.lab", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("ray://a:10001", ("a", 10001)),
    ],
)
def test_an_address_is_a_host_and_a_port(address, found):
    assert host_and_port(address) == found
    assert ClusterOptions(address).address == address


@pytest.mark.parametrize(
    "address", ["", "head", "head:", ":6379", "head:0", "head:65536", "a b:1", "h:1:2", "ray://", "http://a:1"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(OptionError, match="--cluster is"):
        ClusterOptions(address)


def test_workers_need_a_cluster():
    assert ClusterOptions("local", 2).workers == 2
    with pytest.raises(OptionError, match="--workers does nothing without --cluster"):
        ClusterOptions(None, 2)
    with pytest.raises(OptionError, match="--workers is 0"):
        ClusterOptions("local", 0)
