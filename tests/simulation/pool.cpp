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
  std::size_t size_class;
  head* next;
};

std::array<head*, most / step + 1> free_blocks{};
constexpr std::size_t of_malloc = free_blocks.size();  // in place of a size class
std::byte* fresh = nullptr;
std::byte* fresh_end = nullptr;

head* from_malloc(std::size_t size) {
  auto* block = static_cast<head*>(std::malloc(size));
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

[[gnu::noinline]] head* take_anew(std::size_t size, std::size_t size_class) {
  if (size_class >= free_blocks.size()) {
    auto* block = from_malloc(sizeof(head) + size);
    block->size_class = of_malloc;
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

[[gnu::noinline]] void give_to_malloc(head* block) noexcept { std::free(block); }

}  // namespace

// What nearly every call does stands here, the rest is kept out of its way.
void* operator new(std::size_t size) {
  const auto size_class = (size + step - 1) / step;
  if (size_class < free_blocks.size()) [[likely]]
    if (auto* block = free_blocks[size_class]) [[likely]] {
      free_blocks[size_class] = block->next;
      return block + 1;
    }
  return take_anew(size, size_class) + 1;
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* block = static_cast<head*>(memory) - 1;
  if (block->size_class == of_malloc) [[unlikely]] {
    give_to_malloc(block);
    return;
  }
  block->next = free_blocks[block->size_class];
  free_blocks[block->size_class] = block;
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
