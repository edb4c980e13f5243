#!/usr/bin/env python3
"""Writes the KEYS section of rproxy.toml.5 from what the binary knows. Usage: update_keys.py RPROXY [--check]"""

import itertools
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(__file__).parent / "rproxy.toml.5"
BEGIN, END = '.\\" keys: begin\n', '.\\" keys: end\n'


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def section(keys):
    for table, rows in itertools.groupby(keys, lambda key: key[0].rpartition(".")[0]):
        yield f".SS [{escape(table.replace('*', 'NAME'))}]\n"
        for path, kind, default, meaning in rows:
            fallback = f", default {escape(default)}" if default and default not in ('""', "[]") else ""
            yield f".TP\n.B {escape(path.rpartition('.')[2])}\n({escape(kind)}{fallback}) {escape(meaning)}.\n"


def main():
    listing = subprocess.run([sys.argv[1], "serve", "--print-keys"], check=True, capture_output=True, text=True).stdout
    keys = [line.split("\t") for line in listing.splitlines()]
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    made = head + BEGIN + "".join(section(keys)) + END + tail
    if "--check" not in sys.argv:
        PAGE.write_text(made)
    elif made != page:
        sys.exit(f"{PAGE.name} does not say what the binary knows: run man/update_keys.py RPROXY")


main()
