# SPDX-License-Identifier: Apache-2.0
"""compiled: the small static programs of the tests, made once for each content.

    tests/feature/compiled.py       makes the probe, and prints its path"""

import hashlib
import os
import subprocess
import tempfile

TOOLS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools")


def program(name, sources, headers=(), libraries=()):
    """The path of the program; kept in the caller's own directory below that of temporary files."""
    digest = hashlib.sha256()
    for path in [*sources, *headers]:
        with open(path, "rb") as file:
            digest.update(file.read())
    cache = os.path.join(tempfile.gettempdir(), f"rt-{name}-{os.getuid()}")
    os.makedirs(cache, mode=0o700, exist_ok=True)
    binary = os.path.join(cache, digest.hexdigest()[:24])
    if not os.path.exists(binary):
        made = f"{binary}.{os.getpid()}"
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-static",
                        "-o", made, *sources, *libraries], check=True)
        os.rename(made, binary)
    return binary


def probe():
    """What runs in containers, and tells what it sees there."""
    return program("probe", [f"{TOOLS}/probe{part}.c" for part in ("", "_report", "_stream", "_notify")],
                   headers=[f"{TOOLS}/probe.h"])


if __name__ == "__main__":
    print(probe())
