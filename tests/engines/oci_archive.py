# SPDX-License-Identifier: Apache-2.0
"""oci_archive: images as files, made here: an OCI image layout in a tar (image-spec, image-layout.md),
as `ctr images import` and `podman load` take it. One layer, no registry, no build tool."""

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
EPOCH = "2026-01-01T00:00:00Z"

PASSWD = "root:x:0:0:root:/:/bin/sh\nworker:x:1000:1000::/home:/bin/sh\n"
GROUP = "root:x:0:\nworker:x:1000:\nextra:x:2000:worker\n"


class Tar:
    """A tar in memory whose bytes depend on nothing but what is added."""

    def __init__(self):
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, content=None, mode=0o755, link=None):
        """A file; without content a directory, or a symbolic link."""
        entry = tarfile.TarInfo(name)
        entry.mode = mode
        if link is not None:
            entry.type, entry.linkname = tarfile.SYMTYPE, link
        elif content is None:
            entry.type = tarfile.DIRTYPE
        else:
            content = content.encode() if isinstance(content, str) else content
            entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content) if content is not None else None)
        return self

    def content(self):
        self._tar.close()
        return self._bytes.getvalue()


def _program(path):
    with open(path, "rb") as file:
        return file.read()


def busybox_tree():
    """A root file system with all of busybox, two users and a few directories."""
    busybox = shutil.which("busybox")
    tree = Tar()
    for name, mode in (("bin", 0o755), ("etc", 0o755), ("home", 0o777), ("tmp", 0o1777),
                       ("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("data", 0o755),
                       ("var", 0o755), ("var/run", 0o755)):
        tree.add(name, mode=mode)
    tree.add("bin/busybox", _program(busybox))
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            tree.add(f"bin/{applet}", link="busybox")
    for name, content in (("passwd", PASSWD), ("group", GROUP)):
        tree.add(f"etc/{name}", content, 0o644)
    return tree.content()


def program_tree(name, path):
    """A root file system that is one static program, /NAME."""
    return Tar().add(name, _program(path)).content()


def write(path, name, layer, **config):
    """Writes the archive of an image of that name; config: Env, Cmd, Entrypoint, User ... (image-spec,
    config.md)."""
    digest = hashlib.sha256
    image = json.dumps({
        "created": EPOCH, "architecture": ARCHITECTURE, "os": "linux",
        "config": {"Env": ["PATH=/bin"], **config},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer).hexdigest()]},
    }).encode()

    def descriptor(kind, blob, **more):
        return {"mediaType": f"application/vnd.oci.image.{kind}",
                "digest": "sha256:" + digest(blob).hexdigest(), "size": len(blob), **more}

    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", image),
        "layers": [descriptor("layer.v1.tar", layer)],
    }).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [descriptor(
        "manifest.v1+json", manifest,
        annotations={"io.containerd.image.name": name,
                     "org.opencontainers.image.ref.name": name.rpartition(":")[2]},
        platform={"architecture": ARCHITECTURE, "os": "linux"})]})
    layout = Tar().add("blobs").add("blobs/sha256")
    layout.add("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}), 0o644)
    layout.add("index.json", index, 0o644)
    for blob in (image, layer, manifest):
        layout.add(f"blobs/sha256/{digest(blob).hexdigest()}", blob, 0o644)
    with open(path, "wb") as file:
        file.write(layout.content())
