// What a rule asks, in words.
#pragma once

#include <string>
#include <vector>

#include "check/explanation.h"
#include "route/rule.h"

namespace rproxy::check {

// Each by itself: {"host", "shop.com"}, {"path", "/images/*"}, {"header X-Beta", "present"}; none for what may be any.
std::vector<Explanation::Named> conditions_of(const route::Match& match);
// "= staging"; not what may be a secret, going by its name.
std::string text_of(const route::ValueMatch& value);
std::string text_of(const route::PathMatch& path);
bool may_be_secret(std::string_view name);
// All in one line: "shop.com/images/*, GET, header X-Beta"; "*" for any.
std::string text_of(const route::Match& match);

}  // namespace rproxy::check
