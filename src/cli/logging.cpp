#include "logging.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace hermesctl::cli {
namespace {

class StorySink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    explicit StorySink(term::Story& story) : story_(story) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t text;
        formatter_->format(message, text);
        story_.print({text.data(), text.size()});
    }
    void flush_() override {}

  private:
    term::Story& story_;
};

}  // namespace

Logging::Logging(bool verbose, term::Story& story) {
    auto logger = std::make_shared<spdlog::logger>("hermesctl", std::make_shared<StorySink>(story));
    logger->set_pattern("%H:%M:%S.%e %v");
    logger->set_level(verbose ? spdlog::level::debug : spdlog::level::off);
    spdlog::set_default_logger(std::move(logger));
}

Logging::~Logging() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("hermesctl"));
}

}  // namespace hermesctl::cli
