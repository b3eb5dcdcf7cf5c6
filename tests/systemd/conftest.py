# SPDX-License-Identifier: Apache-2.0
"""The fixtures of tests/feature, on a host whose first process is systemd (tests/vm/run-systemd.sh)."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "feature"))

from fixtures import *  # noqa: E402,F401,F403
