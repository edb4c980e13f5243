// A part of a file as content: handed on as it is where the other side can send files, else copied in pieces; never waiting for a disk on
// this thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/disk_threads.h"
#include "exchange/body.h"
#include "files/resource.h"
#include "net/loop.h"

namespace rproxy::files {

class FileBody final : public exchange::Body {
 public:
  // `size` bytes of the variant, which is the resource's, from `first` on. `loop` and `threads` outlive it. What views the resource's texts
  // may live as long as the body.
  FileBody(ResourcePtr resource, const Variant& variant, net::Loop& loop, DiskThreads& threads, std::uint64_t first,
           std::uint64_t size)
      : resource_(std::move(resource)),
        file_(variant.file()),
        loop_(loop),
        threads_(threads),
        position_(first),
        left_(size),
        whole_(size) {}

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override { return {http::BodyLength::Kind::kFixed, whole_}; }
  void allow_files() override { allows_files_ = true; }

 private:
  net::Task<Result<exchange::Slice>> read_elsewhere(std::uint64_t position, std::size_t size, bool is_last);

  ResourcePtr resource_;
  OpenFilePtr file_;
  net::Loop& loop_;
  DiskThreads& threads_;
  std::uint64_t position_;
  std::uint64_t left_;
  std::uint64_t whole_;
  bool allows_files_ = false;
  std::unique_ptr<char[]> room_;  // for what is copied
  std::string bytes_;             // what a thread has read
};

}  // namespace rproxy::files
