#include "telemetry/fixture.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

namespace cmlrec::telemetry::testing {
namespace {

struct outcome {
  int status;
  std::string output;
};

outcome shell(const std::string& command) {
  outcome out{-1, ""};
  std::FILE* const p = ::popen((command + " 2>&1").c_str(), "r");
  if (p == nullptr) return out;
  std::array<char, 4096> bytes{};
  while (const auto n = std::fread(bytes.data(), 1, bytes.size(), p))
    out.output.append(bytes.data(), n);
  out.status = ::pclose(p);
  return out;
}

TEST(MetricsPromtool, FindsNothingToComplainOf) {
  if (shell("command -v promtool").status != 0)
    GTEST_SKIP() << "promtool (package prometheus) is not installed";
  kept t;
  tell_everything(*t.sut);
  std::string path = ::testing::TempDir() + "cmlrec-metrics-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream(path) << t.sut->metrics_text();
  const auto said = shell("promtool check metrics < '" + path + "'");
  std::remove(path.c_str());
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.output, "");
}

}  // namespace
}  // namespace cmlrec::telemetry::testing
