// Who was refused, from the gateway's log.
#include "hermesctl/hermes/logs.hpp"
#include "hermesctl/hermes/people.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace hermesctl::hermes {
namespace {

/// How a message begins that tells of somebody, by where it comes from: Telegram's adapter asks first, and
/// what it lets pass the gateway may still refuse.
constexpr std::array<std::string_view, 3> beginnings{"[Telegram] Blocked unauthorized user ",
                                                     "[Telegram] Blocked media from unauthorized user ",
                                                     "Unauthorized user: "};

/// "2026-05-10 16:00:07,360 WARNING [tag] logger: message" without what stands before the message.
std::string_view message_of(std::string_view line) {
    constexpr std::string_view level = " WARNING ";
    constexpr std::size_t time = std::string_view("2026-05-10 16:00:07,360").size();
    if (line.size() < time || line.substr(time, level.size()) != level) return {};
    const std::size_t end = line.find(": ", time);
    return end == std::string_view::npos ? std::string_view{} : line.substr(end + 2);
}

/// "222 (Bob) on telegram": the name.
std::string name_in(std::string_view rest) {
    const std::size_t open = rest.find(" (");
    const std::size_t close = rest.rfind(") on telegram");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) return "";
    const std::string_view name = rest.substr(open + 2, close - open - 2);
    return name == "None" ? "" : std::string(name.substr(0, 100));
}

}  // namespace

std::optional<Refused> refused_in(std::string_view line) {
    const std::string_view message = message_of(line);
    const auto begun = std::find_if(beginnings.begin(), beginnings.end(),
                                    [&](std::string_view begin) { return message.starts_with(begin); });
    if (begun == beginnings.end()) return std::nullopt;
    const std::string_view rest = message.substr(begun->size());
    const bool of_gateway = begun == beginnings.end() - 1;
    if (of_gateway && rest.find(") on telegram") == std::string_view::npos) return std::nullopt;
    Refused refused{.last = std::string(line.substr(0, 19)), .times = 1};
    const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), refused.id);
    if (failure != std::errc{} || refused.id <= 0) return std::nullopt;
    if (of_gateway) refused.name = name_in(rest);
    return refused;
}

std::vector<Refused> refused_users(kube::Client& client, const Names& names, Reporter& reporter) {
    std::vector<Refused> all;
    const auto take = [&](const std::string& line) {
        auto refused = refused_in(line);
        if (!refused) return true;
        const auto known =
            std::find_if(all.begin(), all.end(), [&](const Refused& one) { return one.id == refused->id; });
        if (known != all.end()) {
            refused->times += known->times;
            if (refused->name.empty()) refused->name = known->name;
            all.erase(known);
        }
        all.insert(all.begin(), std::move(*refused));
        return true;
    };
    read_log(client, names, {.source = "gateway", .since_boot = true}, take, reporter);
    return all;
}

}  // namespace hermesctl::hermes
