// The response's head as the client shall see it: nothing in it tells what is behind this door.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.h"
#include "upstream/upstream.h"

namespace rproxy::proxy {

class BackendHider {
 public:
  // `names`: every spelling of the backends' authorities as configured ("backend.internal"); those of its endpoints just now are asked of
  // `upstream`. `prefix` is what the route strips from paths and what a link to the backend must get back.
  BackendHider(std::vector<std::string> names, std::shared_ptr<const upstream::Upstream> upstream, std::string prefix);

  // Strips what identifies a backend's software; rewrites Location, Content-Location and Refresh that name a backend to the client's view
  // of it, and takes the Domain of such a backend out of cookies.
  void apply(http::ResponseHead& head, const exchange::Request& request) const;
  // Of the fields that are stripped.
  static std::vector<std::string> field_names();

 private:
  bool names_backend(std::string_view authority) const;
  // The client's spelling of a URL that names a backend; empty where it does not.
  std::string_view rewrite_url(std::string_view url, const exchange::Request& request) const;
  std::string_view rewrite_refresh(std::string_view value, const exchange::Request& request) const;
  std::string_view rewrite_cookie(std::string_view value, Arena& arena) const;

  std::vector<std::string> names_;
  std::shared_ptr<const upstream::Upstream> upstream_;
  std::string prefix_;
};

}  // namespace rproxy::proxy
