# SPDX-License-Identifier: Apache-2.0
"""The security suite runs on the feature suite's fixtures."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "feature"))

from fixtures import *  # noqa: E402,F401,F403


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="1,000 rounds of each attack that is a race")
