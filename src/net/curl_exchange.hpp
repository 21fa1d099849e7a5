// One request and what has come of its answer. curl's callbacks only put bytes aside here.
#pragma once

#include "curl_link.hpp"
#include "hermesctl/base/clock.hpp"

#include <array>
#include <string>

namespace hermesctl::net {

struct Exchange {
    Request request{};
    Handler handler{};
    Credentials sent{};
    int renewals = 0;  // how often credentials had been renewed when it took these
    Lines lines{};
    Easy easy{};
    Response response{};
    std::string fresh{};  // a 2xx body's bytes that on_chunk has not seen
    Clock* clock = nullptr;
    Clock::Time heard{};  // when the last byte came
    bool running = false;
    bool finished = false;
    bool asked_again = false;
    bool too_large = false;
    std::array<char, CURL_ERROR_SIZE> detail{};

    bool stream() const { return request.timeout.count() == 0; }
    /// A new handle for the request, with `sent` as its credentials.
    void prepare(CurlLink&);
    /// It runs from now on; before its end.
    void begin(Clock::Time now);
    /// Makes what the transfer ended with the response.
    void settle(const CurlLink&, CURLcode);
};

}  // namespace hermesctl::net
