// operator new and delete of the simulating programs: a third of their time went into malloc. For one
// thread. What is small and freed is kept for the next of its size; nothing goes back to the system.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t step = 32;
constexpr std::size_t most = 2048;        // larger blocks are malloc's
constexpr std::size_t chunk = 256 * 1024;  // taken from it at a time

// Before each block, and while it is free: what is free after it.
struct alignas(std::max_align_t) head {
  std::size_t size_class;  // 0: malloc's
  head* next;
};

std::array<head*, most / step + 1> free_blocks{};
std::byte* fresh = nullptr;
std::byte* fresh_end = nullptr;

head* from_malloc(std::size_t size) {
  auto* block = static_cast<head*>(std::malloc(size));
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

head* take(std::size_t size) {
  const auto size_class = (size + step - 1) / step;
  if (size_class >= free_blocks.size()) {
    auto* block = from_malloc(sizeof(head) + size);
    block->size_class = 0;
    return block;
  }
  if (auto* block = free_blocks[size_class]) {
    free_blocks[size_class] = block->next;
    return block;
  }
  const auto whole = sizeof(head) + size_class * step;
  if (static_cast<std::size_t>(fresh_end - fresh) < whole) {
    fresh = reinterpret_cast<std::byte*>(from_malloc(chunk));
    fresh_end = fresh + chunk;
  }
  auto* block = reinterpret_cast<head*>(fresh);
  fresh += whole;
  block->size_class = size_class;
  return block;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* block = static_cast<head*>(memory) - 1;
  if (block->size_class == 0) {
    std::free(block);
    return;
  }
  block->next = free_blocks[block->size_class];
  free_blocks[block->size_class] = block;
}

}  // namespace

void* operator new(std::size_t size) { return take(size == 0 ? 1 : size) + 1; }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
