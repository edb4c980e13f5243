// Grades, and what they are for.
#include "scan/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "scan/cipher.h"
#include "support/made_certificates.h"

namespace rproxy::scan {
namespace {

Report best() {
  Report report;
  report.protocols = {{kTls13, {0x1301}, true}, {kTls12, {0xc02b}, true}};
  report.groups = {0x001d};
  report.compression = false;
  report.renegotiation = true;
  report.master_secret = true;
  report.fallback = true;
  report.is_http = true;
  report.hsts = "max-age=31536000; includeSubDomains";
  report.chain = {test::made(test::leaf({"shop.com"})).certificate};
  report.verdict.is_trusted = true;
  return report;
}

TEST(Grade, IsTheWorstOfItsReasons) {
  struct Case {
    const char* grade;
    std::vector<std::string> words;
    std::function<void(Report&)> change;
  };
  const Case cases[] = {
      {"A+", {}, [](Report&) {}},
      {"A", {"no-hsts"}, [](Report& r) { r.hsts.clear(); }},
      {"A", {"short-hsts"}, [](Report& r) { r.hsts = "max-age=\"300\""; }},
      {"A+", {}, [](Report& r) { r.is_http = false, r.hsts.clear(); }},
      {"A", {"no-tls13"}, [](Report& r) { r.protocols.erase(r.protocols.begin()); }},
      {"B",
       {"old-tls"},
       [](Report& r) {
         r.protocols.push_back({kTls10, {0xc009}, true}), r.protocols.back().ciphers = {0xc02b};
       }},
      {"B",
       {"old-tls", "no-fallback-protection"},
       [](Report& r) {
         r.protocols.push_back({kTls11, {0xc02b}, true}), r.fallback = false;
       }},
      {"A+", {}, [](Report& r) { r.fallback = false; }},
      {"F",
       {"ssl3"},
       [](Report& r) {
         r.protocols.push_back({kSsl3, {}, false});
       }},
      {"A", {"no-forward-secrecy"}, [](Report& r) { r.protocols.back().ciphers.push_back(0x009c); }},
      {"B",
       {"no-tls13", "no-forward-secrecy"},
       [](Report& r) {
         r.protocols = {{kTls12, {0x009c}, true}};
       }},
      {"A+", {"cbc"}, [](Report& r) { r.protocols.back().ciphers.push_back(0xc009); }},
      {"C", {"weak-cipher"}, [](Report& r) { r.protocols.back().ciphers.push_back(0x000a); }},
      {"F", {"no-encryption"}, [](Report& r) { r.protocols.back().ciphers.push_back(0x0002); }},
      {"B", {"weak-dh"}, [](Report& r) { r.dh_bits = 1024; }},
      {"F", {"weak-dh"}, [](Report& r) { r.dh_bits = 512; }},
      {"B", {"weak-group"}, [](Report& r) { r.groups.push_back(0x0013); }},
      {"F", {"compression"}, [](Report& r) { r.compression = true; }},
      {"C", {"insecure-renegotiation"}, [](Report& r) { r.renegotiation = false; }},
      {"A+", {"no-extended-master-secret"}, [](Report& r) { r.master_secret = false; }},
      {"A+", {"early-data"}, [](Report& r) { r.early_data = true; }},
      {"F",
       {"revoked"},
       [](Report& r) {
         r.ocsp = x509::OcspAnswer{"revoked", {}, {}};
       }},
      {"F", {"no-certificate"}, [](Report& r) { r.chain.clear(); }},
      {"F", {"no-tls"}, [](Report& r) { r.protocols.clear(); }},
      {"F",
       {"expired"},
       [](Report& r) {
         r.verdict.findings.push_back({x509::Severity::kError, "expired", "", ""});
       }},
      {"A+",
       {"root-included"},
       [](Report& r) {
         r.verdict.findings.push_back({x509::Severity::kNote, "root-included", "", ""});
       }},
  };
  for (const Case& each : cases) {
    Report report = best();
    each.change(report);
    const Grade found = grade(report);
    std::vector<std::string> words;
    for (const Reason& reason : found.reasons) words.push_back(reason.word);
    EXPECT_EQ(found.letter, each.grade) << testing::PrintToString(words);
    EXPECT_THAT(words, testing::UnorderedElementsAreArray(each.words));
  }
}

}  // namespace
}  // namespace rproxy::scan
