#include "curl_exchange.hpp"

#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace hermesctl::net {
namespace {

constexpr std::size_t largest_body = 64u << 20;

bool good(CURL* easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
}

// An exception must not pass through C; out of memory is the only one possible here, and ends the transfer.
std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept try {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.heard = exchange.clock->now();
    std::string_view line{data, size};
    if (line.starts_with("HTTP/")) exchange.response.headers.clear();
    if (auto colon = line.find(':'); colon != std::string_view::npos) {
        exchange.response.headers.push_back(
            {std::string{trimmed(line.substr(0, colon))}, std::string{trimmed(line.substr(colon + 1))}});
    }
    return size;
} catch (...) {
    return 0;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept try {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.heard = exchange.clock->now();
    if (exchange.handler.on_chunk && good(exchange.easy.get())) {
        exchange.fresh.append(data, size);
        return size;
    }
    exchange.too_large = exchange.response.body.size() + size > largest_body;
    if (exchange.too_large) return 0;
    exchange.response.body.append(data, size);
    return size;
} catch (...) {
    return 0;
}

void set_method(CURL* easy, const Request& request) {
    if (request.method != "GET" || !request.body.empty()) {
        set_option(easy, CURLOPT_POSTFIELDS, request.body.c_str());  // not copied: the exchange keeps it
        set_option(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    set_option(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Lines header_lines(const std::vector<Header>& headers) {
    Lines lines;
    auto append = [&lines](const std::string& line) {
        auto* longer = curl_slist_append(lines.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        (void)lines.release();
        lines.reset(longer);
    };
    append("Expect:");
    bool typed = false;
    for (const auto& header : headers) {
        typed = typed || header.name == "Content-Type";
        append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    }
    if (!typed) append("Content-Type:");  // else curl calls every body a form
    return lines;
}

}  // namespace

void Exchange::prepare(CurlLink& link) {
    lines = header_lines(link.headers(request, sent));
    easy = link.open(request.target, sent);
    response = {};
    running = finished = false;
    CURL* handle = easy.get();
    set_method(handle, request);
    set_option(handle, CURLOPT_HTTPHEADER, lines.get());
    if (link.endpoint().compression) set_option(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
    set_option(handle, CURLOPT_ERRORBUFFER, detail.data());
    set_option(handle, CURLOPT_PRIVATE, this);
    set_option(handle, CURLOPT_HEADERFUNCTION, &on_header);
    set_option(handle, CURLOPT_HEADERDATA, this);
    set_option(handle, CURLOPT_WRITEFUNCTION, &on_body);
    set_option(handle, CURLOPT_WRITEDATA, this);
}

void Exchange::begin(Clock::Time now) {
    if (!stream()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(request.end - now);
        set_option(easy.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::min(request.timeout, left).count()));
    }
    running = true;
    heard = now;
}

void Exchange::settle(const CurlLink& link, CURLcode code) {
    if (code == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
        response.status = static_cast<int>(status);
        response.connected = true;
        return;
    }
    explain_failure(response, link, easy.get(), code, detail.data());
    response.body.clear();
    if (too_large) response.failure = fmt::format("the answer is larger than {} MiB", largest_body >> 20);
}

}  // namespace hermesctl::net
