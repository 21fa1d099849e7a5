// Reads YAML through yaml-cpp's events: types, positions, duplicate keys, anchors and merge keys are decided
// here.
#include "hermesctl/kube/yaml.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/utf8.hpp"
#include "yaml_scalar.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace hermesctl::kube {
namespace {

constexpr std::size_t deepest = 100;
constexpr std::size_t alias_budget = 8u << 20;

[[noreturn]] void refuse(std::string_view source, Position at, std::string_view why) {
    throw Error(ExitCode::usage, fmt::format("{}:{}:{}: {}", source, at.line, at.column, why));
}

Position position(const YAML::Mark& mark) {
    return {mark.line + 1, mark.column + 1};
}

/// About how many bytes a copy of this value takes.
std::size_t weight(const Json& value) {
    std::size_t sum = 32;
    if (value.is_string()) sum += value.get_ref<const std::string&>().size();
    if (value.is_structured()) {
        for (const auto& [key, item] : value.items())
            sum += key.size() + weight(item);
    }
    return sum;
}

/// yaml-cpp turns the escapes \N and \_ into bare Latin-1 bytes; makes characters of them again.
std::string as_utf8(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Character first = first_character(text);
        if (!first.valid) out += '\xc2';
        out.append(text.substr(0, first.size));
        text.remove_prefix(first.size);
    }
    return out;
}

/// A mapping or sequence that is not complete yet.
struct Open {
    Json value{};
    std::string pointer{};
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key{};  // of a mapping, until its value has come
    Position key_at{};
    bool merging = false;  // the key is a plain <<
    std::vector<Json> merged{};
};

class Builder : public YAML::EventHandler {
  public:
    explicit Builder(std::string_view source) : source_(source) {}

    Document take() { return std::exchange(document_, {}); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        // yaml-cpp answers a stray bracket with empty documents without end.
        if (mark.pos <= last_start_) refuse(source_, position(mark), "unexpected text");
        last_start_ = mark.pos;
        open_.clear();
        anchors_.clear();
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        scalar(nullptr, position(mark), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark&, const std::string& tag, YAML::anchor_t,
                  const std::string& text) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check_collection_tag(tag, "tag:yaml.org,2002:seq", position(mark));
        open(Json::array(), position(mark), anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check_collection_tag(tag, "tag:yaml.org,2002:map", position(mark));
        open(Json::object(), position(mark), anchor);
    }
    void OnMapEnd() override { close(); }

  private:
    bool awaits_key() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().key; }
    void check_collection_tag(const std::string& tag, std::string_view wanted, Position at) const;
    Json tagged(const std::string& tag, const std::string& text, Position at) const;
    std::string child_pointer() const;
    void scalar(Json value, Position at, YAML::anchor_t anchor);
    void take_key(const Json& value, Position at);
    void open(Json empty, Position at, YAML::anchor_t anchor);
    void close();
    void add(Json value);
    void merge(Json value, Position at);

    std::string_view source_;
    std::vector<Open> open_{};
    std::map<YAML::anchor_t, Json> anchors_{};
    std::size_t copied_ = 0;
    int last_start_ = -1;
    Document document_{};
};

void Builder::check_collection_tag(const std::string& tag, std::string_view wanted, Position at) const {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != wanted)
        refuse(source_, at, fmt::format("the tag {} is not supported", tag));
}

Json Builder::tagged(const std::string& tag, const std::string& text, Position at) const {
    constexpr std::string_view core = "tag:yaml.org,2002:";
    if (tag == "!") return text;
    const std::string name = tag.starts_with(core) ? tag.substr(core.size()) : "";
    if (name == "str" || name == "timestamp") return text;
    Json value;
    try {
        value = resolve_plain(text);
    } catch (const std::range_error& error) {
        refuse(source_, at, error.what());
    }
    if (tag.empty() || tag == "?") return value;
    const bool fits = (name == "int" && value.is_number_integer()) ||
                      (name == "float" && value.is_number()) || (name == "bool" && value.is_boolean()) ||
                      (name == "null" && value.is_null());
    if (!fits) refuse(source_, at, fmt::format("the tag {} is not supported or does not fit its value", tag));
    return value;
}

std::string Builder::child_pointer() const {
    if (open_.empty()) return "";
    const Open& parent = open_.back();
    return parent.pointer + "/" +
           (parent.key ? escape_pointer(*parent.key) : std::to_string(parent.value.size()));
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& text) {
    const Position at = position(mark);
    if (awaits_key() && text == "<<" && tag == "?") {
        open_.back().key = text;
        open_.back().key_at = at;
        open_.back().merging = true;
        return;
    }
    scalar(tagged(tag, as_utf8(text), at), at, anchor);
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Position at = position(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(source_, at, "an alias inside the value that it stands for");
    copied_ += weight(found->second);
    if (copied_ > alias_budget) refuse(source_, at, "aliases blow this document up beyond any use");
    if (!awaits_key()) document_.positions.emplace(child_pointer(), at);
    awaits_key() ? take_key(found->second, at) : add(found->second);
}

void Builder::scalar(Json value, Position at, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = value;
    if (awaits_key()) return take_key(value, at);
    const bool nothing_there = value.is_null() && !open_.empty() && open_.back().key;
    document_.positions.emplace(child_pointer(), nothing_there ? open_.back().key_at : at);
    add(std::move(value));
}

void Builder::take_key(const Json& value, Position at) {
    if (value.is_structured() || value.is_null()) refuse(source_, at, "a key must be text");
    const std::string key = value.is_string() ? value.get<std::string>() : value.dump();
    if (open_.back().value.contains(key))
        refuse(source_, at, fmt::format("the key \"{}\" is there twice", key));
    open_.back().key = key;
    open_.back().key_at = at;
}

void Builder::open(Json empty, Position at, YAML::anchor_t anchor) {
    if (awaits_key()) refuse(source_, at, "a key must be text");
    if (open_.size() >= deepest) refuse(source_, at, "nested too deeply");
    const bool keyed = !open_.empty() && open_.back().key;
    std::string pointer = child_pointer();
    document_.positions.emplace(pointer, keyed ? open_.back().key_at : at);
    open_.push_back({.value = std::move(empty), .pointer = std::move(pointer), .anchor = anchor});
}

void Builder::close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    for (const Json& source : done.merged) {
        for (const auto& [key, item] : source.items()) {
            if (!done.value.contains(key)) done.value[key] = item;
        }
    }
    if (done.anchor != 0) anchors_[done.anchor] = done.value;
    add(std::move(done.value));
}

void Builder::add(Json value) {
    if (open_.empty()) {
        document_.value = std::move(value);
        return;
    }
    Open& parent = open_.back();
    if (!parent.value.is_object()) {
        parent.value.push_back(std::move(value));
        return;
    }
    const std::string key = *std::exchange(parent.key, std::nullopt);
    if (std::exchange(parent.merging, false)) return merge(std::move(value), parent.key_at);
    parent.value[key] = std::move(value);
}

void Builder::merge(Json value, Position at) {
    if (value.is_object()) value = Json::array({std::move(value)});
    for (Json& item : value) {
        if (!item.is_object()) refuse(source_, at, "<< takes a mapping or a list of mappings");
        open_.back().merged.push_back(std::move(item));
    }
    if (!value.is_array()) refuse(source_, at, "<< takes a mapping or a list of mappings");
}

/// The text with plain line ends and without a byte order mark; refuses what is not text.
std::string cleaned(std::string_view text, std::string_view source) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    std::string out;
    out.reserve(text.size());
    Position at{1, 1};
    while (!text.empty()) {
        const auto [code, size, valid] = first_character(text);
        const bool control = (code < 0x20 && code != '\n' && code != '\r' && code != '\t') || code == 0x7f;
        if (!valid || control) refuse(source, at, "this is not text (UTF-8), so it is not YAML");
        if (!text.starts_with("\r\n")) out.append(text.substr(0, size));
        at = code == '\n' ? Position{at.line + 1, 1} : Position{at.line, at.column + 1};
        text.remove_prefix(size);
    }
    return out;
}

}  // namespace

std::vector<Document> parse_documents(std::string_view text, std::string_view source) {
    std::istringstream stream(cleaned(text, source));
    std::vector<Document> documents;
    try {
        YAML::Parser parser(stream);
        Builder builder(source);
        while (parser.HandleNextDocument(builder)) {
            Document document = builder.take();
            if (!document.value.is_null()) documents.push_back(std::move(document));
        }
    } catch (const YAML::Exception& error) {
        refuse(source, position(error.mark), error.msg);
    }
    return documents;
}

std::vector<Json> parse_yaml(std::string_view text, std::string_view source) {
    std::vector<Json> values;
    for (Document& document : parse_documents(text, source))
        values.push_back(std::move(document.value));
    return values;
}

}  // namespace hermesctl::kube
