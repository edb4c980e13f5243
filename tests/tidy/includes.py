#!/usr/bin/env python3
"""Fails on an include in lib/ that does not point strictly down the table of lib/README.md, and on a CMake link that does not.

Usage: includes.py ROOT | --self-test"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/', re.M)
ROW = re.compile(r"^\| (\d) \| (.+?) \|", re.M)
LINK = re.compile(r"^rproxy_room\((\w+) LINK ([^)]*)\)", re.M)
# Only these may include the library, so that its headers stay out of everyone else's compile time.
ONLY_IN = {"asio": ("net",), "toml++": ("config/document.cpp",),
           "openssl": ("net", "x509", "jose", "scan", "proxy", "codec"),
           "brotli": ("codec",), "isa-l": ("codec",)}
THIRD_PARTY = re.compile(r"^\s*#\s*include\s+<([^>/]+)/", re.M)


def levels(readme):
    return {name: int(level) for level, names in ROW.findall(readme) for name in re.findall(r"`(\w+)/`", names)}


def include_faults(table, files):
    """files: {path below lib/: text}"""
    for path, text in sorted(files.items()):
        room = path.split("/")[0]
        if room not in table:
            yield f"lib/{path}: no room {room} in lib/README.md"
            continue
        for target in INCLUDE.findall(text):
            if target != room and target not in table:
                yield f'lib/{path}: includes "{target}/", which is no room'
            elif target != room and table[target] >= table[room]:
                yield f"lib/{path}: {room} (level {table[room]}) includes {target} (level {table[target]})"
        for library in THIRD_PARTY.findall(text):
            if library in ONLY_IN and not path.startswith(ONLY_IN[library]):
                yield f"lib/{path}: <{library}/> belongs into {', '.join(ONLY_IN[library])}"


def link_faults(table, cmake):
    for room, links in LINK.findall(cmake):
        for target in re.findall(r"rproxy_(\w+)", links):
            if table.get(target, 99) >= table.get(room, -1):
                yield f"lib/CMakeLists.txt: {room} links {target}"


def self_test():
    table = {"base": 0, "http": 1, "net": 3, "proxy": 6}
    good = {"http/a.h": '#include "base/x.h"\n#include "http/b.h"\n#include <vector>\n'}
    assert not list(include_faults(table, good))
    for bad in ({"base/a.h": '#include "http/x.h"\n'}, {"net/a.h": '#include "proxy/x.h"\n'}, {"cellar/a.h": ""},
                {"http/a.h": '#include "attic/x.h"\n'}, {"http/a.h": "#include <asio/post.hpp>\n"}):
        assert len(list(include_faults(table, bad))) == 1, bad
    assert list(link_faults(table, "rproxy_room(base LINK rproxy_http)"))
    assert not list(link_faults(table, "rproxy_room(http LINK rproxy_base fmt::fmt)"))
    assert levels("| 0 | `base/` | x |\n| 1 | `http/`, `codec/` | y |\n") == {"base": 0, "http": 1, "codec": 1}


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    lib = pathlib.Path(sys.argv[1]) / "lib"
    table = levels((lib / "README.md").read_text())
    files = {str(path.relative_to(lib)): path.read_text() for path in lib.glob("*/*") if path.suffix in (".h", ".cpp")}
    faults = [*include_faults(table, files), *link_faults(table, (lib / "CMakeLists.txt").read_text())]
    print("\n".join(faults) or f"{len(files)} files, {len(table)} rooms: every include points down")
    sys.exit(bool(faults or not files))


main()
