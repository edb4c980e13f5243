#include "base/sendable_block.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace rproxy {
namespace {

std::string in_file(const SendableBlock& block, std::size_t size) {
  std::string bytes(size, '\0');
  const ssize_t count = ::pread(block.descriptor(), bytes.data(), size, block.offset());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return bytes;
}

// Of the file the block is in.
std::size_t memory_taken(const SendableBlock& block) {
  struct stat status {};
  EXPECT_EQ(::fstat(block.descriptor(), &status), 0);
  return static_cast<std::size_t>(status.st_blocks) * 512;
}

struct Connection {
  Fd from;
  Fd to;
};

Connection connect_over_tcp() {
  const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  Fd from(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(::connect(from.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  return {std::move(from), Fd(::accept(listener.get(), nullptr, nullptr))};
}

std::string receive(const Fd& socket, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::recv(socket.get(), bytes.data() + filled, size - filled, 0);
    if (count <= 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

TEST(SendableBlock, HoldsTheSameInMemoryAndAsAFile) {
  auto block = SendableBlock::take();
  ASSERT_TRUE(block);
  ASSERT_TRUE(block->write(0, "one "));
  ASSERT_TRUE(block->write(4, "two"));
  EXPECT_EQ(std::string_view(block->data(), 7), "one two");
  EXPECT_EQ(in_file(*block, 7), "one two");
}

TEST(SendableBlock, BlocksDoNotOverlap) {
  auto first = SendableBlock::take();
  auto second = SendableBlock::take();
  ASSERT_TRUE(first && second);
  const std::string a(SendableBlock::kSize, 'a');
  const std::string b(SendableBlock::kSize, 'b');
  ASSERT_TRUE(first->write(0, a));
  ASSERT_TRUE(second->write(0, b));
  EXPECT_EQ(std::string_view(first->data(), a.size()), a);
  EXPECT_EQ(std::string_view(second->data(), b.size()), b);
}

TEST(SendableBlock, TakesMemoryAsItIsWrittenAndGivesItBackWhenItGoes) {
  auto block = SendableBlock::take();
  auto other = SendableBlock::take();
  ASSERT_TRUE(block && other);
  const std::size_t before = memory_taken(*other);
  ASSERT_TRUE(block->write(0, std::string(300'000, 'x')));
  EXPECT_GE(memory_taken(*other), before + 300'000);
  EXPECT_LT(memory_taken(*other), before + 400'000);
  block.reset();
  EXPECT_EQ(memory_taken(*other), before);
}

TEST(SendableBlock, ComesEmptyWhereAnotherWas) {
  auto block = SendableBlock::take();
  ASSERT_TRUE(block && block->write(0, "of before"));
  const char* const place = block->data();
  block.reset();
  block = SendableBlock::take();
  ASSERT_TRUE(block);
  ASSERT_EQ(block->data(), place);
  EXPECT_EQ(std::string_view(block->data(), 9), std::string(9, '\0'));
}

TEST(SendableBlock, WhatIsOnItsWayArrivesAsItWas) {
  const auto [from, to] = connect_over_tcp();
  auto block = SendableBlock::take();
  constexpr std::size_t kSize = 64 * 1024;  // fits what the sockets hold: nobody reads yet
  ASSERT_TRUE(block && block->write(0, std::string(kSize, 'a')));
  const char* const place = block->data();
  off_t offset = block->offset();
  ASSERT_EQ(::sendfile(from.get(), block->descriptor(), &offset, kSize), static_cast<ssize_t>(kSize));

  block.reset();
  block = SendableBlock::take();
  ASSERT_TRUE(block && block->write(0, std::string(kSize, 'b')));
  ASSERT_EQ(block->data(), place);
  EXPECT_EQ(receive(to, kSize), std::string(kSize, 'a'));
}

TEST(SendableBlock, SaysThatThereIsNoMemory) {
  auto block = SendableBlock::take();
  ASSERT_TRUE(block);
  // The system's refusal that can be had at will.
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{static_cast<rlim_t>(block->offset()) + 10, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const bool all = block->write(0, std::string(20, 'x'));
  const bool some = block->write(0, "0123456789");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(all);
  EXPECT_TRUE(some);
}

TEST(SendableBlock, IsTakenAndLetGoByManyThreads) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([id, &wrong] {
      std::vector<SendableBlock> held;
      const std::string mine(5000, static_cast<char>('a' + id));
      for (int round = 0; round < 200; ++round) {
        auto block = SendableBlock::take();
        if (!block || !block->write(1000, mine)) ++wrong[static_cast<std::size_t>(id)];
        if (block) held.push_back(std::move(*block));
        if (round % 3 == 0) held.erase(held.begin());
      }
      for (const SendableBlock& block : held) {
        if (std::string_view(block.data() + 1000, mine.size()) != mine) ++wrong[static_cast<std::size_t>(id)];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace rproxy
