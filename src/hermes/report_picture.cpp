#include "report_picture.hpp"

#include "markup.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

struct Place {
    std::string_view label = "";
    bool wanted = false;
    bool governed = false;  // by policies, everywhere: no ICMP, no ports of the pod's own node
    std::array<std::string_view, 4> rows{};  // their ids
    std::string_view policy = "";  // the row that is about more of it than the probes were: no pass by itself
};

constexpr std::array places{
    Place{"the cluster's DNS", true, false},
    Place{"internet: Telegram", true, false, {"live-telegram"}},
    Place{"internet: the model", true, false, {"live-provider"}},
    Place{"API server", false, false, {"live-api"}},
    Place{"nodes: kubelet, ports", false, false, {"live-kubelet", "live-nodes", "live-nodeports"}},
    Place{"other pods", false, true, {"live-dns-ports"}, "policy-pods"},
    Place{"the gateway", false, true, {"live-gateway"}},
    Place{"the local network", false, true, {"live-lan"}},
    Place{"cloud metadata", false, true, {"live-metadata"}},
    Place{"tailnet", false, true, {"live-tailnet"}},
    Place{"other resolvers, UDP", false, true, {"live-resolvers", "live-ntp"}, "policy-open-ports"},
    Place{"ping (ICMP)", false, false, {"live-icmp", "host-icmp"}},
    Place{"IPv6", false, true, {"live-ipv6"}},
};

/// What the policies allow together: these speak for a place that was not probed and that policies surely
/// govern, unless one of them found something.
constexpr std::array<std::string_view, 4> computed{"policy-present", "policy-leaks", "policy-open-ports",
                                                   "policy-pods"};

/// The worst of the rows with one of these ids.
template <typename Ids>
std::optional<Verdict> worst_of(const Ids& ids, const Checks& checks) {
    std::optional<Verdict> worst;
    for (const Check& check : checks) {
        const bool among = !check.id.empty() && std::ranges::find(ids, check.id) != std::ranges::end(ids);
        if (among && (!worst || weight(check.verdict) > weight(*worst))) worst = check.verdict;
    }
    return worst;
}

std::optional<Verdict> computed_of(const Checks& checks) {
    const bool all_pass = std::ranges::all_of(
        computed, [&](std::string_view id) { return worst_of(std::array{id}, checks) == Verdict::pass; });
    return all_pass ? std::optional(Verdict::pass) : std::nullopt;
}

/// The DNS has no row: it answers when something is reached that the agent calls by its name.
std::optional<Verdict> answered(const Checks& checks) {
    const bool some = std::ranges::any_of(places, [&](const Place& place) {
        return place.wanted && worst_of(place.rows, checks) == Verdict::pass;
    });
    return some ? std::optional(Verdict::pass) : std::nullopt;
}

constexpr int row_height = 30;
constexpr int top = 44;
constexpr int agent_edge = 98;
constexpr int wall = 128;
constexpr int box = 186;

/// From the agent to the place: through the wall, or only up to it.
std::string line_of(const Destination& to, int y) {
    const std::string_view style = class_of(to.verdict);
    if (style == "none") return {};
    const bool reaches = to.wanted == (style == "pass");
    const bool known = style != "unknown";
    const int end = known && reaches ? box - 8 : wall;
    std::string line = fmt::format("<path class=\"line {}\" d=\"M{} {}H{}\"/>", style, agent_edge, y, end);
    if (!known)
        return line +
               fmt::format("<text class=\"sign {}\" x=\"{}\" y=\"{}\">?</text>", style, wall + 8, y + 4);
    if (reaches)
        return line + fmt::format("<path class=\"head {0}\" d=\"M{1} {2}l-8 -5v10z\"/>", style, box, y);
    return line + fmt::format("<path class=\"stop {0}\" d=\"M{1} {2}v16\"/>", style, wall, y - 8);
}

std::string box_of(const Destination& to, int y) {
    const std::string_view style = class_of(to.verdict);
    const std::string sign = to.verdict ? fmt::format("<text class=\"sign {}\" x=\"336\" y=\"{}\">{}</text>",
                                                      style, y + 4, mark_of(to.verdict))
                                        : "";
    return fmt::format(
        "<rect class=\"place {0}\" x=\"{1}\" y=\"{2}\" width=\"166\" height=\"24\" rx=\"5\"/>"
        "<text class=\"label {0}\" x=\"{3}\" y=\"{4}\">{5}</text>"
        "{6}\n",
        style, box, y - 12, box + 8, y + 4, escaped(to.label), sign);
}

/// For those who hear the page.
std::string told(const std::vector<Destination>& all) {
    std::string text;
    for (const Destination& to : all) {
        const std::string_view style = class_of(to.verdict);
        const std::string_view state = style == "none"                  ? "not looked at"
                                       : style == "unknown"             ? "could not tell"
                                       : to.wanted == (style == "pass") ? "reached"
                                                                        : "not reached";
        text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", to.label, state);
    }
    return text;
}

}  // namespace

std::string_view class_of(std::optional<Verdict> verdict) {
    if (!verdict) return "none";
    constexpr std::array<std::string_view, 5> words{"pass", "warn", "fail", "unknown", "none"};
    return words[static_cast<std::size_t>(*verdict)];
}

std::string_view mark_of(std::optional<Verdict> verdict) {
    if (!verdict) return "";
    constexpr std::array<std::string_view, 5> marks{"✓", "!", "✗", "?", "–"};
    return marks[static_cast<std::size_t>(*verdict)];
}

std::vector<Destination> destinations_of(const Checks& checks) {
    std::vector<Destination> all;
    for (const Place& place : places) {
        auto verdict = place.rows[0].empty() ? answered(checks) : worst_of(place.rows, checks);
        if (!verdict && place.governed) verdict = computed_of(checks);
        const auto policy = worst_of(std::array{place.policy}, checks);
        if (policy && weight(*policy) > weight(Verdict::pass) &&
            (!verdict || weight(*policy) > weight(*verdict)))
            verdict = policy;
        all.push_back({place.label, place.wanted, verdict});
    }
    return all;
}

std::string picture_of(const Checks& checks) {
    const std::vector<Destination> all = destinations_of(checks);
    const int height = top + row_height * static_cast<int>(all.size()) + 8;
    std::string out = fmt::format(
        "<svg viewBox=\"0 0 360 {0}\" role=\"img\" aria-labelledby=\"picture-title picture-text\">\n"
        "<title id=\"picture-title\">What the agent reaches</title><desc id=\"picture-text\">{1}</desc>\n"
        "<rect class=\"cage\" x=\"6\" y=\"6\" width=\"{2}\" height=\"{3}\" rx=\"10\"/>"
        "<text class=\"label\" x=\"18\" y=\"27\">the cage</text>"
        "<rect class=\"agent\" x=\"20\" y=\"38\" width=\"{4}\" height=\"{5}\" rx=\"7\"/>"
        "<text class=\"label middle\" x=\"59\" y=\"{6}\">the agent</text>\n",
        height, escaped(told(all)), wall - 6, height - 12, agent_edge - 20, height - 56, height / 2 + 8);
    int y = top + row_height / 2;
    for (const Destination& to : all) {
        out += line_of(to, y) + box_of(to, y);
        y += row_height;
    }
    return out + "</svg>\n";
}

}  // namespace hermesctl::hermes
