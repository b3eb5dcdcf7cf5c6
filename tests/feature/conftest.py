# SPDX-License-Identifier: Apache-2.0
"""The fixtures live in fixtures.py, which the security suite uses, too."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fixtures import *  # noqa: E402,F401,F403
