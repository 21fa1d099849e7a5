// Which variables may hold the key of which model provider, Hermes' own list; and where it is asked.
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/nearest.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

struct Provider {
    std::string_view name{};
    std::string_view keys{};  // with blanks between; empty: signs in by itself, or is set up in `config`
    std::string_view host{};  // asking.py's, where that knows how to ask it
};

constexpr std::array providers{
    Provider{"ai-gateway", "AI_GATEWAY_API_KEY"},
    Provider{"alibaba", "DASHSCOPE_API_KEY"},
    Provider{"anthropic", "ANTHROPIC_API_KEY", "api.anthropic.com"},
    Provider{"arcee", "ARCEEAI_API_KEY"},
    Provider{"auto", ""},
    Provider{"azure-foundry", "AZURE_FOUNDRY_API_KEY"},
    Provider{"bedrock", ""},
    Provider{"copilot", "COPILOT_GITHUB_TOKEN GH_TOKEN GITHUB_TOKEN"},
    Provider{"custom", ""},
    Provider{"deepinfra", "DEEPINFRA_API_KEY"},
    Provider{"deepseek", "DEEPSEEK_API_KEY", "api.deepseek.com"},
    Provider{"fireworks", "FIREWORKS_API_KEY"},
    Provider{"gemini", "GOOGLE_API_KEY GEMINI_API_KEY"},
    Provider{"gmi", "GMI_API_KEY"},
    Provider{"huggingface", "HF_TOKEN"},
    Provider{"kilocode", "KILOCODE_API_KEY"},
    Provider{"kimi-coding", "KIMI_API_KEY"},
    Provider{"kimi-coding-cn", "KIMI_CN_API_KEY"},
    Provider{"lmstudio", "LM_API_KEY"},
    Provider{"minimax", "MINIMAX_API_KEY", "api.minimax.io"},
    Provider{"minimax-cn", "MINIMAX_CN_API_KEY", "api.minimaxi.com"},
    Provider{"minimax-oauth", ""},
    Provider{"nebius", "NEBIUS_API_KEY"},
    Provider{"nous", ""},
    Provider{"nous-api", "NOUS_API_KEY"},
    Provider{"novita", "NOVITA_API_KEY"},
    Provider{"nvidia", "NVIDIA_API_KEY"},
    Provider{"ollama-cloud", "OLLAMA_API_KEY"},
    Provider{"openai-api", "OPENAI_API_KEY", "api.openai.com"},
    Provider{"openai-codex", ""},
    Provider{"opencode-go", "OPENCODE_GO_API_KEY"},
    Provider{"opencode-zen", "OPENCODE_ZEN_API_KEY"},
    Provider{"openrouter", "OPENROUTER_API_KEY", "openrouter.ai"},
    Provider{"qwen-oauth", ""},
    Provider{"router", "RAMP_ROUTER_API_KEY"},
    Provider{"stepfun", "STEPFUN_API_KEY"},
    Provider{"tencent", "TOKENHUB_API_KEY TOKENPLAN_API_KEY"},
    Provider{"upstage", "UPSTAGE_API_KEY"},
    Provider{"xai", "XAI_API_KEY", "api.x.ai"},
    Provider{"xai-oauth", ""},
    Provider{"xiaomi", "XIAOMI_API_KEY"},
    Provider{"zai", "GLM_API_KEY ZAI_API_KEY"},
};

}  // namespace

std::vector<std::string> keys_of_provider(std::string_view name) {
    std::vector<std::string_view> names;
    for (const Provider& provider : providers) {
        names.push_back(provider.name);
        if (provider.name != name) continue;
        const auto keys = words_of(provider.keys);
        return std::vector<std::string>(keys.begin(), keys.end());
    }
    throw Error(ExitCode::usage,
                fmt::format("'{}' is no model provider that Hermes knows{}", name, did_you_mean(name, names)),
                "take 'custom' for a server of your own, and describe it under config");
}

std::string provider_of_key(std::string_view key) {
    for (const Provider& provider : providers) {
        const auto keys = words_of(provider.keys);
        if (std::ranges::find(keys, key) != keys.end()) return std::string(provider.name);
    }
    return "";
}

std::vector<std::string> keys_of_providers() {
    std::vector<std::string> all;
    for (const Provider& provider : providers) {
        for (const std::string_view key : words_of(provider.keys))
            all.emplace_back(key);
    }
    return all;
}

std::string key_of_provider(std::string_view name) {
    const std::vector<std::string> keys = keys_of_provider(name);
    return keys.empty() ? "" : keys.front();
}

std::string host_of_provider(std::string_view name) {
    const auto found = std::ranges::find(providers, name, &Provider::name);
    return found == providers.end() ? "" : std::string(found->host);
}

}  // namespace hermesctl::hermes
