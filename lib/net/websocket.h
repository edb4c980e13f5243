// What an HTTP/1.1 backend wants of a WebSocket's opening handshake and HTTP/2 has not (RFC 6455 4, RFC 8441 5).
#pragma once

#include <string_view>

#include "base/arena.h"

namespace rproxy::net {

// A new Sec-WebSocket-Key, in the arena.
std::string_view make_websocket_key(Arena& arena);

// The Sec-WebSocket-Accept that proves the key was understood, in the arena.
std::string_view websocket_accept(std::string_view key, Arena& arena);

}  // namespace rproxy::net
