# SPDX-License-Identifier: Apache-2.0
"""The faults' suite runs on the feature suite's fixtures, and has a shim of its own."""

import hashlib
import os
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "feature"))

from fixtures import *  # noqa: E402,F401,F403


@pytest.fixture(scope="session")
def shim():
    """The program that blocks system calls (shim.c), compiled once for each content."""
    source = os.path.join(HERE, "shim.c")
    with open(source, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    cache = os.path.join(tempfile.gettempdir(), f"rt-shim-{os.getuid()}")
    os.makedirs(cache, mode=0o700, exist_ok=True)
    binary = os.path.join(cache, digest[:24])
    if not os.path.exists(binary):
        made = f"{binary}.{os.getpid()}"
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-static",
                        "-o", made, source, "-lseccomp"], check=True)
        os.rename(made, binary)
    return binary
