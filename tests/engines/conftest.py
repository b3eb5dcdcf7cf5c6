# SPDX-License-Identifier: Apache-2.0
"""The engines' suite runs on the feature suite's fixtures."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "feature"))

from fixtures import *  # noqa: E402,F401,F403
from conmon import conmon  # noqa: E402,F401
from containerd import containerd  # noqa: E402,F401
from docker_host import docker, docker_daemon  # noqa: E402,F401
from podman import podman, podman_place, podman_root, podman_user, rootless  # noqa: E402,F401

# The engines look for it on the PATH, as does rt.
if os.environ.get("RT_TEST_CRIU"):
    os.environ["PATH"] = os.path.dirname(os.environ["RT_TEST_CRIU"]) + ":" + os.environ["PATH"]
