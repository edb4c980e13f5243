// What this room's functions say when something won't do. Of lib/x509 alone.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "x509/handles.h"

namespace rproxy::x509 {

// kConfig: what is given is at fault. What OpenSSL has to say is forgotten.
tl::unexpected<Error> refuse(std::string context);
// kInternal: OpenSSL fails where it has no reason to, and says why.
tl::unexpected<Error> broken(const char* what);

// A BIO that reads `text`, which outlives it.
BioPtr bio_of(std::string_view text);
std::string_view view_of(const ASN1_STRING* text);

}  // namespace rproxy::x509
