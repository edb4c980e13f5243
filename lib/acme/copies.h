// A certificate and its key in two files beside the store, for servers that are not this one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "x509/certified_key.h"

namespace rproxy::acme {

struct CopyFiles {
  std::string cert;  // the certificate, then its chain
  std::string key;
};

// Whether the files are that certificate and its key.
bool has(const CopyFiles& files, const x509::CertifiedKey& key);

// Which of them must not be replaced: what is there is neither of the one that is kept (null: none is), nor of an earlier one for the same
// names. Empty: both may.
std::string in_the_way(const CopyFiles& files, const std::vector<std::string>& names, const x509::CertifiedKey* kept);

// The key for its owner alone; each file is there whole or as it was before. Errors: kFile.
Result<void> write(const CopyFiles& files, const x509::CertifiedKey& key);

}  // namespace rproxy::acme
