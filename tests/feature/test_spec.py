# SPDX-License-Identifier: Apache-2.0
"""spec: what it writes is a document by the specification's own schema, for root and for others."""

import json
import os

import jsonschema
import pytest

from fixtures import TOP

SCHEMA = os.path.join(TOP, "tests", "schema")


def written(rt, directory, *flags, name="config.json"):
    told = rt.call("spec", *flags, cwd=directory)
    assert (told.code, told.out) == (0, ""), told
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return json.load(file)


def validator():
    """The schemas of other platforms are not here, and match anything."""
    store = {}
    for name in os.listdir(SCHEMA):
        if name.endswith(".json"):
            with open(os.path.join(SCHEMA, name), encoding="utf-8") as file:
                store[name] = json.load(file)
    base = "file:///schema/"
    known = {base + name: each for name, each in store.items()}
    anything = {}
    resolver = jsonschema.RefResolver(base + "config-schema.json", store["config-schema.json"],
                                      store=known)
    get = resolver.resolve_from_url
    resolver.resolve_from_url = lambda url: \
        get(url) if url.split("#")[0] in known else anything
    for each in known.values():     # they name each other by the file alone
        each.pop("$id", None)
        each.pop("id", None)
    return jsonschema.Draft4Validator(store["config-schema.json"], resolver=resolver)


@pytest.mark.rows("VRB-67")
@pytest.mark.own
@pytest.mark.parametrize("flags", [[], ["--rootless"]], ids=["root", "rootless"])
def test_schema(rt, work, flags):
    config = written(rt, work, *flags)
    check = validator()
    check.validate(config)
    config["process"]["cwd"] = 7        # the schema is really asked, below a reference too
    with pytest.raises(jsonschema.ValidationError):
        check.validate(config)
    config["process"]["cwd"] = "/"
    config["linux"]["namespaces"][0]["type"] = "none"
    with pytest.raises(jsonschema.ValidationError):
        check.validate(config)


@pytest.mark.rows("VRB-64")
@pytest.mark.own
def test_another_name(rt, work, fails):
    assert written(rt, work, "-f", "mine.json", name="mine.json") == written(rt, work)
    fails(rt.call("spec", "--config", "mine.json", cwd=work), "mine.json", "already exists")
    os.mkdir(work + "/b")
    written(rt, work, "-b", "b", "--config", "x.json", name="b/x.json")
    written(rt, work, "-b", "b", "-f", work + "/absolute.json", name="absolute.json")
    fails(rt.call("spec", "-f", "none/x.json", cwd=work), "none/x.json", "no such file")


@pytest.mark.rows("VRB-65")
@pytest.mark.own
@pytest.mark.needs("root: becomes another user")
@pytest.mark.parametrize("uid, gid", [(0, 0), (1234, 5678)])
def test_rootless(rt, work, uid, gid):
    """What differs from the document for root, and nothing else."""
    os.chmod(work, 0o777)
    told = rt.call("spec", "--rootless", cwd=work, user=uid, group=gid, extra_groups=[])
    assert told.code == 0, told
    with open(work + "/config.json", encoding="utf-8") as file:
        rootless = json.load(file)
    os.mkdir(work + "/root")
    config = written(rt, work + "/root")
    linux = rootless["linux"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": uid, "size": 1}]
    assert linux["gidMappings"] == [{"containerID": 0, "hostID": gid, "size": 1}]
    kinds = [each["type"] for each in linux["namespaces"]]
    assert "user" in kinds and "network" not in kinds and "resources" not in linux
    mounts = {each["destination"]: each for each in rootless["mounts"]}
    assert "/sys/fs/cgroup" not in mounts
    assert "gid=5" not in mounts["/dev/pts"]["options"]
    assert (mounts["/sys"]["source"], mounts["/sys"]["options"][0]) == ("/sys", "rbind")
    assert "ro" in mounts["/sys"]["options"]
    for name in ("process", "root", "hostname", "ociVersion"):
        assert rootless[name] == config[name]
    for name in ("maskedPaths", "readonlyPaths"):
        assert linux[name] == config["linux"][name]
