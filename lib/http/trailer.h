// Fields behind the content (RFC 9110 6.5).
#pragma once

#include "http/fields.h"

namespace rproxy::http {

// RFC 9110 6.5.1: only fields whose definition permits it belong into trailers. Of those we know these do; of others we can't tell. What
// a CGI-like server reads as one of ours is taken for it.
inline bool is_permitted_trailer(const Field& field) {
  switch (field_id_with_hyphens(field.name)) {
    case FieldId::kOther:
    case FieldId::kAcceptRanges:
    case FieldId::kEtag:
    case FieldId::kGrpcMessage:
    case FieldId::kGrpcStatus:
    case FieldId::kProxyStatus:
      return true;
    default:
      return false;
  }
}

}  // namespace rproxy::http
