# SPDX-License-Identifier: Apache-2.0
"""The faults' suite runs on the feature suite's fixtures, and has a shim of its own."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "feature"))

import compiled  # noqa: E402
from fixtures import *  # noqa: E402,F401,F403


@pytest.fixture(scope="session")
def shim():
    """The program that blocks system calls (shim.c), compiled once for each content."""
    return compiled.program("shim", [os.path.join(HERE, "shim.c")], libraries=["-lseccomp"])


@pytest.fixture(scope="session")
def stepper():
    """The program that lets one system call of a command fail (stepper.c)."""
    return compiled.program("stepper", [os.path.join(HERE, "stepper.c")], libraries=["-lseccomp"])
