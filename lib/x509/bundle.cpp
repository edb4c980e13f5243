#include "x509/bundle.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "x509/extensions.h"
#include "x509/password_rounds.h"
#include "x509/refusal.h"

namespace rproxy::x509 {
namespace {

// More than any list of authorities has.
constexpr std::size_t kItemsMax = 4096;

using Pkcs12Ptr = std::unique_ptr<PKCS12, FreeBy<PKCS12_free>>;
using Pkcs7Ptr = std::unique_ptr<PKCS7, FreeBy<PKCS7_free>>;

struct StackFree {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), StackFree>;

struct PemBlock {
  std::unique_ptr<char, void (*)(char*)> label{nullptr, [](char* text) { OPENSSL_free(text); }};
  std::unique_ptr<char, void (*)(char*)> header{nullptr, [](char* text) { OPENSSL_free(text); }};
  Secret data;
};

std::optional<PemBlock> next_block(BIO* from) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(from, &label, &header, &data, &size) != 1) return std::nullopt;
  PemBlock block;
  block.label.reset(label);
  block.header.reset(header);
  block.data = Secret(std::string_view(reinterpret_cast<char*>(data), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  return block;
}

// For functions that want a C string.
Secret with_end(const Secret& password) {
  std::string text;
  text.reserve(password.view().size() + 1);
  text = password.view();
  text += '\0';
  return Secret::take(text);
}

template <auto Parse>
auto parse_as(std::string_view der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  auto* parsed = Parse(nullptr, &data, static_cast<long>(der.size()));
  ERR_clear_error();
  return parsed;
}

class Reader {
 public:
  Reader(const std::string& name, const PasswordSource& password) : name_(name), password_(password) {}

  Result<Bundle> read(std::string_view text) {
    const bool is_pem = text.find("-----BEGIN ") != text.npos;
    auto done = is_pem ? read_pem(text) : read_der(text);
    if (!done) return fail(std::move(done.error()));
    if (found_.size() == 0) return refuse(fmt::format("{}: no certificate, key, request or revocation list", name_));
    return std::move(found_);
  }

 private:
  Result<void> read_pem(std::string_view text) {
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    ERR_clear_error();
    std::size_t number = 0;
    while (auto block = next_block(bio.get())) {
      if (++number > kItemsMax) return refuse(fmt::format("{}: more than {} items", name_, kItemsMax));
      if (auto done = take(*block, number); !done) return done;
    }
    const unsigned long code = ERR_peek_last_error();
    const bool at_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!at_end) return refuse(fmt::format("{}: item {} is damaged: it is cut short, or no base64", name_, number + 1));
    return {};
  }

  Result<void> take(const PemBlock& block, std::size_t number) {
    const std::string_view label = block.label.get();
    const std::string_view der = block.data.view();
    const auto is = [label](std::initializer_list<std::string_view> labels) {
      for (const std::string_view each : labels) {
        if (label == each) return true;
      }
      return false;
    };
    bool is_fine = true;
    if (is({PEM_STRING_X509, PEM_STRING_X509_OLD, PEM_STRING_X509_TRUSTED})) {
      is_fine =
          add_certificate(label == PEM_STRING_X509_TRUSTED ? parse_as<d2i_X509_AUX>(der) : parse_as<d2i_X509>(der));
    } else if (label.ends_with("PRIVATE KEY")) {
      return add_key(block, number);
    } else if (is({PEM_STRING_PUBLIC})) {
      is_fine = add(found_.public_keys, KeyPtr(parse_as<d2i_PUBKEY>(der)));
    } else if (is({PEM_STRING_X509_REQ, PEM_STRING_X509_REQ_OLD})) {
      return add_request(der);
    } else if (is({PEM_STRING_X509_CRL})) {
      is_fine = add(found_.revocation_lists, RevocationListPtr(parse_as<d2i_X509_CRL>(der), X509_CRL_free));
    } else if (is({PEM_STRING_PKCS7, "CMS"})) {
      is_fine = add_certificates_of(Pkcs7Ptr(parse_as<d2i_PKCS7>(der)));
    } else {
      found_.others.emplace_back(label);
    }
    if (!is_fine) return refuse(fmt::format("{}: item {}, \"{}\", is malformed", name_, number, label));
    return {};
  }

  Result<void> read_der(std::string_view text) {
    found_.form = Bundle::Form::kDer;
    if (add_certificate(parse_as<d2i_X509>(text))) return {};
    if (add(found_.revocation_lists, RevocationListPtr(parse_as<d2i_X509_CRL>(text), X509_CRL_free))) return {};
    if (const Pkcs12Ptr store(parse_as<d2i_PKCS12>(text)); store) return read_pkcs12(*store);
    if (add_certificates_of(Pkcs7Ptr(parse_as<d2i_PKCS7>(text)))) return {};
    if (add(found_.public_keys, KeyPtr(parse_as<d2i_PUBKEY>(text)))) return {};
    if (const std::unique_ptr<X509_REQ, FreeBy<X509_REQ_free>> request(parse_as<d2i_X509_REQ>(text)); request)
      return add_request(text);
    auto key = parse_private_key(text, name_, password_);
    if (key) {
      found_.keys.push_back(std::move(*key));
    } else if (key.error().context.find("password") != std::string::npos) {
      return fail(std::move(key.error()));
    }
    return {};
  }

  Result<void> read_pkcs12(PKCS12& store) {
    found_.form = Bundle::Form::kPkcs12;
    if (!is_check_affordable(&store)) return too_much();
    const std::optional<Secret> password = password_for(store);
    if (is_wrong_password_) return refuse(fmt::format("{}: that is not its password", name_));
    if (!password) return refuse(fmt::format("{}: it is encrypted, and there is no password", name_));
    const Secret text = with_end(*password);
    if (!is_affordable(&store, text.view())) return too_much();
    EVP_PKEY* key = nullptr;
    X509* leaf = nullptr;
    STACK_OF(X509)* rest = nullptr;
    if (PKCS12_parse(&store, text.view().data(), &key, &leaf, &rest) != 1) {
      return refuse(fmt::format(
          "{}: damaged, or protected in an old way, which `openssl pkcs12 -legacy -nomacver -in {} -out NEW` reads",
          name_, name_));
    }
    const StackPtr owned(rest);
    if (key != nullptr) found_.keys.emplace_back(key);
    add_certificate(leaf);
    return add_all(owned.get());
  }

  Result<void> too_much() const {
    return refuse(fmt::format("{}: it asks for more rounds of its password than anybody has time for", name_));
  }

  // Nothing: there is none, or it is not the one (which is said).
  std::optional<Secret> password_for(PKCS12& store) {
    if (PKCS12_mac_present(&store) != 1 || PKCS12_verify_mac(&store, "", 0) == 1) return Secret();
    ERR_clear_error();
    std::optional<Secret> given = password_ ? password_() : std::nullopt;
    if (!given) return std::nullopt;
    if (PKCS12_verify_mac(&store, given->view().data(), static_cast<int>(given->view().size())) == 1) return given;
    is_wrong_password_ = true;
    return std::nullopt;
  }

  bool add_certificate(X509* parsed) {
    if (parsed == nullptr) return false;
    found_.certificates.emplace_back(X509Ptr(parsed));
    return true;
  }

  template <typename List, typename Item>
  static bool add(List& list, Item item) {
    if (!item) return false;
    list.push_back(std::move(item));
    return true;
  }

  bool add_certificates_of(const Pkcs7Ptr& message) {
    if (!message || !PKCS7_type_is_signed(message.get()) || message->d.sign == nullptr) return false;
    return add_all(message->d.sign->cert).has_value();
  }

  Result<void> add_all(const STACK_OF(X509) * stack) {
    const int count = stack != nullptr ? sk_X509_num(stack) : 0;
    if (static_cast<std::size_t>(count) > kItemsMax) return refuse(fmt::format("{}: too many certificates", name_));
    for (int i = 0; i < count; ++i) {
      X509* each = sk_X509_value(stack, i);
      X509_up_ref(each);
      add_certificate(each);
    }
    return {};
  }

  Result<void> add_request(std::string_view der) {
    auto request = Request::parse(der, name_);
    if (!request) return fail(std::move(request.error()));
    found_.requests.push_back(std::move(*request));
    return {};
  }

  // In PEM again, for OpenSSL knows all of its forms.
  Result<void> add_key(const PemBlock& block, std::size_t number) {
    const BioPtr bio(BIO_new(BIO_s_secmem()));
    const std::string_view der = block.data.view();
    PEM_write_bio(bio.get(), block.label.get(), block.header.get(), reinterpret_cast<const unsigned char*>(der.data()),
                  static_cast<long>(der.size()));
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    const std::string what = number == 1 ? name_ : fmt::format("{}, item {}", name_, number);
    auto key = parse_private_key({text, static_cast<std::size_t>(size)}, what, password_);
    if (!key) return fail(std::move(key.error()));
    found_.keys.push_back(std::move(*key));
    return {};
  }

  const std::string& name_;
  const PasswordSource& password_;
  Bundle found_;
  bool is_wrong_password_ = false;
};

}  // namespace

Result<Bundle> Bundle::parse(std::string_view text, const std::string& name, const PasswordSource& password) {
  return Reader(name, password).read(text);
}

Result<Secret> to_pkcs12(const std::vector<Certificate>& chain, EVP_PKEY* key, std::string_view password,
                         const std::string& friendly) {
  // Of the key and of the MAC.
  constexpr int kIterations = 100'000;
  if (chain.empty() || !is_same_key(X509_get0_pubkey(chain.front().native()), key))
    return refuse("the private key does not belong to the certificate");
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> rest(
      sk_X509_new_null(), [](STACK_OF(X509) * all) { sk_X509_free(all); });
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(rest.get(), chain[i].native());
  const Pkcs12Ptr store(PKCS12_create(with_end(Secret(password)).view().data(), friendly.c_str(), key,
                                      chain.front().native(), rest.get(), NID_aes_256_cbc, NID_aes_256_cbc, kIterations,
                                      kIterations, 0));
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!store || i2d_PKCS12_bio(out.get(), store.get()) != 1)
    return refuse(fmt::format("can't make PKCS#12: {}", take_openssl_reason()));
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return Secret(std::string_view(data, static_cast<std::size_t>(size)));
}

std::string to_pem(X509_CRL* list) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(out.get(), list);
  return take_text(out);
}

std::string to_der(X509_CRL* list) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  i2d_X509_CRL_bio(out.get(), list);
  return take_text(out);
}

std::string public_key_pem(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key);
  return take_text(out);
}

std::string public_key_der(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  i2d_PUBKEY_bio(out.get(), key);
  return take_text(out);
}

}  // namespace rproxy::x509
