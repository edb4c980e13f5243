// Lists of directories: whatever a name is, the page says no more than it.
#include "files/directory_page.h"

#include <gtest/gtest.h>

namespace rproxy::files {
namespace {

Directory listed(std::initializer_list<const char*> names) {
  Directory directory;
  for (const char* name : names) directory.entries.push_back({name, false, 7, 0});
  return directory;
}

TEST(DirectoryPage, EscapesWhateverANameIs) {
  const auto page = html_of(listed({"<script>\"'&", "\xff\xc0\xae", "a:b"}), "/<b>/");
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(page.find("<h1>Index of /&lt;b&gt;/</h1>"), std::string::npos);
  EXPECT_NE(
      page.find("href=\"./%3Cscript%3E%22%27%26\">&lt;script&gt;&quot;&#39;&amp;</a><td>7<td>1970-01-01T00:00:00Z"),
      std::string::npos)
      << page;
  EXPECT_NE(page.find("href=\"./%FF%C0%AE\">\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd<"), std::string::npos) << page;
  EXPECT_NE(page.find("href=\"./a%3Ab\""), std::string::npos);
}

TEST(DirectoryPage, LeadsUpButFromTheTop) {
  EXPECT_NE(html_of({}, "/a/").find("../"), std::string::npos);
  EXPECT_EQ(html_of({}, "/").find("../"), std::string::npos);
}

TEST(DirectoryPage, SaysWhereThereIsMore) {
  Directory directory;
  directory.is_cut = true;
  EXPECT_NE(html_of(directory, "/").find("more than 10000"), std::string::npos);
}

TEST(DirectoryPage, IsJsonForPrograms) {
  Directory directory = listed({"a\"\\\xff"});
  directory.entries.push_back({"d", true, 0, 1'700'000'000});
  EXPECT_EQ(json_of(directory),
            "[\n{\"name\":\"a\\\"\\\\\xef\xbf\xbd\",\"type\":\"file\",\"size\":7,\"mtime\":\"1970-01-01T00:00:00Z\"},\n"
            "{\"name\":\"d\",\"type\":\"directory\",\"mtime\":\"2023-11-14T22:13:20Z\"}\n]\n");
  EXPECT_EQ(json_of({}), "[\n]\n");
}

}  // namespace
}  // namespace rproxy::files
