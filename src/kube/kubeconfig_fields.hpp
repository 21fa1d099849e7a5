// The fields of a kubeconfig's stanzas (client-go tools/clientcmd/api/v1/types.go) and their types.
#pragma once

#include "hermesctl/kube/object.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <string>

namespace hermesctl::kube {

/// Reads typed values out of one kubeconfig document. Throws Error{usage} "FILE:LINE:COLUMN: why".
class FieldReader {
  public:
    FieldReader(const Document& document, std::string file);

    /// The named entry's stanza ("cluster", "user" or "context") below this pointer.
    Json stanza(const std::string& pointer, std::string_view kind) const;
    std::string text(const std::string& pointer) const;
    /// A list's items; nothing when it is not there.
    std::size_t list_size(const std::string& pointer) const;
    [[noreturn]] void refuse(const std::string& pointer, std::string_view why) const;

  private:
    struct Field;
    enum class Type;
    static const std::vector<Field>& fields_of(std::string_view kind);

    const Json& find(const std::string& pointer) const;
    const Json& object(const std::string& pointer) const;
    Json field(const std::string& pointer, Type) const;
    bool flag(const std::string& pointer) const;
    /// A list of {name, extension} by name.
    Json extensions(const std::string& pointer) const;
    Json texts(const std::string& pointer) const;
    Json exec(const std::string& pointer) const;
    Json provider(const std::string& pointer) const;
    std::string absolute(const std::string& path) const;

    const Document& document_;
    std::string file_;
};

}  // namespace hermesctl::kube
