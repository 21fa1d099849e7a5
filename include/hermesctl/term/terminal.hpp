// What the terminal can do, found out once and passed by value; and the few things done to it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace hermesctl::term {

struct Terminal {
    bool input = false;  // stdin is a terminal: questions may be asked
    bool live = false;   // stderr is a terminal: lines may be redrawn
    bool out_is_terminal = false;
    bool colour = false;      // on stderr
    bool out_colour = false;  // on stdout
    bool unicode = true;
    int width = 80;  // of stderr's terminal, when it was detected
    int rows = 24;
};

/// From isatty, NO_COLOR, CLICOLOR_FORCE, TERM, LANG/LC_ALL. NO_COLOR beats CLICOLOR_FORCE beats the
/// terminal.
Terminal detect(const std::map<std::string, std::string>& environment, bool no_colour);

struct Size {
    int columns = 80;
    int rows = 24;
};
/// Of the terminal on stderr, else stdout, else stdin; 80x24 where there is none.
Size size_now();

enum class Colour { red, green, yellow, cyan, dim };
/// The text between the escape sequences of a colour.
std::string paint(std::string_view, Colour);
/// Moves to the start of the line that is `lines` further up, and clears the screen from there.
std::string erase_up(int lines);

/// Asks on the terminal without echo; the text without its newline. Throws Error{interrupted} on Ctrl-C,
/// Error{failed} at the end of input; the terminal is as before, whatever happens.
std::string ask_secret(const std::string& question);
std::string ask_line(const std::string& question);
/// Yes only for y or yes.
bool ask_yes(const std::string& question);

/// stdin in raw mode for as long as it lives; restored by the destructor, also while an Error passes.
class RawMode {
  public:
    RawMode();
    ~RawMode();
    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;

  private:
    struct Saved;
    std::unique_ptr<Saved> saved_;  // null: stdin is not a terminal
};

}  // namespace hermesctl::term
