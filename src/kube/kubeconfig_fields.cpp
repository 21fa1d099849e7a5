#include "kubeconfig_fields.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace hermesctl::kube {

enum class FieldReader::Type { text, flag, data, path, texts, text_lists, extensions, exec, provider };

struct FieldReader::Field {
    std::string_view name{};
    Type type = Type::text;
};

const std::vector<FieldReader::Field>& FieldReader::fields_of(std::string_view kind) {
    static const std::vector<Field> cluster{
        {"server", Type::text},
        {"tls-server-name", Type::text},
        {"insecure-skip-tls-verify", Type::flag},
        {"certificate-authority", Type::path},
        {"certificate-authority-data", Type::data},
        {"proxy-url", Type::text},
        {"disable-compression", Type::flag},
        {"extensions", Type::extensions},
    };
    static const std::vector<Field> user{
        {"client-certificate", Type::path},
        {"client-certificate-data", Type::data},
        {"client-key", Type::path},
        {"client-key-data", Type::data},
        {"token", Type::text},
        {"tokenFile", Type::path},
        {"as", Type::text},
        {"as-uid", Type::text},
        {"as-groups", Type::texts},
        {"as-user-extra", Type::text_lists},
        {"username", Type::text},
        {"password", Type::text},
        {"auth-provider", Type::provider},
        {"exec", Type::exec},
        {"extensions", Type::extensions},
    };
    static const std::vector<Field> context{{"cluster", Type::text},
                                            {"user", Type::text},
                                            {"namespace", Type::text},
                                            {"extensions", Type::extensions}};
    return kind == "cluster" ? cluster : kind == "user" ? user : context;
}

FieldReader::FieldReader(const Document& document, std::string file)
    : document_(document), file_(std::move(file)) {}

void FieldReader::refuse(const std::string& pointer, std::string_view why) const {
    std::string known = pointer;
    while (!known.empty() && !document_.positions.contains(known))
        known.erase(known.rfind('/'));
    const auto found = document_.positions.find(known);
    const Position at = found == document_.positions.end() ? Position{1, 1} : found->second;
    throw Error(ExitCode::usage, fmt::format("{}:{}:{}: {}", file_, at.line, at.column, why));
}

const Json& FieldReader::find(const std::string& pointer) const {
    return at(document_.value, pointer);
}

const Json& FieldReader::object(const std::string& pointer) const {
    static const Json none = Json::object();
    const Json& value = find(pointer);
    if (value.is_null()) return none;
    if (!value.is_object()) refuse(pointer, fmt::format("{} must be a mapping", pointer));
    return value;
}

std::string FieldReader::text(const std::string& pointer) const {
    const Json& value = find(pointer);
    if (value.is_null()) return "";
    if (!value.is_string()) {
        refuse(pointer,
               fmt::format("{} must be text (put it in quotes), not a {}", pointer, value.type_name()));
    }
    return value.get<std::string>();
}

bool FieldReader::flag(const std::string& pointer) const {
    const Json& value = find(pointer);
    if (value.is_null()) return false;
    if (!value.is_boolean()) refuse(pointer, fmt::format("{} must be true or false", pointer));
    return value.get<bool>();
}

std::size_t FieldReader::list_size(const std::string& pointer) const {
    const Json& value = find(pointer);
    if (value.is_null()) return 0;
    if (!value.is_array()) refuse(pointer, fmt::format("{} must be a list", pointer));
    return value.size();
}

Json FieldReader::texts(const std::string& pointer) const {
    Json out = Json::array();
    for (std::size_t i = 0; i < list_size(pointer); ++i)
        out.push_back(text(fmt::format("{}/{}", pointer, i)));
    return out;
}

Json FieldReader::extensions(const std::string& pointer) const {
    Json out = Json::object();
    for (std::size_t i = 0; i < list_size(pointer); ++i) {
        const std::string item = fmt::format("{}/{}", pointer, i);
        object(item);
        const std::string name = text(item + "/name");
        if (out.contains(name)) refuse(item, fmt::format("the extension \"{}\" is there twice", name));
        out[name] = find(item + "/extension");
    }
    return out;
}

std::string FieldReader::absolute(const std::string& path) const {
    if (path.empty() || path[0] == '/') return path;
    return (std::filesystem::absolute(file_).parent_path() / path).lexically_normal().string();
}

Json FieldReader::exec(const std::string& pointer) const {
    object(pointer);
    Json out{{"command", text(pointer + "/command")}, {"args", nullptr}, {"env", nullptr}};
    if (!find(pointer + "/args").is_null()) out["args"] = texts(pointer + "/args");
    for (std::size_t i = 0; i < list_size(pointer + "/env"); ++i) {
        const std::string item = fmt::format("{}/env/{}", pointer, i);
        object(item);
        out["env"].push_back({{"name", text(item + "/name")}, {"value", text(item + "/value")}});
    }
    if (find(pointer + "/env").is_array() && out["env"].is_null()) out["env"] = Json::array();
    const std::string command = out["command"];
    if (command.find('/') != std::string::npos) out["command"] = absolute(command);
    for (const char* name : {"apiVersion", "installHint", "interactiveMode"}) {
        if (auto value = text(pointer + "/" + name); !value.empty()) out[name] = value;
    }
    const std::string version = text(pointer + "/apiVersion");
    const bool lenient = version.ends_with("/v1beta1") || version.ends_with("/v1alpha1");
    if (!out.contains("interactiveMode") && lenient) out["interactiveMode"] = "IfAvailable";
    out["provideClusterInfo"] = flag(pointer + "/provideClusterInfo");
    return out;
}

Json FieldReader::provider(const std::string& pointer) const {
    object(pointer);
    Json out{{"name", text(pointer + "/name")}, {"config", nullptr}};
    if (!find(pointer + "/config").is_null()) out["config"] = Json::object();
    for (const auto& item : object(pointer + "/config").items()) {
        out["config"][item.key()] = text(pointer + "/config/" + escape_pointer(item.key()));
    }
    return out;
}

Json FieldReader::field(const std::string& pointer, Type type) const {
    switch (type) {
        case Type::flag:
            return flag(pointer) ? Json(true) : Json();
        case Type::texts:
            return texts(pointer);
        case Type::extensions:
            return extensions(pointer);
        case Type::exec:
            return find(pointer).is_null() ? Json() : exec(pointer);
        case Type::provider:
            return find(pointer).is_null() ? Json() : provider(pointer);
        case Type::path:
            return absolute(text(pointer));
        case Type::text:
            return text(pointer);
        case Type::data: {
            const auto bytes = base64_decode(text(pointer));
            if (!bytes) refuse(pointer, fmt::format("{} is not base64", pointer));
            return base64_encode(*bytes);
        }
        case Type::text_lists:
            break;
    }
    Json lists = Json::object();
    for (const auto& item : object(pointer).items()) {
        lists[item.key()] = texts(pointer + "/" + escape_pointer(item.key()));
    }
    return lists;
}

Json FieldReader::stanza(const std::string& pointer, std::string_view kind) const {
    object(pointer);
    Json out = Json::object();
    for (const Field& known : fields_of(kind)) {
        Json value = field(fmt::format("{}/{}", pointer, known.name), known.type);
        const bool empty = value.is_string() ? value.get_ref<const std::string&>().empty() : value.empty();
        if (!empty) out[std::string(known.name)] = std::move(value);
    }
    return out;
}

}  // namespace hermesctl::kube
