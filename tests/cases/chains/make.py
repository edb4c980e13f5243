#!/usr/bin/env python3
"""Makes the chains of this directory anew, by openssl, for rproxy would make few of them: usage: make.py

Each NAME.pem is what `rproxy cert verify NAME.pem --ca root.pem` is given, with the arguments of NAME.args; NAME.expected is what it must
say. All are dated from today; tests say when they are looked at. tests/cli/test_cert.py runs them; UPDATE_CASES=1 writes what is expected."""

import datetime
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LEAF = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
AUTHORITY = "basicConstraints=critical,CA:TRUE{}\nkeyUsage=critical,keyCertSign,cRLSign\n"
IDS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
NAMES = "subjectAltName=DNS:shop.com\n"
YEARS = 100 * 365
TODAY = datetime.date.today()


def in_days(days):
    return str(TODAY + datetime.timedelta(days))


class Workshop:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.count = 0

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.directory, check=True, capture_output=True)

    def make(self, subject, extensions, issuer=None, days=YEARS, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), digest="-sha256",
             utf8=True):
        """A certificate and its key; by itself where it has no issuer."""
        self.count += 1
        name = self.directory / str(self.count)
        key_file, request, config, made = (name.with_suffix(suffix) for suffix in (".key", ".csr", ".cnf", ".pem"))
        config.write_text(extensions)
        self.openssl("req", "-new", "-newkey", *key, "-nodes", "-keyout", key_file, "-out", request, "-subj", subject,
                     *(["-utf8"] if utf8 else []))
        signer = ["-signkey", key_file] if issuer is None else ["-CA", issuer[0], "-CAkey", issuer[1]]
        self.openssl("x509", "-req", "-in", request, "-out", made, *signer, "-days", days, digest, "-extfile", config,
                     "-set_serial", self.count)
        return made, key_file


def write(name, *certificates, arguments=""):
    (HERE / f"{name}.pem").write_text("".join(made[0].read_text() for made in certificates))
    path = HERE / f"{name}.args"
    if arguments:
        path.write_text(arguments + "\n")
    else:
        path.unlink(missing_ok=True)


def main():
    now = f"--at {in_days(1)}"
    with tempfile.TemporaryDirectory() as directory:
        shop = Workshop(directory)
        root = shop.make("/CN=Root", AUTHORITY.format("") + IDS.replace("keyid", "keyid:always"))
        write("root", root)
        between = shop.make("/CN=Between", AUTHORITY.format(",pathlen:0") + IDS, root)
        leaf = shop.make("/CN=shop.com", LEAF + NAMES + IDS, between, days=398)
        other = shop.make("/CN=Other root", AUTHORITY.format("") + IDS)
        same_name = shop.make("/CN=Between", AUTHORITY.format(",pathlen:0") + IDS, root)
        no_ids = shop.make("/CN=shop.com", LEAF + NAMES + IDS.replace("hash", "none").replace("keyid", "none"), between, days=398)

        write("good", leaf, between, arguments=f"{now} --name shop.com")
        write("missing_issuer", leaf, arguments=now)
        write("missing_issuer_with_place", shop.make(
            "/CN=shop.com", LEAF + NAMES + IDS + "authorityInfoAccess=caIssuers;URI:http://ca.example/between.crt\n", between, days=398),
            arguments=now)
        write("wrong_order", between, leaf, arguments=now)
        write("root_included", leaf, between, root, arguments=now)
        write("unrelated", leaf, between, other, arguments=now)
        write("duplicate", leaf, between, between, arguments=now)
        write("bad_signature", no_ids, same_name, arguments=now)
        write("untrusted_root", shop.make("/CN=shop.com", LEAF + NAMES + IDS, other, days=398), other, arguments=now)
        write("self_signed", shop.make("/CN=shop.com", LEAF + NAMES + IDS, days=398), arguments=now)
        write("expired", leaf, between, arguments=f"--at {in_days(500)}")
        short = shop.make("/CN=Short", AUTHORITY.format("") + IDS, root, days=30)
        write("expired_issuer", shop.make("/CN=shop.com", LEAF + NAMES + IDS, short, days=398), short, arguments=f"--at {in_days(60)}")
        write("not_yet_valid", leaf, between, arguments=f"--at {in_days(-2)}")
        write("name_mismatch", leaf, between, arguments=f"{now} --name www.shop.com --name 10.0.0.1")
        write("no_names", shop.make("/CN=shop.com", LEAF + IDS, between, days=398), between, arguments=f"{now} --name shop.com")
        server = shop.make("/CN=server.com", LEAF + "subjectAltName=DNS:server.com\n" + IDS, between, days=398)
        write("not_an_authority", shop.make("/CN=shop.com", LEAF + NAMES + IDS, server, days=398), server, between, arguments=now)
        silent = shop.make("/CN=Silent", AUTHORITY.format("").replace("keyCertSign,", "") + IDS, root)
        write("may_not_sign", shop.make("/CN=shop.com", LEAF + NAMES + IDS, silent, days=398), silent, arguments=now)
        below = shop.make("/CN=Below", AUTHORITY.format("") + IDS, between)
        write("path_too_long", shop.make("/CN=shop.com", LEAF + NAMES + IDS, below, days=398), below, between, arguments=now)
        narrow = shop.make("/CN=Narrow", AUTHORITY.format("") + IDS + "nameConstraints=critical,permitted;DNS:example.com\n", root)
        write("name_constraints", shop.make("/CN=shop.com", LEAF + NAMES + IDS, narrow, days=398), narrow, arguments=now)
        client = LEAF.replace("serverAuth", "clientAuth") + NAMES + IDS
        write("wrong_purpose", shop.make("/CN=shop.com", client, between, days=398), between, arguments=now)
        write("right_purpose", shop.make("/CN=shop.com", client, between, days=398), between, arguments=f"{now} --purpose client")
        write("weak_signature", shop.make("/CN=shop.com", LEAF + NAMES + IDS, between, days=398, digest="-sha1"), between, arguments=now)
        write("weak_key", shop.make("/CN=shop.com", LEAF + NAMES + IDS, between, days=398, key=("rsa:1024",)), between, arguments=now)
        write("unknown_critical", shop.make("/CN=shop.com", LEAF + NAMES + IDS + "1.2.3.4=critical,ASN1:NULL\n", between, days=398),
              between, arguments=now)
        write("not_strict", no_ids, between, arguments=now)
        write("long_lived", shop.make("/CN=shop.com", LEAF + NAMES + IDS, between, days=1000), between, arguments=now)
        write("authority_as_leaf", between, arguments=now)
        hostile = "/CN=\u202emoc.pohs\u202c \x1b[2J/O=A\\, CN=shop.com"
        write("hostile_names", shop.make(hostile, LEAF + "subjectAltName=DNS:shop.com,DNS:a\x1b[31m.com\n" + IDS, between, days=398),
              between, arguments=f"{now} --name b.com")
        # Its key is nobody's but this directory's.
        (HERE / "stranger.key").write_text(other[1].read_text())
        write("key_mismatch", leaf, between, arguments=f"{now} --key stranger.key")


main()
