// Fields that end at this hop (RFC 9110 7.6.1).
#pragma once

#include "http/fields.h"

namespace rproxy::http {

// Removes Connection and what it names, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization,
// Proxy-Authentication-Info, TE, Transfer-Encoding, HTTP2-Settings, and Upgrade unless it is kept. Of the names the first 128 count.
void remove_hop_by_hop(Fields& fields, bool keep_upgrade);

// Whether Connection names a field meant for all recipients (Host, Content-Length, Authorization, Cookie, forwarding fields...), which
// no sender may do. Naming them is how requests are stripped of what a backend decides by.
bool nominates_end_to_end_field(const Fields& fields);

// Whether Connection names any field that is not one of the hops' own: then trailers, too, might be named.
bool nominates_fields(const Fields& fields);

}  // namespace rproxy::http
