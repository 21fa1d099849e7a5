// The forms of names and numbers in settings: each says "" or why a text is not of its form.
#pragma once

#include <string>
#include <string_view>

namespace hermesctl::hermes {

bool is_variable_name(std::string_view);
std::string complaint_about_user(std::string_view);
std::string complaint_about_name(std::string_view, std::size_t longest);
std::string complaint_about_image(std::string_view);
std::string complaint_about_quantity(std::string_view);

}  // namespace hermesctl::hermes
