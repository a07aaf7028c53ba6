// Compiled once for each target, which CMLREC_FUZZ_TARGET names.
#include "fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    cmlrec::fuzz::CMLREC_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "broken promise: %s\n", e.what());
    std::abort();
  }
  return 0;
}
