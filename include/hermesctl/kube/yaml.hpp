// YAML to JSON and back, typed as kubectl types it: a quoted scalar is a string, a plain one may be
// a number, a boolean (yes, no, on and off too) or null. (yaml-cpp itself has no types.)
#pragma once

#include "hermesctl/kube/object.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::kube {

struct Position {
    int line = 0;    // from 1
    int column = 0;  // from 1
};

/// One YAML document and where its values stand, by JSON pointer ("/telegram/allowedUsers/0").
struct Document {
    Json value{};
    std::map<std::string, Position> positions{};
};

/// All documents of a stream, empty ones left out. Throws Error{usage} "SOURCE:LINE:COLUMN: why" for text
/// that is not YAML, and for a duplicate key. `source` is the file's name for messages.
std::vector<Document> parse_documents(std::string_view text, std::string_view source);
std::vector<Json> parse_yaml(std::string_view text, std::string_view source);

/// Block style, keys in the order people expect (apiVersion, kind, metadata first), strings quoted where
/// needed, text of several lines as literal blocks.
std::string dump_yaml(const Json&);
/// Objects as one stream, separated by "---".
std::string dump_yaml_documents(const std::vector<Json>&);

}  // namespace hermesctl::kube
