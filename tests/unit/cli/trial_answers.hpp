// What trial.py prints of new values: one answer for all, and whose bot a token is.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string>

namespace hermesctl::cli {

inline kube::Json trial_answers(const kube::Json& values, int status, const std::string& bot) {
    kube::Json trials = kube::Json::array();
    for (const auto& [key, value] : values.items()) {
        const bool token = key == "TELEGRAM_BOT_TOKEN";
        kube::Json one{{"key", key}, {"by", token ? "Telegram" : "minimax"}, {"status", status}};
        if (token) one.update({{"username", bot}, {"other", bot != "cage_bot"}, {"now", "cage_bot"}});
        if (status != 200) one["reason"] = "Unauthorized";
        trials.push_back(one);
    }
    return {{"trials", trials}};
}

}  // namespace hermesctl::cli
