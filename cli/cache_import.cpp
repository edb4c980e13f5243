// import: a stream of answers into a directory that no process has.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "cache/export_stream.h"
#include "cli/cache_directory.h"
#include "cli/cache_table.h"
#include "cli/command.h"
#include "cli/output.h"
#include "storage/disk_store.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kPiece = 256 * 1024;
// What waits for the disk, of all answers; and how many answers.
constexpr std::uint64_t kWaitingMax = 8 << 20;
constexpr std::size_t kUnderWayMax = 64;

// Waits where a store would give up, so that all of a stream gets there.
class Importer {
 public:
  explicit Importer(storage::DiskStore& store) : store_(store) {}
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  void begin(cache::Meta meta) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ < kUnderWayMax; });
    current_ = std::make_shared<Answer>();
    lock.unlock();
    writing_ = store_.begin(std::move(meta), [this, answer = current_](std::uint64_t written, const auto& draft) {
      draft != nullptr ? has_written(*answer, written) : give_up(*answer);
    });
    if (writing_ == nullptr) give_up(*current_);
  }

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kPiece);
      bytes.remove_prefix(piece.size());
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_ + piece.size() <= kWaitingMax || current_->is_given_up; });
        if (current_->is_given_up) return;
        current_->appended += piece.size();
        waiting_ += piece.size();
      }
      if (!writing_->append(std::string(piece))) return give_up(*current_);
    }
  }

  void commit() {
    const auto answer = std::exchange(current_, nullptr);
    const auto writing = std::exchange(writing_, nullptr);
    {
      const std::lock_guard lock(mutex_);
      if (answer->is_given_up) {
        ++refused_;
        return;
      }
      ++under_way_;
    }
    writing->commit([this, answer](bool is_stored) {
      const std::lock_guard lock(mutex_);
      --under_way_;
      if (is_stored) {
        ++stored_;
        bytes_ += answer->appended;
      } else {
        ++refused_;
      }
      changed_.notify_all();
    });
  }

  // What is not whole has never been.
  void finish() {
    writing_ = nullptr;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ == 0; });
  }

  std::uint64_t stored() const { return stored_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Answer {
    std::uint64_t appended = 0;
    std::uint64_t written = 0;
    bool is_given_up = false;
  };

  void has_written(Answer& answer, std::uint64_t written) {
    const std::lock_guard lock(mutex_);
    if (answer.is_given_up) return;
    waiting_ -= written - answer.written;
    answer.written = written;
    changed_.notify_all();
  }
  void give_up(Answer& answer) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(answer.is_given_up, true)) return;
    waiting_ -= answer.appended - answer.written;
    changed_.notify_all();
  }

  storage::DiskStore& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t under_way_ = 0;
  std::uint64_t waiting_ = 0;  // bytes
  std::uint64_t stored_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t bytes_ = 0;
  std::shared_ptr<Answer> current_;
  std::shared_ptr<storage::DiskWriting> writing_;
};

class Input {
 public:
  explicit Input(const std::string& path) : file_(path.empty() ? stdin : std::fopen(path.c_str(), "re")) {
    if (file_ == nullptr) throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (file_ != stdin) (void)std::fclose(file_);
  }
  // Nothing: that was all.
  std::string read() {
    std::string bytes(kPiece, '\0');
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file_));
    if (bytes.empty() && std::ferror(file_) != 0) throw std::runtime_error(std::strerror(errno));
    return bytes;
  }

 private:
  std::FILE* file_;
};

// Empty, or what is wrong with the stream.
std::string take_all(Input& input, Importer& importer) {
  using Kind = cache::ExportReader::Event::Kind;
  cache::ExportReader reader;
  for (;;) {
    auto event = reader.next();
    if (!event) return event.error().context;
    if (event->kind == Kind::kRecord) importer.begin(std::move(*event->meta));
    if (event->kind == Kind::kContent) importer.append(event->bytes);
    if (event->kind == Kind::kStored) importer.commit();
    if (event->kind != Kind::kMore && event->kind != Kind::kEnd) continue;
    const std::string bytes = input.read();
    if (bytes.empty()) break;
    reader.feed(bytes);
  }
  const auto finished = reader.finish();
  return finished ? std::string() : finished.error().context;
}

storage::DiskOptions without_limits(const std::string& path) {
  constexpr std::uint64_t kMuch = std::uint64_t{1} << 55;
  storage::DiskOptions options;
  options.path = path;
  options.bytes_max = ByteSize{kMuch};
  options.object_max = ByteSize{kMuch};
  options.files_max = std::numeric_limits<std::uint64_t>::max();
  return options;
}

}  // namespace

int import_directory(const CacheQuestion& question) {
  const std::string path = question.target == "-" ? std::string() : question.target;
  if (path.empty() && ::isatty(STDIN_FILENO) == 1) {
    return refuse_cache_inspect("import takes a FILE, or standard input");
  }
  Input input(path);
  auto store = storage::DiskStore::open(without_limits(question.directory));
  if (!store) return fail_cache_inspect(describe_directory_error(store.error(), question.directory));
  Importer importer(**store);
  std::string wrong;
  try {
    wrong = take_all(input, importer);
  } catch (const std::runtime_error& error) {
    wrong = error.what();
  }
  importer.finish();
  store->reset();
  if (question.is_json) {
    write_output(
        json_line({{"stored", importer.stored()}, {"refused", importer.refused()}, {"bytes", importer.bytes()}}, 2));
  } else {
    write_output(fmt::format("{} answers stored, {}\n", importer.stored(),
                             bytes_text(static_cast<std::int64_t>(importer.bytes()))));
  }
  if (!wrong.empty()) {
    return fail_cache_inspect(
        fmt::format("{}: {}; what came before is stored", path.empty() ? "standard input" : path, wrong));
  }
  if (importer.refused() == 0) return kOk;
  return fail_cache_inspect(fmt::format("{} answers could not be stored", importer.refused()));
}

}  // namespace rproxy::cli
