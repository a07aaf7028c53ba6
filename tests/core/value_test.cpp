#include "core/value.hpp"

#include "core/secret.hpp"

#include <gtest/gtest.h>

namespace cmlrec::core {
namespace {

TEST(CoreValue, DisplayShowsScalars) {
  EXPECT_EQ(display(true), "true");
  EXPECT_EQ(display(std::int64_t{-3}), "-3");
  EXPECT_EQ(display(4.0), "4");
  EXPECT_EQ(display(0.5), "0.5");
  EXPECT_EQ(display(text("a \"b\"\n\\")), "\"a \\\"b\\\"\\n\\\\\"");
}

TEST(CoreValue, DisplayShowsListsAndMapsInFull) {
  EXPECT_EQ(display(text_list{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(display(text_map{{"B", "2"}, {"A", "1"}}), "{\"A\": \"1\", \"B\": \"2\"}");
  EXPECT_EQ(display(text_list{}), "[]");
  EXPECT_EQ(display(text_map{}), "{}");
}

TEST(CoreValue, DisplayMasksSecretsWhereverTheyStand) {
  const text hidden("hunter2", true);
  recipient r;
  r.email = hidden;
  for (const field_value& v :
       {field_value(hidden), field_value(text_list{"a", hidden}),
        field_value(text_map{{"KEY", hidden}}), field_value(recipient_list{r})}) {
    EXPECT_EQ(display(v).find("hunter2"), std::string::npos);
    EXPECT_NE(display(v).find(secret_mask), std::string::npos);
    EXPECT_TRUE(has_secret(v));
  }
}

TEST(CoreValue, MaskTellsNothingOfTheLength) {
  EXPECT_EQ(display(text("a", true)), display(text("much longer", true)));
}

TEST(CoreValue, CanonicalDoesNotMask) {
  EXPECT_EQ(canonical(text("hunter2", true)), "\"hunter2\"");
}

TEST(CoreValue, CanonicalTellsValuesApart) {
  EXPECT_NE(canonical(text_list{"a, b"}), canonical(text_list{"a", "b"}));
  EXPECT_NE(canonical(text_list{"a\", \"b"}), canonical(text_list{"a", "b"}));
  EXPECT_NE(canonical(text("1")), canonical(std::int64_t{1}));
  EXPECT_NE(canonical(text("true")), canonical(true));
}

TEST(CoreValue, EqualityLooksAtTheTextAlone) {
  EXPECT_EQ(text("x", true), text("x"));
  EXPECT_EQ(field_value(text_map{{"A", text("x", true)}}), field_value(text_map{{"A", "x"}}));
  EXPECT_NE(text("x"), text("y"));
}

TEST(CoreValue, WithoutSecretsNothingIsOne) {
  EXPECT_FALSE(has_secret(text("x")));
  EXPECT_FALSE(has_secret(text_list{"x"}));
  EXPECT_FALSE(has_secret(text_map{{"A", "x"}}));
  EXPECT_FALSE(has_secret(true));
}

TEST(CoreSecret, IsRevealedOnlyOnRequest) {
  const secret s("hunter2");
  EXPECT_EQ(s.reveal(), "hunter2");
  EXPECT_FALSE(s.empty());
  EXPECT_TRUE(secret().empty());
}

}  // namespace
}  // namespace cmlrec::core
