// ${...} and include, before anything has a meaning.
#include "config/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/values.h"
#include "support/temporary_directory.h"

namespace rproxy::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<std::string> variable(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> kSet{
      {"HOST", "shop.com"}, {"PORT", "80"}, {"EMPTY", ""}, {"MONEY", "$5 ${HOST} $$"}, {"QUOTE", "a\"b\\c\nd"}};
  const auto found = kSet.find(name);
  return found != kSet.end() ? std::optional(found->second) : std::nullopt;
}

std::vector<std::string> ids(Problems& problems) {
  std::vector<std::string> out;
  for (const auto& diagnostic : problems.list()) out.push_back(diagnostic.id);
  return out;
}

TEST(Variables, AreExpandedInAnyString) {
  const std::pair<const char*, const char*> cases[] = {
      {"${HOST}", "shop.com"},
      {"http://${HOST}:${PORT}/", "http://shop.com:80/"},
      {"${HOST}${HOST}", "shop.comshop.com"},
      {"${EMPTY}", ""},
      {"a${EMPTY}b", "ab"},
      {"${NONE:-else}", "else"},
      {"${NONE:-}", ""},
      {"${EMPTY:-else}", "else"},  // as in a shell
      {"${HOST:-else}", "shop.com"},
      {"${NONE:-a:-b}", "a:-b"},
      {"${NONE:-unix:/run/x}", "unix:/run/x"},
      {"$$", "$"},
      {"$$$$", "$$"},
      {"$${HOST}", "${HOST}"},
      {"$$${HOST}", "$shop.com"},
      {"a$", "a$"},
      {"$", "$"},
      {"$HOST", "$HOST"},
      {"$1", "$1"},
      {"^/x$", "^/x$"},
      {"{HOST}", "{HOST}"},
      // What came out of the environment is text, whatever it looks like.
      {"${MONEY}", "$5 ${HOST} $$"},
      {"${QUOTE}", "a\"b\\c\nd"},
  };
  for (const auto& [text, expanded] : cases) {
    Problems problems;
    const auto tree =
        read_text("t.toml", "a = '" + std::string(text) + "'\nb = [{ c = '" + text + "' }]\n", variable, problems);
    ASSERT_TRUE(tree.has_value()) << text;
    EXPECT_THAT(problems.list(), IsEmpty()) << text;
    EXPECT_EQ(tree->find("a")->text, expanded) << text;
    EXPECT_EQ(tree->find("b")->items[0].find("c")->text, expanded) << text;
  }
}

TEST(Variables, AreMissedWithTheirNameAndPlace) {
  struct Case {
    const char* text;
    const char* id;
    const char* message;
  };
  const Case cases[] = {
      {"${NONE}", "RP1007", "variable NONE is not set"},
      {"${host}", "RP1007", "variable host is not set"},
      {"${HOST", "RP1004", "${ without }"},
      {"a ${", "RP1004", "${ without }"},
      {"${file:/etc/hostname}", "RP1008", "/etc/hostname"},  // a text by itself reads no files
  };
  for (const Case& each : cases) {
    Problems problems;
    const auto tree = read_text("t.toml", "\na =  '" + std::string(each.text) + "'\n", variable, problems);
    ASSERT_TRUE(tree.has_value());
    ASSERT_THAT(ids(problems), ElementsAre(each.id)) << each.text;
    EXPECT_THAT(problems.list()[0].message, HasSubstr(each.message));
    EXPECT_EQ(problems.list()[0].at, (Location{"t.toml", 2, 6}));
  }
}

TEST(Variables, StayOutOfKeysAndComments) {
  Problems problems;
  const auto tree = read_text("t.toml", "\"${NONE}\" = 1 # ${NONE}\n", variable, problems);
  EXPECT_THAT(problems.list(), IsEmpty());
  EXPECT_NE(tree->find("${NONE}"), nullptr);
}

TEST(Variables, AreShownAsTheyWereWritten) {
  Problems problems;
  const auto tree = read_text("t.toml", "a = 'x${HOST}'\nb = 'a$$b'\nc = 'x'\n", variable, problems);
  EXPECT_EQ(render_node(*tree->find("a")), "\"x${HOST}\"");
  EXPECT_EQ(render_node(*tree->find("b")), "\"a$$b\"");
  EXPECT_EQ(render_node(*tree->find("c")), "\"x\"");
}

TEST(Secrets, ComeFromFilesBesideTheOneThatNamesThem) {
  const test::TemporaryDirectory files;
  std::filesystem::create_directory(files.path("sub"));
  files.write("secret", "top\n");
  files.write("sub/secret", "sub");
  files.write("crlf", "x\r\n");
  files.write("lines", "one\ntwo\n");
  files.write("empty", "");
  files.write("looks", "${HOST}\n");
  files.write("sub/more.toml", "d = '${file:secret}'\n");
  const auto main = files.write("main.toml",
                                "include = 'sub/more.toml'\na = '<${file:secret}>'\nb = '${file:lines}'\n"
                                "c = '${file:crlf}'\ne = '${file:empty}'\nf = '${file:looks}'\n"
                                "g = '${file:" +
                                    files.path("secret") + "}'\n");
  Problems problems;
  const auto tree = read_tree(main, variable, problems);
  ASSERT_TRUE(tree.has_value());
  EXPECT_THAT(ids(problems), IsEmpty());
  const std::pair<const char*, const char*> wanted[] = {{"a", "<top>"}, {"b", "one\ntwo"}, {"c", "x"},  {"d", "sub"},
                                                        {"e", ""},      {"f", "${HOST}"},  {"g", "top"}};
  for (const auto& [key, text] : wanted) EXPECT_EQ(tree->find(key)->text, text) << key;
  EXPECT_EQ(render_node(*tree->find("a")), "\"<${file:secret}>\"");
}

TEST(Secrets, AreMissedWithTheirPath) {
  const test::TemporaryDirectory files;
  files.write("large", std::string(64 * 1024 + 1, 'x'));
  for (const std::string& name : {std::string("none"), std::string("."), std::string("large"), std::string("")}) {
    Problems problems;
    read_tree(files.write("main.toml", "a = '${file:" + name + "}'\n"), variable, problems);
    ASSERT_THAT(ids(problems), ElementsAre("RP1008")) << name;
    EXPECT_THAT(problems.list()[0].message, HasSubstr("can't read " + (name.empty() ? "" : files.path(name))));
  }
}

TEST(Include, UnitesTablesAndAppendsArrays) {
  const test::TemporaryDirectory files;
  std::filesystem::create_directory(files.path("conf.d"));
  files.write("conf.d/10.toml", "[upstreams.one]\nservers = ['a']\n[[routes]]\nname = 'ten'\n[client]\nmax_body = 1\n");
  files.write("conf.d/20.toml", "[upstreams.two]\nservers = ['b']\n[[routes]]\nname = 'twenty'\n");
  files.write("conf.d/30.txt", "not read\n");
  const auto main = files.write("main.toml",
                                "include = ['conf.d/*.toml']\n[client]\nmax_head = 2\n"
                                "[[routes]]\nname = 'main'\n");
  Problems problems;
  const auto tree = read_tree(main, variable, problems);
  ASSERT_TRUE(tree.has_value());
  EXPECT_THAT(ids(problems), IsEmpty());
  EXPECT_EQ(tree->find("include"), nullptr);
  std::string names;
  for (const Node& route : tree->find("routes")->items) names += route.find("name")->text + " ";
  EXPECT_EQ(names, "main ten twenty ");
  EXPECT_EQ(tree->find("upstreams")->members.size(), 2U);
  EXPECT_EQ(tree->find("client")->find("max_body")->integer, 1);
  EXPECT_EQ(tree->find("client")->find("max_head")->integer, 2);
  // Each value knows the file it stands in.
  EXPECT_EQ(tree->find("client")->find("max_body")->at.file->name, files.path("conf.d/10.toml"));
  EXPECT_EQ(tree->find("client")->find("max_body")->at.line, 6U);
}

TEST(Include, RefusesOneValueSetTwice) {
  struct Case {
    const char* main;
    const char* other;
    const char* name;
  };
  const Case cases[] = {
      {"a = 1", "a = 1", "a is set already"},
      {"a = 1", "a = 2", "a is set already"},
      {"a = 1", "[a]", "a is set already"},
      {"[a]\nb = 1", "[a]\nb = 2", "a.b is set already"},
      {"[a.b.c]\nd = 1", "[a]\nb.c.d = 2", "a.b.c.d is set already"},
      {"[a]", "[[a]]", "a is set already"},
  };
  for (const Case& each : cases) {
    const test::TemporaryDirectory files;
    files.write("other.toml", each.other);
    Problems problems;
    const auto main = files.write("main.toml", "include = 'other.toml'\n" + std::string(each.main));
    read_tree(main, variable, problems);
    ASSERT_THAT(ids(problems), ElementsAre("RP1009")) << each.other;
    EXPECT_THAT(problems.list()[0].message, HasSubstr(each.name));
    EXPECT_THAT(problems.list()[0].message, HasSubstr(main + ":"));  // both places
    EXPECT_EQ(problems.list()[0].at.file, files.path("other.toml"));
  }
}

TEST(Include, SaysWhatItCannotRead) {
  struct Case {
    const char* include;
    std::vector<std::string> ids;
  };
  const Case cases[] = {
      {"'none.toml'", {"RP1008"}},
      {"''", {"RP1008"}},
      {"'none-*.toml'", {"RP1011"}},
      {"[]", {}},
      {"5", {"RP1003"}},
      {"['good.toml', 5, true]", {"RP1003", "RP1003"}},
      {"'main.toml'", {"RP1008"}},  // itself
      {"'loop.toml'", {"RP1008"}},  // over another
      {"'bad.toml'", {"RP1001"}},
      {"'${NONE}.toml'", {"RP1007"}},
      {"'${NONE:-good}.toml'", {}},
  };
  for (const Case& each : cases) {
    const test::TemporaryDirectory files;
    files.write("good.toml", "good = 1\n");
    files.write("bad.toml", "bad = \n");
    files.write("loop.toml", "include = 'main.toml'\nlooped = 1\n");
    Problems problems;
    const auto tree =
        read_tree(files.write("main.toml", "include = " + std::string(each.include) + "\na = 1\n"), variable, problems);
    EXPECT_EQ(ids(problems), each.ids) << each.include;
    // The file itself is read all the same.
    ASSERT_TRUE(tree.has_value());
    EXPECT_EQ(tree->find("a")->integer, 1);
  }
}

TEST(Include, GoesSixteenFilesDeep) {
  for (const int deep : {16, 17}) {
    const test::TemporaryDirectory files;
    for (int i = 0; i <= deep; ++i) {
      files.write(std::to_string(i) + ".toml", (i < deep ? "include = '" + std::to_string(i + 1) + ".toml'\n" : "") +
                                                   "v" + std::to_string(i) + " = 1\n");
    }
    Problems problems;
    const auto tree = read_tree(files.path("0.toml"), variable, problems);
    EXPECT_EQ(ids(problems), deep == 16 ? std::vector<std::string>{} : std::vector<std::string>{"RP1008"});
    EXPECT_EQ(tree->members.size(), 17U);
  }
}

TEST(Path, IsRelativeToTheFileItStandsIn) {
  Place place;
  EXPECT_EQ(resolve_path(place, "a.pem"), "a.pem");
  auto file = std::make_shared<SourceFile>();
  place.file = file;
  EXPECT_EQ(resolve_path(place, "a.pem"), "a.pem");
  file->directory = "/etc/rproxy";
  EXPECT_EQ(resolve_path(place, "a.pem"), "/etc/rproxy/a.pem");
  EXPECT_EQ(resolve_path(place, "/a.pem"), "/a.pem");
  EXPECT_EQ(resolve_path(place, "../a.pem"), "/etc/rproxy/../a.pem");
  EXPECT_EQ(resolve_path(place, ""), "");
}

}  // namespace
}  // namespace rproxy::config
