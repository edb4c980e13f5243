"""Reads the tables of raw messages in tests/cases/strict; their language is described at the head of each table."""

import dataclasses
import pathlib
import re

DIRECTORY = pathlib.Path(__file__).parent.parent / "cases" / "strict"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
PIECE = re.compile(r"\\x(?P<hex>[0-9a-fA-F]{2})|\\(?P<escape>.)|\{(?P<text>[^{}]+?)(?:\*(?P<times>\d+))?\}|(?P<plain>[^\\{]+)", re.S)


@dataclasses.dataclass
class Forwarded:
    """A request that the origin must have received."""

    start: str
    fields: list = dataclasses.field(default_factory=list)  # (name, value or None for "not there")
    trailers: list = dataclasses.field(default_factory=list)
    body: bytes = b""


@dataclasses.dataclass
class Case:
    name: str
    line: int
    level: str = ""
    clause: str = ""
    send: bytes = b""
    ask: bytes = b""
    rest: bytes = b""
    later: bytes = b""
    alone: bool = False
    early: bool = False
    then: str = "hold"
    statuses: list = dataclasses.field(default_factory=list)  # one set per answer
    after: str = ""  # requests: "open", "close"; responses: "whole", "cut"
    origin: list | None = None  # requests: what it received
    connection: str = ""  # responses: "kept", "closed"
    body: bytes | None = None
    fields: list = dataclasses.field(default_factory=list)
    trailers: list = dataclasses.field(default_factory=list)
    interim: list = dataclasses.field(default_factory=list)


def decode(text, names):
    """Bytes of a text with escapes, {NAME} and {text*times}."""
    out, at = b"", 0
    for piece in PIECE.finditer(text):
        if piece.start() != at:
            break
        at = piece.end()
        if piece["hex"]:
            out += bytes.fromhex(piece["hex"])
        elif piece["escape"]:
            out += ESCAPES[piece["escape"]]
        elif piece["times"]:
            out += decode(piece["text"], names) * int(piece["times"])
        elif piece["text"]:
            out += names[piece["text"]]
        else:
            out += piece["plain"].encode("latin-1")
    if at != len(text):
        raise ValueError(f"can't read {text[at:]!r}")
    return out


def read_field(text):
    name, _, value = text.partition(":")
    return name, value.strip()


class Table:
    """The cases of one file, in order. Any mistake in it is an error with its line."""

    def __init__(self, name):
        self.path, self.names, self.cases = DIRECTORY / name, {}, []
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            word, _, rest = text.partition(" ")
            try:
                self.take(word, rest.strip(), number)
            except (AttributeError, KeyError, ValueError, IndexError) as error:
                raise ValueError(f"{self.path}:{number}: {error!r} in {text!r}") from error
        names = [case.name for case in self.cases]
        if doubles := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{self.path}: more than one case is called {doubles}")

    def take(self, word, rest, number):
        if word == "let":
            name, _, value = rest.partition(" = ")
            self.names[name] = decode(value, self.names)
        elif word == "case":
            self.cases.append(Case(rest, number))
        else:
            getattr(self, f"take_{word}")(self.cases[-1], rest)

    def take_rfc(self, case, rest):
        case.level, _, case.clause = rest.partition(" ")
        if case.level not in ("MUST", "SHOULD", "MAY") or not re.fullmatch(r"\d{4} [\d.]+", case.clause):
            raise ValueError("wanted: rfc MUST|SHOULD|MAY NUMBER SECTION")

    def take_send(self, case, rest):
        case.send += decode(rest, self.names)

    def take_ask(self, case, rest):
        case.ask += decode(rest, self.names)

    def take_rest(self, case, rest):
        case.rest += decode(rest, self.names)

    def take_later(self, case, rest):
        case.later += decode(rest, self.names)

    def take_alone(self, case, _):
        case.alone = True

    def take_early(self, case, _):
        case.early = True

    def take_then(self, case, rest):
        if rest not in ("hold", "close", "reset"):
            raise ValueError("wanted: then hold|close|reset")
        case.then = rest

    def take_client(self, case, rest):
        *statuses, case.after = rest.split()
        if case.after not in ("open", "close", "whole", "cut"):
            raise ValueError("wanted: client STATUS... open|close, or whole|cut")
        case.statuses = [{int(one) for one in alternatives.split("|")} for alternatives in statuses if alternatives != "none"]

    def take_origin(self, case, rest):
        case.origin = case.origin or []
        if rest != "nothing":
            case.origin.append(Forwarded(decode(rest, self.names).decode("latin-1")))

    def take_connection(self, case, rest):
        if rest not in ("kept", "closed"):
            raise ValueError("wanted: connection kept|closed")
        case.connection = rest

    def take_interim(self, case, rest):
        """STATUS, then "NAME: VALUE" parted by semicolons, then perhaps *TIMES."""
        text, star, times = rest.partition(" *")
        status, _, lines = text.partition(" ")
        fields = [read_field(decode(line.strip(), self.names).decode("latin-1")) for line in lines.split(";") if line]
        case.interim += [(int(status), fields)] * (int(times) if star else 1)

    def take_body(self, case, rest):
        body = decode(rest, self.names)
        if case.origin:
            case.origin[-1].body += body
        else:
            case.body = (case.body or b"") + body

    def take_field(self, case, rest):
        (case.origin[-1] if case.origin else case).fields.append(read_field(decode(rest, self.names).decode("latin-1")))

    def take_answer(self, case, rest):
        case.fields.append(read_field(decode(rest, self.names).decode("latin-1")))

    def take_no_answer(self, case, rest):
        case.fields.append((rest, None))

    def take_without(self, case, rest):
        (case.origin[-1] if case.origin else case).fields.append((rest, None))

    def take_trailer(self, case, rest):
        text, star, times = rest.partition(" *")
        (case.origin[-1] if case.origin else case).trailers += [read_field(text)] * (int(times) if star else 1)
