#include "check/catalogue.h"

namespace rproxy::check {
namespace {

using enum config::Severity;

constexpr CatalogueEntry kCatalogue[] = {
    {"RP1001", kError, "not TOML, or not UTF-8"},
    {"RP1002", kError, "unknown key or table"},
    {"RP1003", kError, "value of the wrong type"},
    {"RP1004", kError, "value that can't be read or is out of its range"},
    {"RP1005", kError, "something required is missing"},
    {"RP1006", kError, "settings that exclude each other"},
    {"RP1007", kError, "environment variable that is not set"},
    {"RP1008", kError, "file that can't be read"},
    {"RP1009", kError, "the same value or address twice"},
    {"RP1010", kWarning, "setting that does nothing where it stands"},
    {"RP1011", kWarning, "include that no file matches"},
    {"RP1012", kWarning, "client timeout that is off"},
    {"RP1013", kWarning, "admin token crosses the network in the clear"},
    {"RP1101", kError, "server address without host or port"},
    {"RP1102", kWarning, "server that is there twice"},
    {"RP1103", kError, "upstream without servers"},
    {"RP1104", kError, "every server has weight 0"},
    {"RP1105", kWarning, "upstream that no route leads to"},
    {"RP1106", kError, "route to an unknown upstream"},
    {"RP1201", kError, "host that can't be matched"},
    {"RP1202", kError, "path that no request can have"},
    {"RP1203", kError, "invalid regular expression"},
    {"RP1204", kError, "rewrite that makes no path"},
    {"RP1205", kError, "two routes with the same match"},
    {"RP1206", kWarning, "routes that tie"},
    {"RP1207", kError, "redirect to nowhere"},
    {"RP1208", kError, "match that asks for nothing"},
    {"RP1209", kWarning, "two routes with one name"},
    {"RP1210", kError, "response header that the proxy writes itself"},
    {"RP1211", kError, "cache for gRPC-Web"},
    {"RP1301", kError, "TLS listener without a certificate"},
    {"RP1302", kWarning, "a server's certificate is not verified"},
    {"RP1303", kWarning, "TLS table that no listener uses"},
    {"RP1304", kError, "certificate that can't be used"},
    {"RP1305", kError, "private key that can't be used"},
    {"RP1306", kError, "key and certificate that don't belong together"},
    {"RP1307", kError, "ca_file that can't be used"},
    {"RP1308", kError, "ciphers or groups that OpenSSL refuses"},
    {"RP1309", kWarning, "certificate outside its dates, or soon to be"},
    {"RP2001", kWarning, "route that no request reaches"},
    {"RP2002", kWarning, "prefix that matches more than what is below it"},
    {"RP2003", kWarning, "pattern that is a prefix, or one path"},
    {"RP2004", kWarning, "pattern that no path matches"},
    {"RP2005", kWarning, "redirect that leads back to itself"},
    {"RP2006", kWarning, "rewrite that leaves its prefix"},
    {"RP2007", kWarning, "strip_prefix that no path of the route has"},
    {"RP2101", kWarning, "several servers and no health check"},
    {"RP2102", kWarning, "timeouts that contradict each other"},
    {"RP2201", kWarning, "network of trusted peers that is too wide"},
    {"RP2202", kWarning, "secret that stands in the file"},
    {"RP2203", kWarning, "requests go to a public address in the clear"},
    {"RP2301", kWarning, "host that no certificate covers"},
    {"RP2302", kWarning, "certificate chain that is not complete"},
    {"RP2303", kWarning, "certificate that no route needs"},
    {"RP2401", kWarning, "server that can't be reached"},
    {"RP2501", kWarning, "cache for what is one client's own"},
    {"RP2502", kWarning, "cache that gives away cookies"},
    {"RP2503", kWarning, "cache that mixes hosts"},
    {"RP2504", kWarning, "cache in front of a split"},
    {"RP2801", kError, "test that fails"},
    {"RP2802", kWarning, "route that no test goes to"},
    {"RP2803", kError, "tests go to too few routes"},
    {"RP2901", kWarning, "comment to rproxy that is not understood"},
    {"RP2902", kWarning, "allowance for nothing"},
};

}  // namespace

std::span<const CatalogueEntry> catalogue() { return kCatalogue; }

}  // namespace rproxy::check
