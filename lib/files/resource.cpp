#include "files/resource.h"

#include <fmt/format.h>

#include <utility>

#include "files/media_type.h"
#include "http/date.h"

namespace rproxy::files {

using http::FieldId;

std::string entity_tag(const FileState& state, std::optional<http::Coding> coding) {
  // No inode: of the same files on two servers both should say the same.
  std::string tag = fmt::format("\"{:x}-{:x}", static_cast<std::uint64_t>(state.modified_ns), state.size);
  if (coding) tag.append("-").append(to_string(*coding));
  return tag + '"';
}

Variant::Variant(OpenFilePtr file, std::optional<http::Coding> coding, const std::string& name, const Options& options,
                 bool is_one_of_many, std::int64_t now)
    : file_(std::move(file)), coding_(coding) {
  fields_.add(FieldId::kContentType, media_type_of(name, options.types));
  add_validators(now);
  fields_.add(FieldId::kAcceptRanges, "bytes");
  if (coding_) fields_.add(FieldId::kContentEncoding, to_string(*coding_));
  if (is_one_of_many) fields_.add(FieldId::kVary, "Accept-Encoding");
  if (!options.cache_control.empty()) fields_.add(FieldId::kCacheControl, options.cache_control);
}

void Variant::add_validators(std::int64_t now) {
  const FileState& state = file_->state();
  const std::int64_t modified = state.modified();
  // Builds that are to be the same each time give all files the first seconds there are: that tells nothing.
  if (modified <= 1) return;
  // RFC 9110 8.8.2.1: not later than the answer.
  if (modified <= now) {
    last_modified_.resize(http::kDateSize);
    http::write_date(last_modified_.data(), modified);
    fields_.add(FieldId::kLastModified, last_modified_);
    validators_.last_modified = modified;
  }
  etag_ = entity_tag(state, coding_);
  fields_.add(FieldId::kEtag, etag_);
  validators_.etag = etag_;
}

ResourcePtr make_resource(Look found, const std::string& name, const Options& options, std::int64_t now) {
  auto resource = std::make_shared<Resource>();
  const bool has_many = !found.coded.empty();
  resource->plain = std::make_unique<const Variant>(std::move(found.file), std::nullopt, name, options, has_many, now);
  for (auto& each : found.coded) {
    resource->coded.push_back(
        std::make_unique<const Variant>(std::move(each.file), each.coding, name, options, true, now));
  }
  return resource;
}

const Variant& choose_variant(const Resource& resource, const http::Fields& request) {
  if (resource.coded.empty()) return *resource.plain;
  std::vector<http::Coding> offer;
  for (const auto& each : resource.coded) offer.push_back(*each->coding());
  const auto choice = choose_coding(http::AcceptedCodings::of(request), offer);
  for (const auto& each : resource.coded) {
    if (choice.coding && *each->coding() == *choice.coding) return *each;
  }
  return *resource.plain;
}

}  // namespace rproxy::files
