# SPDX-License-Identifier: Apache-2.0
"""compiled: the small static programs of the tests, made once for each content."""

import hashlib
import os
import subprocess
import tempfile


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
