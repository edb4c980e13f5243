"""Reads Prometheus' text format (version 0.0.4) as strictly as it is written down; raises ValueError for whatever is not in it."""

import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# A backslash, a quote and a line feed come escaped, and nothing else is an escape.
VALUE = re.compile(r'"((?:[^"\\\n]|\\["\\n])*)"')
ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type = name, help_text, None
        self.samples = {}  # (name, labels) to value


def take(pattern, text, at, what):
    found = pattern.match(text, at)
    if not found:
        raise ValueError(f"no {what} at column {at + 1}: {text}")
    return found, found.end()


def labels_of(line, at):
    labels = {}
    while line[at:at + 1] != "}":
        found, at = take(LABEL, line, at, "label name")
        name = found.group()
        if line[at:at + 1] != "=":
            raise ValueError(f"no '=' after {name}: {line}")
        found, at = take(VALUE, line, at + 1, "label value")
        if name in labels:
            raise ValueError(f"label {name} twice: {line}")
        labels[name] = re.sub(r"\\.", lambda escape: ESCAPES[escape.group()], found.group(1))
        if line[at:at + 1] == ",":
            at += 1
        elif line[at:at + 1] != "}":
            raise ValueError(f"neither ',' nor '}}' after {name}: {line}")
    return tuple(labels.items()), at + 1


def sample_of(line):
    found, at = take(NAME, line, 0, "metric name")
    labels = ()
    if line[at:at + 1] == "{":
        labels, at = labels_of(line, at + 1)
    if not re.fullmatch(r" (NaN|[+-]?(Inf|\d+(\.\d+)?(e[+-]?\d+)?))", line[at:]):
        raise ValueError(f"not a space and a number: {line!r}")
    return found.group(), labels, float(line[at + 1:].replace("Inf", "inf"))


def belongs(name, family):
    suffixes = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
    return any(name == family.name + suffix for suffix in suffixes)


def parse(text):
    """The families by name, HELP and TYPE once each and before their samples, and all of a family together."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families, current = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, help_text = line[len("# HELP "):].partition(" ")
            if name in families or not NAME.fullmatch(name) or not help_text:
                raise ValueError(f"a second HELP, or none: {line}")
            current = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            name, _, kind = line[len("# TYPE "):].partition(" ")
            if not current or name != current.name or current.type or kind not in TYPES:
                raise ValueError(f"a TYPE that is not right behind its HELP: {line}")
            current.type = kind
        else:
            name, labels, value = sample_of(line)
            if not current or not belongs(name, current):
                raise ValueError(f"a sample apart from its family: {line}")
            if (name, labels) in current.samples:
                raise ValueError(f"a sample twice: {line}")
            current.samples[name, labels] = value
    for family in families.values():
        check(family)
    return families


def check(family):
    if family.type == "counter" and not family.name.endswith("_total"):
        raise ValueError(f"{family.name} is a counter, and not called _total")
    if family.type == "histogram":
        check_histogram(family)
    elif family.type == "counter" and any(not value >= 0 for value in family.samples.values()):
        raise ValueError(f"{family.name} counts below 0")


def check_histogram(family):
    """Buckets ascend, are cumulative, and the last one, of +Inf, is the count."""
    series = {}
    for (name, labels), value in family.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        series.setdefault(rest, []).append((name[len(family.name):], dict(labels).get("le"), value))
    for labels, samples in series.items():
        bounds = [float(le.replace("Inf", "inf")) for part, le, _ in samples if part == "_bucket"]
        counts = [value for part, _, value in samples if part == "_bucket"]
        rest = {part: value for part, le, value in samples if part != "_bucket" and le is None}
        if bounds != sorted(set(bounds)) or bounds[-1] != math.inf:
            raise ValueError(f"{family.name}{labels}: bounds {bounds}")
        if counts != sorted(counts) or set(rest) != {"_sum", "_count"} or counts[-1] != rest["_count"] or rest["_sum"] < 0:
            raise ValueError(f"{family.name}{labels}: counts {counts}, {rest}")
