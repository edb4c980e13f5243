"""The command line as a user meets it: output, exit codes, and documents that agree with the binary.

UPDATE_CASES=1 rewrites tests/cases/config/*.expected from what the binary says."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BINARY = os.environ["RPROXY"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/cases/config"


CERT_COMMANDS = ("create", "ca", "trust", "csr", "sign", "show", "verify", "check", "scan", "convert", "acme")
ACME_COMMANDS = ("issue", "renew", "revoke", "list", "account")


def rproxy(*arguments, cwd=None, **environment):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd,
                          env={**os.environ, **environment})


def options_of_help(text):
    return set(re.findall(r"(--[a-z0-9-]+)", text.split("Signals:")[0]))


class Commands(unittest.TestCase):
    def test_help_fits_a_terminal(self):
        for arguments in (("--help",), ("serve", "--help"), ("route-check", "--help"), ("health", "--help"),
                          ("cache-inspect", "--help"), ("cert", "--help"), *(("cert", command, "--help") for command in CERT_COMMANDS),
                          *(("cert", "acme", command, "--help") for command in ACME_COMMANDS)):
            done = rproxy(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, done.stdout)

    def test_version(self):
        self.assertRegex(rproxy("--version").stdout, r"^rproxy \d+\.\d+\.\d+\n$")

    def test_exit_codes(self):
        with tempfile.TemporaryDirectory() as directory:
            good, bad = pathlib.Path(directory, "good.toml"), pathlib.Path(directory, "bad.toml")
            good.write_text((CASES / "ok_minimal.toml").read_text())
            bad.write_text("x = 1\n")
            for code, *arguments in ((0, "--help"), (2,), (2, "no-such-command"), (2, "serve"), (2, "serve", good, "--no-such"),
                                     (2, "serve", good, "--workers", "0"), (2, "serve", good, "--log-level", "loud"),
                                     (0, "serve", "--check", good), (3, "serve", "--check", bad), (3, "serve", bad),
                                     (2, "health"), (2, "health", good, "--url", "tcp://127.0.0.1:1"), (3, "health", bad),
                                     (2, "health", good, "--upstream", "none"), (2, "health", "--url", "gopher://x"),
                                     (2, "health", good, "--timeout", "soon"), (2, "health", good, "--warn", "soon"),
                                     (3, "health", bad, "--format", "nagios"), (2, "health", good, "--warn", "2"),
                                     (2, "health", good, "--json", "--format", "prometheus"),
                                     (2, "health", good, "--interval", "1s"),
                                     (2, "health", good, "--watch", "--prometheus", "-"), (2, "health", good, "--count", "0"),
                                     (2, "cache-inspect"), (2, "cache-inspect", "stats"), (2, "cache-inspect", "dance", "--attach", "x"),
                                     (1, "cache-inspect", "stats", "--attach", "/no/such/socket"),
                                     (2, "cache-inspect", "stats", "--attach", "x", "--limit", "3"), (1, "cache-inspect", "stats", "--dir", "/no/such/directory"),
                                     (2, "cache-inspect", "purge", "--attach", "x"), (2, "cache-inspect", "list", "--attach", "x", "--min-age", "soon"),
                                     (3, "serve", "--check", "/no/such/file"), (3, "serve", "--check", directory)):
                with self.subTest(arguments):
                    done = rproxy(*arguments)
                    self.assertEqual(done.returncode, code, done.stderr)
                    if code:
                        self.assertTrue(done.stderr)
            self.assertEqual(rproxy("serve", "--check", good).stdout, f"{good}: ok\n")

    def test_usage_errors_name_the_argument_and_the_nearest(self):
        for arguments, said in ((("serv", "x"), "there is no command serv; did you mean serve?"),
                                ((), "a command is missing"), (("serve",), "the CONFIG file is missing"),
                                (("serve", "x", "y"), "one argument too many: y"),
                                (("serve", "x", "--chek"), "there is no option --chek; did you mean --check?"),
                                (("serve", "x", "--log-levl=off"), "there is no option --log-levl; did you mean --log-level?"),
                                (("health", ROOT / "examples/minimal.toml", "--upstream", "ap"), "no upstream ap; did you mean app?"),
                                (("health", ROOT / "examples/minimal.toml", "--endpoint", "127.0.0.1:9003"),
                                 "no endpoint 127.0.0.1:9003; did you mean 127.0.0.1:9001?"),
                                (("serve", "x", "--log-level", "INFO"), "INFO not in {debug,info,warn,error,off}")):
            with self.subTest(arguments):
                done = rproxy(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(said, done.stderr)

    def test_to_nagios_whatever_is_wrong_is_unknown(self):
        # Where 1 and 2 are warning and critical, and standard output is all that is read.
        minimal = ROOT / "examples/minimal.toml"
        for arguments, said in (((minimal, "--warn", "soon"), "--warn: soon is neither"), ((minimal, "--no-such"), "--no-such"),
                                ((), "the CONFIG file is missing"), ((minimal, "--watch"), "--watch shows"),
                                ((minimal, "--endpoint", "x"), "there is no endpoint x"),
                                ((minimal, "--attach", "/no/such/socket"), "/no/such/socket: there is no such socket"),
                                ((minimal, "--prometheus", "/no/such/file"), "/no/such/file: can't write it: No such file"),
                                (("/no/such.toml",), "/no/such.toml is no valid configuration")):
            with self.subTest(arguments):
                done = rproxy("health", "--format", "nagios", *arguments)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertRegex(done.stdout, r"^HEALTH UNKNOWN - [^\n]*\n$")
                self.assertIn(said, done.stdout)

    def test_metrics_for_a_device_do_not_take_its_place(self):
        with tempfile.TemporaryDirectory() as directory:
            # Links, so that a mistake spoils nothing of the machine.
            output = pathlib.Path(directory, "output")
            output.symlink_to("/dev/stdout")
            done = rproxy("health", "--prometheus", output, ROOT / "examples/minimal.toml")
            self.assertIn("# TYPE rproxy_health_up gauge", done.stdout)
            self.assertTrue(output.is_symlink())
            full = pathlib.Path(directory, "full")
            full.symlink_to("/dev/full")
            done = rproxy("health", "--prometheus", full, ROOT / "examples/minimal.toml")
            self.assertEqual(done.returncode, 1)
            self.assertIn("app: 0 of 2 healthy", done.stdout)
            self.assertIn("can't write it: No space left on device", done.stderr)
            self.assertTrue(full.is_symlink())

    def test_check_reads_certificates(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory, "c.toml")
            config.write_text('[listen]\nhttps = ":443"\n[tls]\ncert = "a.pem"\nkey = "a.key"\n'
                              '[upstreams.a]\nservers = ["1.1.1.1:1"]\n[[routes]]\nmatch = "*"\nupstream = "a"\n')
            done = rproxy("serve", "--check", config)
            self.assertEqual(done.returncode, 3)
            self.assertIn("a.pem", done.stderr)


class Configurations(unittest.TestCase):
    maxDiff = None

    def test_cases(self):
        for case in sorted(CASES.glob("*.toml")):
            with self.subTest(case.name):
                done = rproxy("serve", "--check", case.name, cwd=CASES)
                expected = case.with_suffix(".expected")
                if os.environ.get("UPDATE_CASES"):
                    expected.write_text(done.stderr)
                self.assertEqual(done.stderr, expected.read_text())
                is_valid = "error[" not in done.stderr
                self.assertEqual(done.returncode, 0 if is_valid else 3)
                for part in done.stderr.split("\n\n")[:-1]:
                    self.assertIn("\n  help: ", part, "every diagnostic says what to do")
                if case.name.startswith("rp"):
                    self.assertIn(case.name[:6].upper(), done.stderr)

    def test_examples_are_valid(self):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-subj", "/CN=shop.com", "-keyout", "shop.key", "-out", "shop.pem"], cwd=directory, check=True,
                           capture_output=True)
            for name in ("clients-ca.pem", "internal-ca.pem", "proxy.pem", "proxy.key"):
                os.link(f"{directory}/shop{name[-4:]}", f"{directory}/{name}")
            for example in sorted((ROOT / "examples").glob("**/*.toml")):
                done = rproxy("serve", "--check", example, SHOP_CERTIFICATES=directory)
                self.assertEqual((done.returncode, done.stderr), (0, ""), example)

    def test_printed_configuration_is_one(self):
        with tempfile.TemporaryDirectory() as directory:
            printed = rproxy("serve", "--print-config", ROOT / "examples/minimal.toml")
            self.assertEqual(printed.returncode, 0)
            self.assertIn("minimal.toml:3", printed.stdout)
            again = pathlib.Path(directory, "again.toml")
            again.write_text(printed.stdout)
            done = rproxy("serve", "--check", again)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_effective_configuration_tells_where_each_value_comes_from(self):
        with tempfile.TemporaryDirectory() as directory:
            home = pathlib.Path(directory)
            (home / "conf.d").mkdir()
            (home / "main.toml").write_text(
                'include = ["conf.d/*.toml"]\n[[listeners]]\naddress = "unix:/tmp/x.sock"\n'
                '[upstreams."a b/ü"]\nservers = [{ address = "1.1.1.1:1" }]\nretry = false\npool = { max_idle = 7 }\n'
                '[[routes]]\nmatch = "*"\nupstream = "a b/ü"\n[[routes]]\nmatch = "/x"\nredirect = "/y"\n'
                '[[routes]]\nmatch = "/z"\nrespond = 404\n')
            (home / "conf.d/tls.toml").write_text('access_log = "access.log"\n[upstreams."a b/ü".tls]\nca_file = "ca.pem"\n')
            done = rproxy("serve", "--print-config", "--workers", "3", "main.toml", cwd=home)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
            for line in ("workers = 3 # --workers", 'log_level = "info" # default', '[upstreams."a b/ü".pool]',
                         "max_idle = 7 # main.toml:7", 'idle_timeout = "1m" # default', "retry = false # main.toml:6",
                         f'ca_file = "{home}/conf.d/ca.pem" # conf.d/tls.toml:3', "verify = true # default",
                         f'path = "{home}/conf.d/access.log" # conf.d/tls.toml:1', "weight = 1 # default",
                         "backlog = 4096 # default", 'unix_mode = "0660" # default',
                         'location = "/y" # main.toml:13', "status = 308 # default", "status = 404 # main.toml:16"):
                self.assertIn(line, lines)
            again = home / "again.toml"
            again.write_text(done.stdout)
            twice = rproxy("serve", "--print-config", again)
            self.assertEqual(twice.returncode, 0, twice.stderr)
            values = [[line.split("  #")[0].rstrip() for line in text.splitlines()] for text in (done.stdout, twice.stdout)]
            self.assertEqual(*values)

    def test_output_that_can_not_be_written_is_an_error(self):
        minimal = ROOT / "examples/minimal.toml"
        for arguments in (("--help",), ("serve", "--print-config", minimal), ("health", minimal),
                          ("health", "--watch", "--count", "2", minimal)):
            with open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn("can't write the output: No space left on device", done.stderr)

    def test_secrets_are_not_printed(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory, "c.toml")
            text = (CASES / "ok_minimal.toml").read_text()
            config.write_text(text + '[forwarding]\nvia_name = "${SECRET_NAME}"\n')
            done = rproxy("serve", "--print-config", config, SECRET_NAME="hunter2")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("hunter2", done.stdout)

    def test_includes_are_merged(self):
        with tempfile.TemporaryDirectory() as directory:
            home = pathlib.Path(directory)
            (home / "conf.d").mkdir()
            (home / "main.toml").write_text('include = ["conf.d/*.toml"]\n[listen]\nhttp = ":80"\n')
            (home / "conf.d/a.toml").write_text('[upstreams.a]\nservers = ["1.1.1.1:1"]\n[[routes]]\nmatch = "a/*"\nupstream = "a"\n')
            (home / "conf.d/b.toml").write_text('[upstreams.b]\nservers = ["1.1.1.1:"]\n[[routes]]\nmatch = "b/*"\nupstream = "b"\n')
            done = rproxy("serve", "--check", "main.toml", cwd=home)
            self.assertEqual(done.returncode, 3)
            self.assertIn("conf.d/b.toml:2:12", done.stderr)
            (home / "conf.d/b.toml").write_text('include = ["../main.toml"]\n')
            self.assertEqual(rproxy("serve", "--check", "main.toml", cwd=home).returncode, 3)


class Documents(unittest.TestCase):
    def test_every_key_is_documented(self):
        subprocess.run([sys.executable, "-B", ROOT / "man/update_keys.py", BINARY, "--check"], check=True)

    def test_every_diagnostic_is_documented(self):
        source = "".join(path.read_text() for path in (*ROOT.glob("lib/*/*.cpp"), *ROOT.glob("cli/*.cpp"))
                         if path.name != "catalogue.cpp")
        page = (ROOT / "man/rproxy-diagnostics.7").read_text()
        self.assertEqual(set(re.findall(r'"(RP\d{4})"', source)), set(re.findall(r"^\.B (RP\d{4})", page, re.M)))
        catalogue = (ROOT / "lib/check/catalogue.cpp").read_text()
        self.assertEqual(re.findall(r'"(RP\d{4})"', catalogue), sorted(set(re.findall(r'"(RP\d{4})"', source))))
        cases = {path.name[:6].upper() for path in (ROOT / "tests/cases").glob("*/rp*.toml")}
        self.assertEqual(cases, set(re.findall(r'"(RP\d{4})"', source)))

    def test_every_diagnostic_has_cause_and_remedy(self):
        page = (ROOT / "man/rproxy-diagnostics.7").read_text()
        for entry in re.findall(r"^\.B RP\d{4}\n(?:(?!\.TP|\.SH).*\n)+", page, re.M):
            self.assertRegex(re.sub(r"\n\.B\w? ?|\n", " ", entry), r"RP\d{4} .+?[.:;] +.+\. ?$", entry)

    def test_options_agree_everywhere(self):
        for command in ("serve", "route-check", "health", "cache-inspect"):
            with self.subTest(command):
                options = options_of_help(rproxy(command, "--help").stdout)
                self.assertGreater(len(options), 4)
                page = (ROOT / f"man/rproxy-{command}.1").read_text().replace("\\-", "-").split(".SH OPTIONS")[1].split(".SH ")[0]
                self.assertEqual(set(re.findall(r"^\.(?:B|BI|BR) \"?(?:-[hHo](?: \", \" |, ))?(--[a-z-]+)", page, re.M)), options)
                bash = (ROOT / "completions/rproxy.bash").read_text()
                words = re.search(command + r':-\*\).*?-W "([^"]*)"', bash).group(1)
                self.assertEqual(set(re.findall(r"--[a-z-]+", words)), options)
                fish = (ROOT / "completions/rproxy.fish").read_text()
                lines = [line for line in fish.splitlines() if f"from {command}" in line]
                self.assertEqual({"--" + re.search(r"-l (\S+)", line).group(1) for line in lines}, options)
                zsh = (ROOT / "completions/_rproxy").read_text().split(f"arguments:{command}")[1].split(";;")[0]
                self.assertEqual(set(re.findall(r"(--[a-z-]+)", zsh)), options)

    def test_options_of_cert_agree_everywhere(self):
        page = (ROOT / "man/rproxy-cert.1").read_text().replace("\\-", "-")
        bash = (ROOT / "completions/rproxy.bash").read_text()
        fish = (ROOT / "completions/rproxy.fish").read_text().splitlines()
        zsh = (ROOT / "completions/_rproxy").read_text()
        self.assertEqual(set(re.findall(r"^  ([a-z]+) {2,}", rproxy("cert", "--help").stdout.split("Subcommands:")[1], re.M)), set(CERT_COMMANDS))
        self.assertIn(f'"{" ".join(CERT_COMMANDS)} --help"', bash)
        for command in set(CERT_COMMANDS) - {"acme"}:
            with self.subTest(command):
                options = set(re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", rproxy("cert", command, "--help").stdout, re.M))
                self.assertGreater(len(options), 1)
                section = page.split(f".SH {command.upper()}\n")[1].split(".SH ")[0]
                documented = set(re.findall(r"^\.(?:B|BI|BR) \"?(?:-[hof](?: \", \" |, ))?(--[a-z0-9-]+)", section, re.M))
                self.assertEqual(documented | {"--help"}, options)
                words = re.search(r"^    " + command + r':-\*\).*?-W "([^"]*)"', bash, re.M).group(1)
                self.assertEqual(set(re.findall(r"--[a-z0-9-]+", words)), options)
                lines = [line for line in fish if f"from cert; and __fish_seen_subcommand_from {command}'" in line]
                self.assertEqual({"--" + re.search(r"-l (\S+)", line).group(1) for line in lines}, options)
                self.assertEqual(set(re.findall(r"(--[a-z0-9-]+)", zsh.split(f"  cert:{command})")[1].split(";;")[0])), options)

    def test_options_of_cert_acme_agree_everywhere(self):
        page = (ROOT / "man/rproxy-cert.1").read_text().replace("\\-", "-").split(".SH ACME\n")[1].split(".SH ")[0]
        bash = (ROOT / "completions/rproxy.bash").read_text()
        fish = (ROOT / "completions/rproxy.fish").read_text().splitlines()
        zsh = (ROOT / "completions/_rproxy").read_text()
        commands = re.findall(r"^  ([a-z]+) {2,}", rproxy("cert", "acme", "--help").stdout.split("Subcommands:")[1], re.M)
        self.assertEqual(tuple(commands), ACME_COMMANDS)
        self.assertEqual(tuple(re.findall(r"^\.SS ([a-z]+)", page, re.M)), ACME_COMMANDS)
        self.assertIn(f'"{" ".join(ACME_COMMANDS)} --help"', bash)
        everything = set()
        for command in ACME_COMMANDS:
            with self.subTest(command):
                options = set(re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", rproxy("cert", "acme", command, "--help").stdout, re.M))
                everything |= options
                words = re.search(r"^    " + command + r':-\*\).*?-W "(--config [^"]*)"', bash, re.M).group(1)
                self.assertEqual(set(re.findall(r"--[a-z0-9-]+", words)), options)
                lines = [line for line in fish if f"from acme; and __fish_seen_subcommand_from {command}'" in line]
                self.assertEqual({"--" + re.search(r"-l (\S+)", line).group(1) for line in lines}, options)
                self.assertEqual(set(re.findall(r"(--[a-z0-9-]+)", zsh.split(f"  acme:{command})")[1].split(";;")[0])), options)
        documented = set(re.findall(r"^\.(?:B|BI|BR) \"?(?:-[qf](?: \", \" |, ))?(--[a-z0-9-]+)", page, re.M))
        self.assertEqual(documented | {"--help"}, everything)

    def test_readme_links_lead_somewhere(self):
        for page in (ROOT / "README.md", ROOT / "lib/README.md"):
            for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
                self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")


if __name__ == "__main__":
    unittest.main()
