// Which form of a page the client would rather read (RFC 9110 12.5.1).
#pragma once

#include <cstdint>

#include "http/fields.h"

namespace rproxy::http {

enum class PageType : std::uint8_t { kHtml, kJson, kPlain };

// The type Accept gives the highest quality; of equals the one named rather than covered by a wildcard, then the one named first. Plain
// text where Accept is missing or names none of them: an error page is sent all the same (RFC 9110 15.5.7).
PageType preferred_page(const Fields& fields);

}  // namespace rproxy::http
