"""Runs the cases of http2_cases against a server.

By hand: python3 -B http2_conformance.py [--tls] HOST:PORT. What needs http2_origin behind the server is left out without --origin."""

import argparse
import collections
import concurrent.futures
import dataclasses
import sys
import time

import http2_frames as h2
from http2_cases import all_cases
from http2_cases.case import Case, NotApplicable, Target
from http2_hpack import HpackError
from http2_peer import Peer

# How many cases each section of the public suite h2spec has.
SUITE = {
    "generic": {"1": 1, "2": 5, "3.1": 3, "3.2": 3, "3.3": 5, "3.4": 1, "3.5": 1, "3.7": 1, "3.8": 1, "3.9": 2, "3.10": 2, "4": 4, "5": 15},
    "http2": {"3.5": 2, "4.1": 3, "4.2": 3, "4.3": 3, "5.1": 13, "5.1.1": 2, "5.1.2": 1, "5.3.1": 2, "5.4.1": 2, "5.5": 2, "6.1": 3,
              "6.2": 4, "6.3": 2, "6.4": 3, "6.5": 3, "6.5.2": 5, "6.5.3": 2, "6.7": 4, "6.8": 1, "6.9": 3, "6.9.1": 3, "6.9.2": 3,
              "6.10": 6, "7": 2, "8.1": 1, "8.1.2": 1, "8.1.2.1": 4, "8.1.2.2": 2, "8.1.2.3": 7, "8.1.2.6": 2, "8.2": 1},
    "hpack": {"2.3.3": 2, "4.2": 1, "5.2": 3, "6.1": 1, "6.3": 1},
}


def suite_names():
    return {f"{part}/{section}/{number}" for part, sections in SUITE.items() for section, count in sections.items()
            for number in range(1, count + 1)}


@dataclasses.dataclass
class Outcome:
    case: Case
    fault: str  # "" where it holds
    sent: bytes
    seconds: float
    ended: bool = False  # the connection was: enough for h2spec, whatever the code

    @property
    def suits_suite(self):
        return not self.fault or self.ended and "another code" in self.fault

    def report(self):
        return (f"RFC {self.case.clause} ({self.case.level}): {self.case.name} [{self.case.suite or 'ours'}]\n"
                f"  sent      {h2.describe(self.sent)}\n  expected  {self.case.expect.text}\n  but       {self.fault}")


def run_case(case, address, tls, limit):
    start, sent, ended = time.monotonic(), b"", False
    try:
        with Peer(address, tls, case.settings, limit) as peer:
            try:
                fault = case.run(peer)
            except HpackError as error:
                fault = f"a header block that can't be decoded: {error}"
            except NotApplicable:
                fault = ""
            sent, ended = peer.sent, bool(peer.closed)
    except OSError as error:
        fault = f"no connection: {error!r}"
    return Outcome(case, fault, sent, time.monotonic() - start, ended)


def run_all(address, tls, limit=5.0, jobs=8, origin=True, authority="shop.com", path="/", only=""):
    cases = [case for case in all_cases(Target(tls, authority, path)) if (origin or not case.origin) and only in case.name]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda case: run_case(case, address, tls, limit), cases))


def print_table(outcomes, is_long):
    counts = collections.Counter((outcome.case.level, not outcome.fault) for outcome in outcomes)
    for outcome in outcomes:
        if outcome.fault:
            print(outcome.report())
        elif is_long:
            print(f"passed RFC {outcome.case.clause}: {outcome.case.name} ({outcome.seconds * 1000:.0f} ms)")
    suite = [outcome for outcome in outcomes if outcome.case.suite]
    print("\nlevel   passed  failed")
    for level in ("MUST", "SHOULD", "MAY"):
        print(f"{level:7} {counts[level, True]:6} {counts[level, False]:7}")
    print(f"h2spec's {sum(one.suits_suite for one in suite):5} {sum(not one.suits_suite for one in suite):7}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="HOST:PORT")
    parser.add_argument("--tls", action="store_true", help="by ALPN; else the preface comes at once")
    parser.add_argument("--origin", action="store_true", help="http2_origin.py is behind the server")
    parser.add_argument("--authority", default="shop.com")
    parser.add_argument("--path", default="/", help="one that gives 100 bytes or more")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds to wait for anything")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--long", action="store_true", help="those that passed too")
    chosen = parser.parse_args()
    host, _, port = chosen.address.rpartition(":")
    outcomes = run_all((host, int(port)), chosen.tls, chosen.limit, chosen.jobs, chosen.origin, chosen.authority, chosen.path, chosen.only)
    print_table(outcomes, chosen.long)
    sys.exit(any(outcome.fault and outcome.case.level == "MUST" for outcome in outcomes))


if __name__ == "__main__":
    main()
