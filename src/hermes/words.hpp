// The forms of names and numbers in settings: each says "" or why a text is not of its form.
#pragma once

#include <string>
#include <string_view>

namespace hermesctl::hermes {

/// Of a Secret: also what is no variable's name ("tls.crt").
bool is_data_key(std::string_view);
std::string complaint_about_user(std::string_view);
std::string complaint_about_name(std::string_view, std::size_t longest);
std::string complaint_about_image(std::string_view);
std::string complaint_about_quantity(std::string_view);

}  // namespace hermesctl::hermes
