// A cluster's `server` as a URL (client-go rest/url_utils.go).
#pragma once

#include <string>
#include <string_view>

namespace hermesctl::kube {

/// "https://host:port/base" without query, fragment and final slash. Without a scheme it is https if `tls`,
/// else http. `title` names the cluster in the Error{usage} for what is no URL.
std::string server_url(const std::string& server, bool tls, std::string_view title);

/// A password inside a URL ("http://user:password@host", also without its scheme) is a secret like any other.
void remember_url_password(const std::string& url);

}  // namespace hermesctl::kube
