// Fields that end at this hop (RFC 9110 7.6.1).
#pragma once

#include "http/fields.h"

namespace rproxy::http {

// Removes Connection and what it names, Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization,
// Proxy-Authentication-Info, TE, Transfer-Encoding, HTTP2-Settings, and Upgrade unless it is kept. A Connection that names a field which
// is not its sender's to withhold (Host, Content-Length, Authorization, Cookie, forwarding fields...) does not remove that. Of the names
// the first 128 count.
void remove_hop_by_hop(Fields& fields, bool keep_upgrade);

}  // namespace rproxy::http
