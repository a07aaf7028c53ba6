// Every input that is kept in the repository, once more, without a fuzzer: what was found once
// stays found.
#include "fuzz/targets.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cmlrec::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs_of(std::string_view name) {
  std::vector<fs::path> out;
  for (const auto& file :
       fs::directory_iterator(fs::path(CMLREC_SOURCE_DIR) / "tests/fuzz/corpus" / name))
    out.push_back(file.path());
  std::sort(out.begin(), out.end());
  return out;
}

class FuzzCorpus : public testing::TestWithParam<target> {};
INSTANTIATE_TEST_SUITE_P(Fuzz, FuzzCorpus, testing::ValuesIn(targets),
                         [](const auto& of) { return std::string(of.param.name); });

TEST_P(FuzzCorpus, BreaksNoPromise) {
  const auto inputs = inputs_of(GetParam().name);
  EXPECT_GE(inputs.size(), 10U);
  for (const auto& path : inputs) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    try {
      GetParam().run(bytes);
    } catch (const std::exception& e) {
      ADD_FAILURE() << path.string() << ": " << e.what();
    }
  }
}

TEST_P(FuzzCorpus, TakesAnEmptyInput) { EXPECT_NO_THROW(GetParam().run({})); }

}  // namespace
}  // namespace cmlrec::fuzz
