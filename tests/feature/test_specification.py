# SPDX-License-Identifier: Apache-2.0
"""docs/specification.md, which says what of the specification rt does not do."""

import os
import re

import pytest

from fixtures import TOP

pytestmark = pytest.mark.own


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


@pytest.mark.rows("PKG-08")
def test_what_is_read_past_is_told(rt):
    """The list that test_schema.c holds against the schema, and the version that rt tells."""
    page = read("docs/specification.md")
    source = read("tests/unit/test_schema.c")
    past = re.findall(r'"(/\S+)"', source[source.index("not_for_linux[]"):].partition("};")[0])
    assert len(past) > 5
    told = set(re.findall(r"`(/[\w/]+)`", page.partition("## What the host decides")[0]))
    assert told == set(past)
    version = re.search(r'"ociVersionMax": "(\d+\.\d+)', rt.call("features", root=False).out)[1]
    assert f"specification {version} for Linux" in page


@pytest.mark.rows("PKG-09")
@pytest.mark.needs("memory")
def test_a_small_limit_is_enough(box):
    """Of memory, rt's own part of a container included."""
    box.linux["resources"]["memory"] = {"limit": 1 << 20}
    assert box.run().report["pid"] == 1
