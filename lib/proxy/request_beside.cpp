#include "proxy/request_beside.h"

#include <utility>

namespace rproxy::proxy {
namespace {

class WholeContent final : public exchange::Body {
 public:
  explicit WholeContent(const exchange::ReplayBody& content) : content_(content) {}

  net::ValueTask<Result<exchange::Slice>> read() override {
    return Result<exchange::Slice>(exchange::Slice{content_.text(), true});
  }
  http::BodyLength length() const override { return content_.length(); }
  const http::Fields* trailers() const override { return content_.trailers(); }

 private:
  const exchange::ReplayBody& content_;
};

class AnswerBeside final : public exchange::Body {
 public:
  AnswerBeside(std::unique_ptr<RequestBeside> request, std::unique_ptr<exchange::Body> answer)
      : request_(std::move(request)), answer_(std::move(answer)) {}

  net::ValueTask<Result<exchange::Slice>> read() override { return answer_->read(); }
  http::BodyLength length() const override { return answer_->length(); }
  const http::Fields* trailers() const override { return answer_->trailers(); }

 private:
  std::unique_ptr<RequestBeside> request_;
  std::unique_ptr<exchange::Body> answer_;
};

}  // namespace

RequestBeside::RequestBeside(const exchange::Request& first, const exchange::ReplayBody* content)
    : content_(content != nullptr ? std::make_unique<WholeContent>(*content) : nullptr) {
  request_.head = first.head;
  request_.head.expect_continue = false;
  request_.body = content_.get();
  request_.client = first.client;
  request_.arena = first.arena;
  request_.loop = first.loop;
  request_.trace = first.trace;
  request_.client_path = first.client_path;
  request_.client_authority = first.client_authority;
  request_.client_ip = first.client_ip;
  request_.from_trusted_proxy = first.from_trusted_proxy;
}

std::unique_ptr<exchange::Body> with_request(std::unique_ptr<RequestBeside> beside,
                                             std::unique_ptr<exchange::Body> answer) {
  return std::make_unique<AnswerBeside>(std::move(beside), std::move(answer));
}

}  // namespace rproxy::proxy
