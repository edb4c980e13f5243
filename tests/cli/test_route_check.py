"""rproxy route-check as a user meets it.

UPDATE_CASES=1 rewrites the .expected files of tests/cases/route_check and tests/cases/explain from what the binary says."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml

from test_cli import BINARY, ROOT, rproxy

CASES = ROOT / "tests/cases/route_check"
EXPLAIN = ROOT / "tests/cases/explain"
NODE = ROOT / "tests/e2e/node"


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def self_signed(directory, name, host):
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
            "-addext", f"subjectAltName=DNS:{host}", "-days", "90", "-keyout", f"{name}.key", "-out", f"{name}.pem")


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        home = cls.directory.name
        for name, host in (("shop", "shop.com"), ("other", "other.com"), ("authority", "authority")):
            self_signed(home, name, host)
        openssl(home, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=issued.com",
                "-addext", "subjectAltName=DNS:issued.com", "-keyout", "issued.key", "-out", "issued.csr")
        openssl(home, "x509", "-req", "-in", "issued.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-days", "90",
                "-copy_extensions", "copy", "-out", "issued.pem")

    def check(self, *arguments, cwd=CASES):
        return rproxy("route-check", *arguments, cwd=cwd, CERTIFICATES=self.directory.name)

    def hold(self, expected, said):
        if os.environ.get("UPDATE_CASES"):
            expected.write_text(said)
        self.assertEqual(said, expected.read_text())

    def written(self, text):
        path = pathlib.Path(self.directory.name, f"{self.id().rsplit('.')[-1]}.toml")
        path.write_text(text)
        return path


class Findings(Case):
    def test_cases(self):
        for case in sorted(CASES.glob("*.toml")):
            with self.subTest(case.name):
                first = case.read_text().splitlines()[0]
                arguments = shlex.split(first.removeprefix("# arguments:")) if first.startswith("# arguments:") else []
                done = self.check(*arguments, case.name)
                self.assertEqual(done.stderr, "")
                self.hold(case.with_suffix(".expected"), f"{done.stdout}exit code {done.returncode}\n")
                if case.name.startswith("rp"):
                    self.assertIn(f"[{case.name[:6].upper()}]", done.stdout)
                self.assertEqual(done.returncode, 1 if "error[" in done.stdout else 0)

    def test_what_serve_refuses_is_refused(self):
        for case in sorted((ROOT / "tests/cases/config").glob("*.toml")):
            with self.subTest(case.name):
                checked = rproxy("serve", "--check", case.name, cwd=case.parent)
                proven = rproxy("route-check", case.name, cwd=case.parent)
                said = set(re.findall(r"(?:error|warning)\[RP1\d{3}\].*", checked.stderr))
                self.assertLessEqual(said, set(proven.stdout.splitlines()))
                self.assertEqual(checked.returncode != 0, "error[" in proven.stdout)

    def test_examples_have_no_errors(self):
        home = self.directory.name
        for name in ("clients-ca.pem", "internal-ca.pem", "proxy.pem", "proxy.key"):
            os.link(f"{home}/shop{name[-4:]}", f"{home}/{name}")
        for example in sorted((ROOT / "examples").glob("**/*.toml")):
            done = rproxy("route-check", example, SHOP_CERTIFICATES=self.directory.name)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_example_with_tests_passes_them(self):
        done = rproxy("route-check", "--strict", "--coverage-min", "100", ROOT / "examples/tested.toml")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("6 of 6 tests passed", done.stdout)

    def test_exit_codes(self):
        clean = ROOT / "tests/cases/config/ok_minimal.toml"
        warned = CASES / "rp2002.toml"
        for code, *arguments in ((0, clean), (0, warned), (1, warned, "--strict"), (1, warned, "--deny", "RP2002"),
                                 (0, warned, "--deny", "RP2001"), (0, warned, "--strict", "--allow", "RP2002"),
                                 (1, warned, "--deny", "RP2002", "--allow", "RP2002"), (1, clean, warned, "--strict"),
                                 (2,), (2, "/no/such/file"), (2, clean, "/no/such/file"), (2, clean, "--deny", "2002"),
                                 (2, clean, "--format", "xml"), (2, clean, "--tests", "/no/such/file"),
                                 (2, clean, "--explain", "ftp://x/"), (2, clean, "--explain", "http://x/", "-H", "nothing"),
                                 (2, clean, "--explain", "http://x/", "--from", "here"), (2, clean, "--from", "1.1.1.1"),
                                 (2, clean, clean, "--explain", "http://x/"), (2, clean, "--update"), (2, clean, "--diff"),
                                 (2, clean, "--list", "--format", "sarif"), (2, clean, "--coverage-min", "101"),
                                 (0, clean, clean, "--diff"), (1, clean, warned, "--diff"), (2, clean, "/no/such/file", "--diff"),
                                 (0, "--schema"), (0, clean, "--graph", "dot"), (2, clean, "--graph", "svg"),
                                 (1, ROOT / "tests/cases/config/rp1103_no_servers.toml", "--list")):
            with self.subTest(arguments):
                done = self.check(*arguments)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)


class Explanations(Case):
    def test_cases(self):
        said = ""
        for line in (EXPLAIN / "requests.txt").read_text().splitlines():
            words = shlex.split(line)
            options = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
            done = self.check("shop.toml", "--explain", " ".join(words[:options]), *words[options:], cwd=EXPLAIN)
            self.assertEqual((done.returncode, done.stderr), (0, ""), line)
            said += f"$ {line}\n{done.stdout}\n"
        self.hold(EXPLAIN / "requests.expected", said)

    def test_fits_a_terminal(self):
        for line in (EXPLAIN / "requests.expected").read_text().splitlines():
            # What may be copied is not broken.
            if line.startswith(("$", "  +", "  -")):
                continue
            self.assertLessEqual(len(line), 80, line)

    def test_secrets_are_not_shown(self):
        self.assertNotIn("secret", (EXPLAIN / "requests.expected").read_text())

    def test_as_json(self):
        done = self.check("shop.toml", "--explain", "https://shop.com/images/a.png", "--format", "json", cwd=EXPLAIN)
        told = json.loads(done.stdout)
        self.assertEqual(told["route"]["at"], {"file": "shop.toml", "line": 22})
        self.assertEqual((told["upstream"]["name"], told["upstream"]["path"]), ("stable", "/static/a.png"))
        self.assertEqual(told["answer"], None)


class Tests(Case):
    CONFIG = ('[listen]\nhttp = ":80"\n[upstreams.a]\nservers = ["10.0.0.1:80"]\n[[routes]]\nmatch = "shop.com/a/*"\nupstream = "a"\n'
              '[[routes]]\nmatch = { path = "/b", header = { X-Beta = "1" }, cookie = { c = true }, client_ip = "10.0.0.0/8" }\n'
              'redirect = "/c{uri}"\n')

    def test_update_writes_a_file_that_passes_and_covers_all(self):
        config = self.written(self.CONFIG)
        tests = config.with_suffix(".tests.toml")
        self.assertEqual(self.check(config, "--tests", tests, "--update").returncode, 0)
        done = self.check(config, "--tests", tests, "--coverage-min", "100")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("ok, 2 of 2 tests passed", done.stdout)
        changed = self.written(self.CONFIG.replace("/c{uri}", "/d{uri}"))
        done = self.check(changed, "--tests", tests)
        self.assertEqual(done.returncode, 1)
        self.assertIn('location: expected "/c/b", got "/d/b"', done.stdout)
        self.assertEqual(self.check(changed, "--tests", tests, "--update").returncode, 0)
        self.assertEqual(self.check(changed, "--tests", tests).returncode, 0)

    def test_update_keeps_comments_and_what_is_asked(self):
        config = self.written(self.CONFIG)
        tests = config.with_suffix(".tests.toml")
        tests.write_text('# all of it\n# is ours\n\n# first\n[[tests]]\nname = "one"\nrequest = "http://shop.com/a/x"\n'
                         'expect = { policies = [] }\n\n# second\n[[tests]]\nrequest = "http://x.org/b"\n# the end\n')
        done = self.check(config, "--tests", tests, "--update")
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 13: this comment would be lost", done.stderr)
        tests.write_text(tests.read_text().replace("# the end", "\n# the end"))
        whole = tests.read_text()
        tests.write_text(whole.replace('"one"', '"# one"  # here'))
        self.assertIn("line 6: this comment would be lost", self.check(config, "--tests", tests, "--update").stderr)
        tests.write_text(whole)
        self.assertEqual(self.check(config, "--tests", tests, "--update").returncode, 0)
        self.assertEqual(tests.read_text(),
                         '# all of it\n# is ours\n\n# first\n[[tests]]\nname = "one"\nrequest = "http://shop.com/a/x"\n'
                         'expect = { policies = ["balance", "timeouts", "retry", "hide_backend"] }\n\n'
                         '# second\n[[tests]]\nrequest = "http://x.org/b"\nexpect = { route = "", status = 404 }\n\n# the end\n')

    def test_tests_are_nothing_to_serve(self):
        config = self.written(self.CONFIG + '[[tests]]\nrequest = "http://x/"\nexpect = { status = 418 }\n')
        self.assertEqual(rproxy("serve", "--check", config).returncode, 0)
        self.assertEqual(self.check(config).returncode, 1)


class Secrets(Case):
    def test_what_comes_from_elsewhere_is_never_shown(self):
        text = ('[listen]\nhttp = ":80"\n[upstreams.a]\nservers = ["10.0.0.1:80"]\n[[routes]]\nmatch = { path = "/a/*", header = '
                '{ X-Door = "${DOOR}" }, query = { k = { prefix = "${DOOR}" } } }\nupstream = "a"\n[[routes]]\nmatch = { path = '
                '"/a/b", header = { X-Door = "${DOOR}", X = "1" }, query = { k = "${DOOR}" } }\nupstream = "a"\npriority = -1\n'
                '[[routes]]\nmatch = "/a/*"\nredirect = "/b"\n')
        config = self.written(text)
        other = config.with_suffix(".other.toml")
        other.write_text(text.replace('upstream = "a"', 'respond = 404'))
        tests = config.with_suffix(".tests.toml")
        said = ""
        for arguments in ((config,), (config, "--format", "json"), (config, "--list"), (config, "--graph", "dot"),
                          (config, "--explain", "http://x/a/b?k=wrong", "-H", "X-Door: wrong"), ("--diff", config, other),
                          ("--diff", config, other, "--format", "json"), (config, "--tests", tests, "--update")):
            done = rproxy("route-check", *arguments, DOOR="hunter2")
            said += done.stdout + done.stderr
        self.assertNotIn("hunter2", said + tests.read_text())
        self.assertIn("X-Door: ...", said)


class Differences(Case):
    def test_what_changes_is_told_and_nothing_else(self):
        old = self.written(Tests.CONFIG)
        new = old.with_suffix(".new.toml")
        new.write_text(Tests.CONFIG.replace("/a/*", "/aa/*"))
        done = self.check("--diff", old, new)
        self.assertEqual(done.returncode, 1)
        self.assertIn("GET http://shop.com/a/\n  - route shop.com/a/*, to a", done.stdout)
        self.assertIn("GET http://shop.com/aa/\n  - no route, answered by 404\n  + route shop.com/aa/*, to a", done.stdout)
        self.assertNotIn("/c{uri}", done.stdout)
        # Another order, another name for the file: nothing that a client sees.
        new.write_text("# new\n" + Tests.CONFIG)
        self.assertEqual(self.check("--diff", old, new).stdout.splitlines()[-1][:5], "0 of ")

    def test_what_changes_where_rules_meet_is_found(self):
        head = '[listen]\nhttp = ":80"\n[upstreams.a]\nservers = ["10.0.0.1:80"]\n[upstreams.b]\nservers = ["10.0.0.2:80"]\n'
        m = '[[routes]]\npriority = 1\nmatch = { path = "/*", cookie = { beta = "1" } }\nupstream = "a"\n'
        n = '[[routes]]\nmatch = "/api/*"\nupstream = "b"\n'
        x = '[[routes]]\nmatch = { path = "/*", header = { A = "1" } }\nupstream = "a"\n'
        y = '[[routes]]\nmatch = { path = "/*", header = { B = "1" } }\nupstream = "b"\n'
        pattern = "[[routes]]\nname = \"x\"\nmatch = { path_regex = '/[ab]/.*' }\nupstream = \"a\"\n"
        plain = '[[routes]]\nmatch = "/*"\nupstream = "b"\n'
        for name, before, after, asked in (
                ("priority", m + n, m.replace("priority = 1\n", "") + n, "/api/ -H 'Cookie: beta=1'"), ("order", x + y, y + x, "-H 'A: 1'"),
                ("pattern", pattern + plain, pattern.replace("ab", "abc") + plain, "/c/"),
                ("host", plain, plain + 'host = "b.com"\n', "/"), ("hiding", plain, plain + "hide_backend = false\n", "/"),
                ("trust", plain, '[forwarding]\ntrusted_proxies = ["192.0.2.0/24"]\n' + plain, "/"),
                ("server", plain, plain.replace('"b"', '"a"'), "/"),
                ("slashes", '[client]\nduplicate_slashes = "merge"\n' + n + plain, n + plain, None),
                ("writing", plain, '[[routes]]\nmatch = { path = "/*" }\nupstream = "b"\n', None),
                ("useless", plain, plain + "rewrite = { regex = '/never/.*', replacement = '/x' }\n", None)):
            with self.subTest(name):
                old, new = self.written(head + before), pathlib.Path(self.directory.name, "new.toml")
                new.write_text(head + after)
                done = self.check("--diff", old, new)
                if asked is None:
                    self.assertEqual((done.returncode, done.stdout[:5]), (0, "0 of "), done.stdout)
                else:
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn(asked, done.stdout)

    def test_policies_are_behaviour(self):
        old = self.written(Tests.CONFIG)
        new = old.with_suffix(".new.toml")
        new.write_text(Tests.CONFIG.replace('80"]\n', '80"]\nretry = false\n'))
        told = json.loads(self.check("--diff", old, new, "--format", "json").stdout)
        self.assertIn("GET http://shop.com/a/", [each["request"] for each in told])
        self.assertIn("retry: up to 3 attempts", told[0]["before"])


class Formats(Case):
    """What machines read, held against their own schemas."""

    def validate(self, schema, *documents):
        # Exit code 1 and the reasons where a document does not fit.
        script = ("const [schema, ...documents] = process.argv.slice(1).map(f => JSON.parse(require('fs').readFileSync(f)));"
                  "const Ajv = require('ajv/dist/2020').default;"
                  "const ajv = new Ajv({strict: false, logger: false, validateFormats: false, allErrors: true});"
                  "const check = ajv.compile(schema);"
                  "for (const d of documents) if (!check(d)) { console.log(JSON.stringify(check.errors)); process.exitCode = 1; }")
        return subprocess.run(["node", "-e", script, schema, *documents], cwd=NODE, capture_output=True, text=True, timeout=60)

    def outputs(self, form):
        files = sorted(CASES.glob("rp*.toml")) + sorted((ROOT / "tests/cases/config").glob("rp10*.toml"))
        return self.check(*files, "--format", form).stdout

    def test_sarif_fits_its_schema(self):
        path = pathlib.Path(self.directory.name, "log.sarif")
        path.write_text(self.outputs("sarif"))
        schema = NODE / "node_modules/@microsoft/sarif-multitool-linux/sarif-2.1.0.json"
        done = self.validate(schema, path)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        run = json.loads(path.read_text())["runs"][0]
        rules = run["tool"]["driver"]["rules"]
        self.assertGreater(len(run["results"]), 40)
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
        path.write_text(path.read_text().replace('"level"', '"lvl"'))
        self.assertEqual(self.validate(schema, path).returncode, 1, "the validator takes anything")

    def test_junit_fits_its_schema(self):
        path = pathlib.Path(self.directory.name, "junit.xml")
        path.write_text(self.outputs("junit"))
        subprocess.run(["xmllint", "--noout", "--schema", ROOT / "tests/cli/junit.xsd", path], check=True, capture_output=True)
        suites = xml.fromstring(path.read_text())
        for suite in suites:
            self.assertEqual(int(suite.get("tests")), len(suite.findall("testcase")))
            self.assertEqual(int(suite.get("failures")), len(suite.findall("testcase/failure")))
        self.assertGreater(int(suites.get("failures")), 10)
        done = self.check(CASES / "rp2801.toml", "--format", "junit")
        names = {case.get("name"): case.find("failure") is not None for case in xml.fromstring(done.stdout).iter("testcase")}
        self.assertEqual(names["everything is otherwise"], True)
        self.assertEqual(names["GET http://shop.com/images/a.png"], False)

    def test_checkstyle_is_xml(self):
        root = xml.fromstring(self.outputs("checkstyle"))
        self.assertEqual({error.get("severity") for error in root.iter("error")}, {"error", "warning"})

    def test_hostile_text_stays_text(self):
        config = self.written('[listen]\nhttp = ":80"\n"<]]>&\\u0001\\"\\n::error::%" = 1\n')
        for form in ("junit", "checkstyle"):
            xml.fromstring(self.check(config, "--format", form).stdout)
        json.loads(self.check(config, "--format", "sarif").stdout)
        lines = self.check(config, "--format", "github").stdout.splitlines()
        self.assertTrue(all(line.startswith(("::error file=", "::warning file=")) for line in lines), lines)

    def test_github_annotates_the_place(self):
        done = self.check("rp2002.toml", "--format", "github")
        self.assertEqual(done.stdout.splitlines()[0],
                         "::warning file=rp2002.toml,line=6,col=12,title=RP2002::/api* matches /apix, too, not only what is below "
                         "/api/ (write /api/*, and a route for /api itself if that is asked for)")

    def test_json_has_every_finding(self):
        told = json.loads(self.check("rp2801.toml", "rp2002.toml", "--format", "json").stdout)["files"]
        self.assertEqual([each["file"] for each in told], ["rp2801.toml", "rp2002.toml"])
        self.assertEqual([test["passed"] for test in told[0]["tests"]], [True, False, False, False])


class Views(Case):
    def test_list_is_in_order_of_precedence(self):
        done = self.check("shop.toml", "--list", cwd=EXPLAIN)
        self.hold(EXPLAIN / "list.expected", done.stdout)
        told = json.loads(self.check("shop.toml", "--list", "--format", "json", cwd=EXPLAIN).stdout)
        self.assertEqual([each["line"] for each in told], [int(line.rsplit(":")[-1]) for line in done.stdout.splitlines()[1:]])

    def test_graphs_are_taken_by_their_tools(self):
        hostile = self.written('[listen]\nhttp = ":80"\n[upstreams."a\\"]; b -> c<"]\nservers = ["10.0.0.1:80"]\n[[routes]]\n'
                               'match = { path_regex = \'/a"\\\\[x]{2}|b\' }\nupstream = "a\\"]; b -> c<"\n')
        for config, cwd in (("shop.toml", EXPLAIN), (hostile, CASES)):
            dot = self.check(config, "--graph", "dot", cwd=cwd).stdout
            done = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            mermaid = self.check(config, "--graph", "mermaid", cwd=cwd).stdout
            for line in mermaid.splitlines()[1:]:
                self.assertRegex(line, r'^  n\d+(\W{1,2}"[^"]*"\W{1,2}| -->(\|"[^"]*"\|)? n\d+)$')
            self.assertEqual(dot.count(" -> n"), mermaid.count(" -->"))

    def test_schema_is_what_the_decoder_takes(self):
        import tomllib
        home = pathlib.Path(self.directory.name)
        schema = home / "schema.json"
        schema.write_text(self.check("--schema").stdout)

        def as_json(path):
            made = home / (path.stem + ".json")
            made.write_text(json.dumps(tomllib.loads(path.read_text()), default=str))
            return made
        validator = Formats.validate
        good = [*(ROOT / "examples").glob("**/*.toml"), *(ROOT / "tests/cases/config").glob("ok_*.toml"), *CASES.glob("*.toml"),
                *EXPLAIN.glob("*.toml")]
        done = validator(self, schema, *map(as_json, good))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        for text in ("x = 1", "[server]\nworker = 1", "[client]\nhead_timeout = 5", "[upstreams.a.pool]\nmax_idle = 'x'",
                     "[[routes]]\nmatch = 1", "[[tests]]\nexpect = { rout = 'x' }"):
            bad = self.written(text)
            self.assertEqual(validator(self, schema, as_json(bad)).returncode, 1, text)


if __name__ == "__main__":
    unittest.main()
