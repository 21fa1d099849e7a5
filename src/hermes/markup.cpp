#include "markup.hpp"

#include "hermesctl/base/utf8.hpp"

namespace hermesctl::hermes {
namespace {

/// XML has no way to write these, not even as a reference.
bool is_writable(const Character& c) {
    if (c.code == '\n' || c.code == '\t') return true;
    return c.valid && !is_control(c.code) && (c.code & 0xFFFEU) != 0xFFFEU;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character c = first_character(text);
        switch (c.code) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                if (is_writable(c)) out += text.substr(0, c.size);
        }
        text.remove_prefix(c.size);
    }
    return out;
}

}  // namespace hermesctl::hermes
