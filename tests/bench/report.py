# SPDX-License-Identifier: Apache-2.0
"""What was found, as tables for people, and written into docs/performance.md and README.md.

In a document a table lies between the lines `<!-- bench: NAME -->` and `<!-- end -->`; what is between
them is the benchmark's, all else the author's."""

import os
import re

import plot
import speed

GROWTH = {
    "mounts": ("Mounts on the host", "mounts", "ms for a start"),
    "containers": ("Containers running", "containers", "ms for a start"),
    "size": ("Size of config.json", "kB", "ms for a start"),
    "company": ("Starts side by side", "starts at the same time", "ms for each start"),
    "verbs": ("rt's verbs beside other containers", "containers", "ms"),
}
MEMORY = {"run": "run: peak", "create": "create: peak", "init peak": "the waiting init: peak",
          "init pss": "the waiting init: its share now (PSS)",
          "init private": "the waiting init: private and written",
          "others": "other processes left after create", "limit": "smallest limit under which it runs"}
TIMELINES = {"run, Podman's bundle": "run", "exec": "exec"}


def markdown(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1),
                      *("| " + " | ".join(row) + " |" for row in rows)])


def names_of(results):
    return list(dict.fromkeys(name for values in results.values() for name in values))


def short(version):
    return " ".join(re.findall(r"^\w+|\d+\.\d+[\w.]*", version)[:2])


def heads(names, versions):
    return [name if name in ("floor", "rt", "rt-glibc") else short(versions.get(name, name)) for name in names]


def speed_table(results, versions):
    names = names_of(results)
    rows = []
    for row, values in results.items():
        cells = [f"{values[name]['median']:.2f} ms ({values[name]['ratio']:.2f}x)" if name in values else "-"
                 for name in names]
        rows.append([speed.ROWS[row], f"{speed.TARGETS[row]}x" if row in speed.TARGETS else "", *cells])
    return markdown(["", "target", *heads(names, versions)], rows)


def quantiles(results):
    rows = []
    for row, values in results.items():
        rows += [[row if at == 0 else "", name, *(f"{each[key]:.2f}" for key in ("min", "p10", "median", "p90")),
                  f"{each['ratio']:.2f}", f"{each['ratio_min']:.2f}"]
                 for at, (name, each) in enumerate(values.items())]
    return markdown(["ms", "", "least", "10 %", "median", "90 %", "ratio of medians", "ratio of leasts"], rows)


def growth_table(series):
    xs = sorted({x for points in series.values() for x, _ in points})
    return markdown(["", *(f"{x:,}" for x in xs)],
                    [[name, *(f"{dict(points)[x]:.2f} ms" for x in xs)] for name, points in series.items()])


def growth_text(results, pictures):
    parts = []
    for key, (title, x_name, _) in GROWTH.items():
        if key in results:
            picture = f"![{title}](performance-{key}.svg)\n\n" if pictures else ""
            parts.append(f"{title} ({x_name}):\n\n{picture}{growth_table(results[key])}")
    return "\n\n".join(parts)


def memory_table(results, versions):
    rows = []
    for key, title in MEMORY.items():
        if not any(key in each for each in results.values()):
            continue
        cells = []
        for each in results.values():
            value = each.get(key)
            cells.append("-" if value is None else f"{value:,.0f} kB" if not isinstance(value, list)
                         else ", ".join(value) or "none")
        rows.append([title, *cells])
    return markdown(["", *heads(results, versions)], rows)


def filters_table(results, versions):
    names = names_of(results)
    rows = [[title, call, *(f"{values[name][call]:.0f} ns" if name in values else "-" for name in names)]
            for title, values in results.items() for call in ("getppid", "personality")]
    return markdown(["profile", "call", *heads(names, versions)], rows)


def phases_table(results):
    """Of each command: what each phase took, and its share of the row's time."""
    rows = []
    for title, spans in results.items():
        for row, where in (("rt", "rt"), ("container", "in the container")):
            own = [span for span in spans if span["row"] == row]
            whole = sum(span["took"] for span in own)
            if own:
                rows.append([title, where, f"{whole:.2f} ms",
                             ", ".join(f"{span['phase']} {span['took']:.2f} ({100 * span['took'] / whole:.0f} %)"
                                       for span in own)])
    return "\n".join(["| command | process | sum | phases |", "|---|---|---:|---|",
                      *("| " + " | ".join(row) + " |" for row in rows)])


def machine(found):
    kernel = ".".join(found["kernel"].split(".")[:2])
    rounds = f", medians of {found['rounds']}" if "speed" in found else ""
    return f"Linux {kernel}, {found['cpus']} cores, cgroup v2{rounds}, load {found['load']:.1f} at the start"


def blocks(found, pictures):
    versions = found["versions"]
    told = {"machine": machine(found)}
    for key, text in (("speed", lambda part: speed_table(part, versions)), ("quantiles", quantiles),
                      ("growth", lambda part: growth_text(part, pictures)),
                      ("memory", lambda part: memory_table(part, versions)),
                      ("filters", lambda part: filters_table(part, versions)), ("phases", phases_table)):
        part = found.get("speed" if key == "quantiles" else key)
        if part:
            told[key] = text(part)
    return told


def drawings(found):
    """{file name: SVG}"""
    drawn = {f"performance-{key}.svg": plot.lines(*GROWTH[key], series)
             for key, series in found.get("growth", {}).items()}
    for title, name in TIMELINES.items():
        if title in found.get("phases", {}):
            drawn[f"performance-{name}.svg"] = plot.timeline(f"rt {title}: medians", found["phases"][title])
    return drawn


def readme_block(found):
    kept = {row: values for row, values in found["speed"].items()
            if row in ("default", "podman", "lifecycle", "exec", "state")}
    return f"{machine(found)}; x floor in brackets:\n\n" + speed_table(kept, found["versions"])


def fill(path, texts):
    with open(path, encoding="utf-8") as file:
        document = file.read()
    for name, text in texts.items():
        document = re.sub(rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)",
                          lambda match, text=text: f"{match.group(1)}{text}\n{match.group(2)}", document, flags=re.S)
    with open(path, "w", encoding="utf-8") as file:
        file.write(document)


def save_drawings(folder, found):
    os.makedirs(folder, exist_ok=True)
    for name, drawing in drawings(found).items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(drawing)


def write_documents(top, found):
    save_drawings(os.path.join(top, "docs"), found)
    fill(os.path.join(top, "docs", "performance.md"), blocks(found, True))
    if "speed" in found:
        fill(os.path.join(top, "README.md"), {"readme": readme_block(found)})


def for_people(found):
    return "\n\n".join(blocks(found, False).values())
