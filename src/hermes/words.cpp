// The forms of names and numbers, as Kubernetes, Telegram and image registries define them.
#include "words.hpp"

#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool one_of(char c, std::initializer_list<std::string_view> sets) {
    return std::any_of(sets.begin(), sets.end(),
                       [&](auto set) { return set.find(c) != std::string_view::npos; });
}

bool made_of(std::string_view text, std::initializer_list<std::string_view> sets) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return one_of(c, sets); });
}

bool is_path_component(std::string_view text) {
    return made_of(text, {lower, digits, "._-"}) && one_of(text.front(), {lower, digits}) &&
           one_of(text.back(), {lower, digits}) && text.find("..") == std::string_view::npos;
}

/// The first component of an image with more than one: "docker.io", "localhost:5000" or a part of the path.
bool is_registry(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view host = text.substr(0, colon);
    if (colon != std::string_view::npos && !made_of(text.substr(colon + 1), {digits})) return false;
    return made_of(host, {lower, upper, digits, ".-"}) && one_of(host.front(), {lower, upper, digits}) &&
           one_of(host.back(), {lower, upper, digits});
}

bool is_repository(std::string_view text) {
    const std::size_t first = text.find('/');
    if (first != std::string_view::npos && is_registry(text.substr(0, first))) text.remove_prefix(first + 1);
    return std::ranges::all_of(split(text, "/"), is_path_component);
}

bool is_digest(std::string_view text) {
    constexpr std::string_view algorithm = "sha256:";
    return text.starts_with(algorithm) && text.size() == algorithm.size() + 64 &&
           made_of(text.substr(algorithm.size()), {digits, "abcdef"});
}

bool is_image(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at != std::string_view::npos && !is_digest(text.substr(at + 1))) return false;
    text = text.substr(0, at);
    const std::size_t colon = text.rfind(':');
    if (colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos) {
        const std::string_view tag = text.substr(colon + 1);
        const bool good = made_of(tag, {lower, upper, digits, "_.-"}) && tag.size() <= 128;
        if (!good || tag.front() == '.' || tag.front() == '-') return false;
        text = text.substr(0, colon);
    }
    return text.size() <= 255 && is_repository(text);
}

bool is_unit(std::string_view text) {
    static constexpr std::string_view units[] = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                                 "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    if (std::find(std::begin(units), std::end(units), text) != std::end(units)) return true;
    if (text.front() != 'e' && text.front() != 'E') return false;
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return text.size() < 4 && made_of(text, {digits});
}

}  // namespace

bool is_variable_name(std::string_view text) {
    return made_of(text, {lower, upper, digits, "_"}) && !one_of(text.front(), {digits});
}

bool is_data_key(std::string_view text) {
    return made_of(text, {lower, upper, digits, "-_."}) && text.size() <= 253;
}

std::string complaint_about_user(std::string_view text) {
    if (made_of(text, {digits}) && text.front() != '0' && text.size() <= 18) return "";
    if (text == "*") return "'*' would let everybody talk to the bot; name ids";
    if (is_variable_name(text.starts_with('@') ? text.substr(1) : text)) {
        return fmt::format(
            "'{}' is a name, not an id; have that user write to @userinfobot, which tells the id", text);
    }
    if (text.starts_with('-')) {
        return fmt::format(
            "{} is a group's id, and a user's id is positive; groups have variables of their own: "
            "TELEGRAM_GROUP_ALLOWED_CHATS for all that write in a group, TELEGRAM_GROUP_ALLOWED_USERS for "
            "users "
            "in any",
            text);
    }
    if (made_of(text, {digits}) && text.size() > 18)
        return fmt::format("'{}' is too long for a user's id, which has at most 18 digits",
                           text.substr(0, 40));
    return fmt::format("'{}' is no user id; one looks like 987654321 (@userinfobot tells it)", text);
}

std::string complaint_about_name(std::string_view text, std::size_t longest) {
    if (text.size() > longest) return fmt::format("has more than {} characters", longest);
    if (made_of(text, {lower, digits, "-"}) && text.front() != '-' && text.back() != '-') return "";
    return fmt::format("'{}' may have only lower case letters, digits and '-' inside", text);
}

std::string complaint_about_image(std::string_view text) {
    if (is_image(text)) return "";
    return fmt::format("'{}' is no image name; one looks like docker.io/nousresearch/hermes-agent:latest",
                       text);
}

std::string complaint_about_quantity(std::string_view text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view number = text.substr(0, end);
    if (number.find_first_of(digits) == std::string_view::npos || number.find('.') != number.rfind('.') ||
        !is_unit(text.substr(end))) {
        return fmt::format("'{}' is no quantity; one looks like 512Mi or 250m", text);
    }
    return number.find_first_of("123456789") == std::string_view::npos ? "is zero" : "";
}

}  // namespace hermesctl::hermes
