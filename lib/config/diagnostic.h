// What is wrong in a configuration: where, which rule (a stable id), and what to do about it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rproxy::config {

struct SourceFile;

struct Location {
  std::string file;
  std::size_t line = 0;    // from 1; 0: the file as a whole
  std::size_t column = 0;  // in characters, from 1
  bool operator==(const Location&) const = default;
  auto operator<=>(const Location&) const = default;
};

enum class Severity : std::uint8_t { kError, kWarning };

struct Diagnostic {
  std::string id;  // "RP1002"; rproxy-diagnostics(7) explains each
  Severity severity = Severity::kError;
  Location at;
  std::string message;
  std::string remedy;
  std::shared_ptr<const SourceFile> source;  // with the line, where there is one
  std::size_t length = 0;  // characters that are underlined; 0: the string, brackets or word that begins there
};

// Several lines, as compilers write them, ending in a newline.
std::string render(const Diagnostic& diagnostic, bool color);

// All of them, or the first fifty and how many more there are, errors before warnings.
std::string render(const std::vector<Diagnostic>& diagnostics, bool color);

// By file and position; equal ones once.
void sort_diagnostics(std::vector<Diagnostic>& diagnostics);

// "did you mean" out of `known`, or nothing when none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);
// The same for a value: "INFO", "warning" and "round-robin" are near, too.
std::string nearest_value(const std::string& word, const std::vector<std::string>& known);

}  // namespace rproxy::config
