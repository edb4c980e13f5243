#include "acme/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace rproxy::acme {
namespace {

struct Advice {
  std::string_view word;
  std::string_view text;
};

// RFC 8555 6.7, RFC 9773, and drafts that are in use.
constexpr std::array kOfProblems{
    Advice{"accountDoesNotExist", "have an account with `rproxy cert acme account register`"},
    Advice{"badCSR", "another --key-type may be taken, or fewer names"},
    Advice{"badPublicKey", "another --key-type may be taken"},
    Advice{"caa", "a CAA record of the domain has to name this authority"},
    Advice{"connection", "the authority has to reach this machine: port 80 for http-01, 443 for tls-alpn-01"},
    Advice{"dns", "the name has to be in the public DNS"},
    Advice{"externalAccountRequired", "give --eab-kid and --eab-key-file, as the authority hands them out"},
    Advice{"incorrectResponse", "another server answers at that name: does it lead to this machine?"},
    Advice{"invalidContact", "give another --email"},
    Advice{"invalidProfile", "leave --profile away, or take one that the directory names"},
    Advice{"rejectedIdentifier", "the authority makes no certificate for such a name"},
    Advice{"tls", "port 443 of that name has to lead to this machine"},
    Advice{"unauthorized", "does the name lead to this machine, and is it the account's?"},
    Advice{"unsupportedContact", "give another --email"},
    Advice{"userActionRequired", "the authority has new terms: see its pages"},
};

std::string_view of_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTlsVerify:
      return "--ca-file names whom a private authority's server is held against";
    case ErrorCode::kConnectRefused:
    case ErrorCode::kConnectFailed:
    case ErrorCode::kConnectTimeout:
    case ErrorCode::kUnreachable:
    case ErrorCode::kResolveFailed:
      return "is the --directory right, and can it be reached from here?";
    case ErrorCode::kCannotBind:
      return "end what listens there, take another --address or port that the challenge is led to, or let a running "
             "`rproxy serve` answer by --via-serve";
    default:
      return {};
  }
}

}  // namespace

std::string advice_for(const Failure& failure, WallTime now) {
  if (failure.retry_after) {
    return fmt::format("try again from {} on{}", to_text(now + *failure.retry_after),
                       failure.problem ? "" : ", or at once by --force");
  }
  if (!failure.problem) return std::string(of_error(failure.error.code));
  if (failure.problem->word() == "rateLimited") return "try again in an hour or later";
  const auto found = std::ranges::find(kOfProblems, failure.problem->word(), &Advice::word);
  return found != kOfProblems.end() ? std::string(found->text) : std::string();
}

}  // namespace rproxy::acme
