#include "core/shared_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SharedList, ACopySharesItsElements) {
  const shared_list<int> a(std::vector<int>{1, 2});
  const auto b = a;
  EXPECT_EQ(&a[0], &b[0]);
}

TEST(SharedList, AChangeOfOneCopyLeavesTheOtherAsItWas) {
  shared_list<int> a(std::vector<int>{1, 2});
  const auto b = a;
  a.own()[0] = 7;
  a.own().push_back(3);
  EXPECT_THAT(a, ElementsAre(7, 2, 3));
  EXPECT_THAT(b, ElementsAre(1, 2));
}

TEST(SharedList, AnEmptyOneHasNoElementsAndCanGetSome) {
  shared_list<int> a;
  EXPECT_TRUE(a.empty());
  EXPECT_THAT(a, IsEmpty());
  a.own().push_back(1);
  EXPECT_THAT(a, ElementsAre(1));
}

TEST(SharedList, OnlyWhatNobodyElseSharesIsReleased) {
  shared_list<int> a(std::vector<int>{1});
  auto b = a;
  EXPECT_THAT(a.release(), IsEmpty());
  EXPECT_TRUE(a.empty());
  EXPECT_THAT(b.release(), ElementsAre(1));
  EXPECT_TRUE(b.empty());
}

}  // namespace
}  // namespace cmlrec::core
