"""What machines read of rproxy route-check, where it could differ from what the program does."""

import json
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml

from test_cli import ROOT, rproxy

NODE = ROOT / "tests/e2e/node"
ARRAYS = ("listeners", "routes", "tests", "tls.certificates", "upstreams.*.servers", "routes.split")
VALUES = (0, 1, -1, 70_000, 1.5, "", "x", "5s", "1m30s", "64KiB", "10", "2xx", "/x", ":80", "10.0.0.1:80", "10.0.0.0/8", True, False,
          [], ["x"], [1], ["10.0.0.1:80"], [{}], {}, {"zz": 1}, {"zz": "x"}, "${V}", "${V:-x}")


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {toml(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def put(tree, path, value):
    """Sets a key as --print-keys names it, and the tables around it."""
    parts = path.split(".")
    for count, part in enumerate(parts, 1):
        name = "a" if part == "*" else part
        if count == len(parts):
            tree[name] = value
        elif ".".join(parts[:count]) in ARRAYS:
            tree[name] = [tree[name][0] if isinstance(tree.get(name, [0])[0], dict) else {}]
            tree = tree[name][0]
        else:
            tree[name] = tree[name] if isinstance(tree.get(name), dict) else {}
            tree = tree[name]


def configuration(path, value):
    tree = {"listen": {"http": ":8080"}, "upstreams": {"a": {"servers": ["10.0.0.1:80"]}}, "routes": [{"match": "*", "upstream": "a"}]}
    put(tree, path, value)
    return tree


class SchemaAndDecoder(unittest.TestCase):
    """Every key with values of every kind, to both."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.home = pathlib.Path(cls.directory.name)
        (cls.home / "schema.json").write_text(rproxy("route-check", "--schema").stdout)

    def fit_schema(self, trees):
        script = ("const [schema, trees] = process.argv.slice(1).map(f => JSON.parse(require('fs').readFileSync(f)));"
                  "const Ajv = require('ajv/dist/2020').default;"
                  "const check = new Ajv({strict: false, logger: false, validateFormats: false}).compile(schema);"
                  "console.log(JSON.stringify(trees.map(tree => check(tree))))")
        (self.home / "trees.json").write_text(json.dumps(trees))
        done = subprocess.run(["node", "-e", script, self.home / "schema.json", self.home / "trees.json"], cwd=NODE,
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    def errors(self, trees):
        """The ids of errors about values, for each."""
        files = []
        for number, tree in enumerate(trees):
            files.append(self.home / f"{number}.toml")
            files[-1].write_text("".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in tree.items()))
        reports = []
        for first in range(0, len(files), 500):
            done = rproxy("route-check", "--format", "json", *files[first:first + 500], V="1")
            reports += json.loads(done.stdout)["files"]
        return [{found["id"] for found in report["findings"] if found["severity"] == "error" and found["id"] < "RP13"}
                for report in reports]

    def test_agree_on_kinds(self):
        paths = [line.split("\t")[0] for line in rproxy("serve", "--print-keys").stdout.splitlines()]
        tables = {path.split(".")[0] for path in paths} | {"include", "upstreams.*"}
        cases = [(path, value) for path in [*paths, *sorted(tables)] for value in VALUES]
        trees = [configuration(*case) for case in cases]
        taken = 0
        for case, fits, errors in zip(cases, self.fit_schema(trees), self.errors(trees), strict=True):
            with self.subTest(case):
                taken += fits
                if not errors:
                    self.assertTrue(fits, "the schema is stricter")
                if errors & {"RP1002", "RP1003"}:
                    self.assertFalse(fits, "the schema takes what is no value here")
        self.assertGreater(taken, 500)

    def test_agree_on_bounds_and_words(self):
        cases = {True: (("server.workers", 1024), ("routes.priority", -1_000_000), ("http2.max_streams", "${V}"),
                        ("client.max_head", 1024), ("client.encoded_slash", "guard"), ("upstreams.*.balance", "hash"),
                        ("upstreams.*.servers", [{"address": "srv:_http._tcp.x", "priority": 5000}]),
                        ("listeners.tls", {"cert": "a", "key": "b"}), ("routes.match.header", {"X": {"prefix": "a"}})),
                 False: (("server.workers", 1025), ("routes.priority", -1_000_001), ("client.max_head", 1023),
                         ("client.encoded_slash", "gard"), ("upstreams.*.balance", "hsh"), ("listen.protocols", ["h3"]),
                         ("upstreams.*.tls.min_version", "1.1"), ("server.log_level", "loud"), ("routes.respond", 600),
                         ("routes.sticky", {"cookies": "x"}), ("listeners.tls", {"certs": "a"}),
                         ("routes.match.header", {"X": {"prefix": "a", "regex": "b"}}), ("client.head_timeout", "5 s"))}
        for is_fine, each in cases.items():
            for case, fits in zip(each, self.fit_schema([configuration(*case) for case in each]), strict=True):
                with self.subTest(case):
                    self.assertEqual(fits, is_fine)
        trees = [configuration(*case) for case in cases[False]]
        for case, errors in zip(cases[False], self.errors(trees), strict=True):
            self.assertTrue(errors, case)


class ReportFormats(unittest.TestCase):
    def test_severities_are_those_of_the_catalogue(self):
        # In the directory of the files, for what they include.
        told = 0
        for cases in (ROOT / "tests/cases/config", ROOT / "tests/cases/route_check"):
            files = [path.name for path in sorted(cases.glob("rp*.toml"))]
            run = json.loads(rproxy("route-check", "--format", "sarif", *files, cwd=cases).stdout)["runs"][0]
            levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in run["tool"]["driver"]["rules"]}
            for result in run["results"]:
                self.assertEqual(result["level"], levels[result["ruleId"]], result["ruleId"])
                told += 1
        self.assertGreater(told, 200)

    def test_files_are_told_as_they_were_named(self):
        with tempfile.TemporaryDirectory() as directory:
            home = pathlib.Path(directory)
            name = "a b&<ü>%,:.toml"
            (home / name).write_text("x = 1\n")
            said = {form: rproxy("route-check", "--format", form, name, cwd=home).stdout
                    for form in ("sarif", "junit", "checkstyle", "github")}
            location = json.loads(said["sarif"])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
            self.assertEqual(location["artifactLocation"]["uri"], "a%20b%26%3C%C3%BC%3E%25%2C%3A.toml")
            self.assertEqual(xml.fromstring(said["junit"])[0].get("name"), name)
            self.assertEqual(xml.fromstring(said["checkstyle"])[0].get("name"), name)
            self.assertTrue(said["github"].startswith("::error file=a b&<ü>%25%2C%3A.toml,"), said["github"])

    def test_dot_draws_what_is_grouped(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory, "many.toml")
            config.write_text('[listen]\nhttp = ":80"\n[upstreams.a]\nservers = ["10.0.0.1:80"]\n' + "".join(
                f'[[routes]]\nmatch = "h{i % 200}.com/{i}"\nupstream = "a"\n' for i in range(400)))
            dot = rproxy("route-check", "--graph", "dot", config).stdout
            done = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r'(?s)"200 hosts".*"400 routes"')


if __name__ == "__main__":
    unittest.main()
