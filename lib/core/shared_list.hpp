// A list whose copies share their elements until one of them is changed: a report of ten thousand
// jobs is handed from part to part without being copied.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace cmlrec::core {

template <class T>
class shared_list {
 public:
  using value_type = T;
  using const_iterator = typename std::vector<T>::const_iterator;

  shared_list() = default;
  explicit shared_list(std::vector<T> elements)
      : all_(std::make_shared<std::vector<T>>(std::move(elements))) {}

  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  const_iterator begin() const { return all().begin(); }
  const_iterator end() const { return all().end(); }
  const T& operator[](std::size_t i) const { return all()[i]; }
  const T& at(std::size_t i) const { return all().at(i); }
  const T& front() const { return all().front(); }
  const T& back() const { return all().back(); }

  // The elements for changing them; where they are shared, a copy of them is made first. Valid until
  // this list is copied: what is changed by it after that changes both.
  std::vector<T>& own() {
    if (!all_)
      all_ = std::make_shared<std::vector<T>>();
    else if (all_.use_count() > 1)
      all_ = std::make_shared<std::vector<T>>(*all_);
    return *all_;
  }

  // Leaves this list empty. What nobody else shares is given out; otherwise nothing is.
  std::vector<T> release() {
    const auto last = std::exchange(all_, nullptr);
    return last && last.use_count() == 1 ? std::move(*last) : std::vector<T>();
  }

 private:
  const std::vector<T>& all() const {
    static const std::vector<T> none;
    return all_ ? *all_ : none;
  }

  std::shared_ptr<std::vector<T>> all_;
};

}  // namespace cmlrec::core
