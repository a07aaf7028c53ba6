#include "telemetry/stderr_lines.hpp"

#include <chrono>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace cmlrec::telemetry {
namespace {

struct pipe_ends {
  pipe_ends() { EXPECT_EQ(::pipe(fd), 0); }
  ~pipe_ends() {
    close_reader();
    ::close(fd[1]);
  }
  void close_reader() {
    if (fd[0] >= 0) ::close(fd[0]);
    fd[0] = -1;
  }
  std::string take_all() const {
    ::fcntl(fd[0], F_SETFL, O_NONBLOCK);
    std::string out;
    char bytes[65536];
    for (;;) {
      const auto n = ::read(fd[0], bytes, sizeof bytes);
      if (n <= 0) return out;
      out.append(bytes, static_cast<std::size_t>(n));
    }
  }
  int fd[2] = {-1, -1};
};

TEST(LogDescriptor, LinesArriveWithALineBreak) {
  pipe_ends p;
  descriptor_lines lines(p.fd[1], std::chrono::milliseconds{5});
  EXPECT_TRUE(lines.write("one"));
  EXPECT_TRUE(lines.write("two"));
  EXPECT_EQ(p.take_all(), "one\ntwo\n");
}

TEST(LogDescriptor, ASocketTakesLinesToo) {
  int fd[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
  descriptor_lines lines(fd[0], std::chrono::milliseconds{5});
  EXPECT_TRUE(lines.write("one"));
  char bytes[16];
  EXPECT_EQ(::read(fd[1], bytes, sizeof bytes), 4);
  ::close(fd[0]);
  ::close(fd[1]);
}

TEST(LogDescriptor, ALineOfManyPiecesArrivesWhole) {
  pipe_ends p;
  descriptor_lines lines(p.fd[1], std::chrono::milliseconds{5});
  const std::string line(20'000, 'x');
  EXPECT_TRUE(lines.write(line));
  EXPECT_EQ(p.take_all(), line + "\n");
}

TEST(LogDescriptor, AStuckReaderCostsLinesAndNotTime) {
  pipe_ends p;
  descriptor_lines lines(p.fd[1], std::chrono::milliseconds{5});
  const auto began = std::chrono::steady_clock::now();
  std::size_t dropped = 0;
  for (int i = 0; i < 2000; ++i)
    if (!lines.write(std::string(100, 'x'))) ++dropped;
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(lines.take_dropped(), dropped);
  // To wait for each of the more than a thousand would have taken over 5 s.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{3});
}

TEST(LogDescriptor, GoesOnWithAWholeLineOnceTheReaderDoes) {
  pipe_ends p;
  descriptor_lines lines(p.fd[1], std::chrono::milliseconds{5});
  while (lines.write(std::string(9000, 'x'))) {
  }
  const auto first = p.take_all();
  EXPECT_TRUE(lines.write("after"));
  const auto all = first + p.take_all();
  EXPECT_EQ(all.substr(all.size() - 7), "\nafter\n");
  EXPECT_EQ(lines.take_dropped(), 1U);
  EXPECT_EQ(lines.take_dropped(), 0U);
}

TEST(LogDescriptor, APipeWhoseReaderHasGoneDoesNotEndTheProcess) {
  pipe_ends p;
  descriptor_lines lines(p.fd[1], std::chrono::milliseconds{5});
  p.close_reader();
  EXPECT_FALSE(lines.write("to nobody"));
}

TEST(LogDescriptor, ASocketWhoseReaderHasGoneIsNoFault) {
  int fd[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
  ::close(fd[1]);
  descriptor_lines lines(fd[0], std::chrono::milliseconds{5});
  EXPECT_FALSE(lines.write("to nobody"));
  ::close(fd[0]);
}

}  // namespace
}  // namespace cmlrec::telemetry
