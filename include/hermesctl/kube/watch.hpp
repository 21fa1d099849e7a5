// One collection kept as the server has it: a list, then a watch from there, started again whenever it ends.
// Rules of client-go's tools/watch/retrywatcher.go and tools/cache/reflector.go.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::kube {

/// Cuts a watch stream into events: JSON values, one a line, split anywhere.
class EventSplitter {
  public:
    /// Returns the complete lines that these bytes end. Throws Error{failed} for a line over 32 MiB.
    std::vector<std::string> feed(std::string_view bytes);

  private:
    std::string rest_{};
};

class Watch {
  public:
    /// Keeps in `objects`, which must outlive it, what the server has.
    Watch(net::Transport&, Clock&, std::string_view kind, std::string ns, Objects& objects, Selector = {});
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Starts and restarts what is due. Called before and after each Transport::poll().
    void advance();
    /// The list is in.
    bool synced() const;
    /// Set once it may not be read (401, 403) or does not exist (404), half a minute later where it was
    /// synced before; it is not tried again.
    const std::optional<ApiError>& refused() const;
    /// Why it is not connected at the moment ("connection refused"); empty while it is.
    const std::string& trouble() const;

  private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

}  // namespace hermesctl::kube
