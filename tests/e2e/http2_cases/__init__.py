"""Cases of conformance to RFC 9113, RFC 7541, RFC 8441 and RFC 9218, by section."""

from . import connection, control, errors, flow, headers_frame, hpack_blocks, messages, preface, semantics, states

SECTIONS = (preface, connection, states, headers_frame, control, errors, flow, semantics, messages, hpack_blocks)


def all_cases(target):
    return [case for section in SECTIONS for case in section.cases(target)]
