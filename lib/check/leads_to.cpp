#include "check/leads_to.h"

#include <fmt/format.h>

namespace rproxy::check {

std::string leads_to(const proxy::Action& action) {
  if (const auto* redirect = std::get_if<proxy::RedirectAction>(&action))
    return fmt::format("{} {}", redirect->status, redirect->location);
  if (const auto* respond = std::get_if<proxy::RespondAction>(&action)) return std::to_string(respond->status);
  if (const auto* files = std::get_if<files::Options>(&action)) return "files " + files->root;
  const auto& forward = std::get<proxy::ForwardAction>(action);
  if (!forward.split) return forward.upstream;
  std::string text;
  for (const auto& part : forward.split->parts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", part.upstream, part.weight);
  return text;
}

}  // namespace rproxy::check
