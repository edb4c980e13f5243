// A content that becomes a dictionary once it has passed whole.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "exchange/body.h"
#include "filter/dictionaries.h"

namespace rproxy::filter {

// Has claimed what it is to learn.
class LearningContent final : public exchange::Body {
 public:
  struct Lesson {
    std::shared_ptr<Dictionaries> dictionaries;
    std::string origin;
    std::string version;
    std::string match;
    std::size_t size_max = 0;  // what is larger teaches nothing
  };
  LearningContent(std::unique_ptr<exchange::Body> source, Lesson lesson)
      : source_(std::move(source)), lesson_(std::move(lesson)) {}
  ~LearningContent() override { lesson_.dictionaries->release(lesson_.origin, lesson_.version); }

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override { return source_->length(); }
  const http::Fields* trailers() const override { return source_->trailers(); }

 private:
  net::Task<Result<exchange::Slice>> wait(net::Task<Result<exchange::Slice>> next);
  void take(const Result<exchange::Slice>& slice);

  std::unique_ptr<exchange::Body> source_;
  Lesson lesson_;
  std::string bytes_;
  bool is_too_large_ = false;
};

}  // namespace rproxy::filter
