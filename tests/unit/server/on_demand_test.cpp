// Names that certificates are made for when a client first asks.
#include "server/on_demand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rproxy::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

acme::OnDemandOptions of_customers() {
  acme::OnDemandOptions options;
  options.hosts = {"*.customers.shop.com", "partner.com"};
  options.names_max = 2;
  return options;
}

TEST(OnDemand, IsForItsHosts) {
  const OnDemand names(of_customers());
  for (const char* name : {"a.customers.shop.com", "a.b.customers.shop.com", "partner.com"})
    EXPECT_TRUE(names.may_come(name)) << name;
  for (const char* name : {"customers.shop.com", "shop.com", "acustomers.shop.com", "www.partner.com", "localhost", ""})
    EXPECT_FALSE(names.may_come(name)) << name;
}

TEST(OnDemand, TellsAllWhoWaitForOneName) {
  OnDemand names(of_customers());
  std::vector<bool> told;
  const auto tell = [&told](bool shown) { told.push_back(shown); };
  names.have_made("partner.com", tell);
  names.have_made("partner.com", tell);
  EXPECT_THAT(names.take_asked(), ElementsAre("partner.com"));
  EXPECT_THAT(names.take_asked(), IsEmpty());
  EXPECT_THAT(told, IsEmpty());
  names.settle("partner.com", true);
  EXPECT_THAT(told, ElementsAre(true, true));
  EXPECT_TRUE(names.may_come("partner.com"));
}

TEST(OnDemand, RemembersWhatIsNotToBeHad) {
  OnDemand names(of_customers());
  bool shown = true;
  names.have_made("partner.com", [&shown](bool is_shown) { shown = is_shown; });
  names.settle("partner.com", false);
  EXPECT_FALSE(shown);
  EXPECT_FALSE(names.may_come("partner.com"));
}

TEST(OnDemand, LetsNobodyWaitTooLong) {
  OnDemand names(of_customers());
  int told = 0;
  names.have_made("partner.com", [&told](bool) { ++told; });
  names.expire(Clock::now());
  EXPECT_EQ(told, 0);
  names.expire(Clock::now() + std::chrono::minutes{1});
  EXPECT_EQ(told, 1);
  // It is still being made.
  names.take_asked();
  names.have_made("partner.com", [&told](bool) { ++told; });
  EXPECT_THAT(names.take_asked(), IsEmpty());
}

TEST(OnDemand, SaysWhenSomebodyAsks) {
  OnDemand names(of_customers());
  int said = 0;
  names.tell_of_next([&said](bool) { ++said; });
  EXPECT_EQ(said, 0);
  names.have_made("partner.com", [](bool) {});
  EXPECT_EQ(said, 1);
  names.have_made("a.customers.shop.com", [](bool) {});
  EXPECT_EQ(said, 1);
  names.tell_of_next([&said](bool) { ++said; });
  EXPECT_EQ(said, 2);
}

TEST(OnDemand, HasAnEnd) {
  OnDemand names(of_customers());
  EXPECT_TRUE(names.add("a.customers.shop.com"));
  EXPECT_TRUE(names.add("partner.com"));
  EXPECT_TRUE(names.add("partner.com"));
  EXPECT_FALSE(names.add("b.customers.shop.com"));
  int refused = 0;
  for (int i = 0; i < 2000; ++i) names.have_made("partner.com", [&refused](bool) { ++refused; });
  EXPECT_EQ(refused, 1000);
  for (int i = 0; i < 200; ++i)
    names.have_made(std::to_string(i) + ".customers.shop.com", [&refused](bool) { ++refused; });
  EXPECT_EQ(refused, 1200);
}

TEST(OnDemand, AdmitsWhatItsHostsStillAllow) {
  OnDemand names(of_customers());
  names.admit({"other.com", "partner.com", "localhost"});
  EXPECT_THAT(names.names(), ElementsAre("partner.com"));
}

}  // namespace
}  // namespace rproxy::server
