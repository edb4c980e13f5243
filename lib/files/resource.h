// A file as it is answered with: its content, and its compressed forms, each with its own fields.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "files/look.h"
#include "files/options.h"
#include "http/conditional.h"
#include "http/fields.h"

namespace rproxy::files {

// One form of it. Stays where it is: the fields view its texts.
class Variant {
 public:
  // `now` in seconds. `options` outlive it. `is_one_of_many`: the answer depends on Accept-Encoding.
  Variant(OpenFilePtr file, std::optional<http::Coding> coding, const std::string& name, const Options& options,
          bool is_one_of_many, std::int64_t now);
  Variant(const Variant&) = delete;
  Variant& operator=(const Variant&) = delete;

  const OpenFilePtr& file() const { return file_; }
  std::uint64_t size() const { return file_->state().size; }
  const http::Fields& fields() const { return fields_; }
  const http::Validators& validators() const { return validators_; }
  const std::optional<http::Coding>& coding() const { return coding_; }

 private:
  void add_validators(std::int64_t now);

  OpenFilePtr file_;
  std::optional<http::Coding> coding_;
  std::string etag_;
  std::string last_modified_;
  http::Validators validators_;
  http::Fields fields_;
};

struct Resource {
  std::unique_ptr<const Variant> plain;
  std::vector<std::unique_ptr<const Variant>> coded;

  std::size_t descriptors() const { return 1 + coded.size(); }
};
using ResourcePtr = std::shared_ptr<const Resource>;

ResourcePtr make_resource(Look found, const std::string& name, const Options& options, std::int64_t now);

// The form that Accept-Encoding asks for.
const Variant& choose_variant(const Resource& resource, const http::Fields& request);

// A strong tag of what a file was like: "18d0c7e1a2b3c4d5-1f4" with the quotes, and the coding where there is one.
std::string entity_tag(const FileState& state, std::optional<http::Coding> coding);

}  // namespace rproxy::files
