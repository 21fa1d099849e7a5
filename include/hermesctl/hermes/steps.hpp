// A function of a line that is constant between a few points: sets of ports and addresses, exactly and
// without a limit. A union, a difference, an intersection is one walk along both.
#pragma once

#include <map>
#include <optional>

namespace hermesctl::hermes {

/// Value{} before the first point; a value holds from its point on, up to the next point.
template <typename Point, typename Value>
class Steps {
  public:
    Steps() = default;
    /// `value` from `first` on, up to but without `end`, or to the end of the line.
    Steps(const Point& first, const std::optional<Point>& end, const Value& value) {
        if (value == Value{} || (end && !(first < *end))) return;
        steps_.emplace(first, value);
        if (end) steps_.emplace(*end, Value{});
    }

    /// join(a's value, b's value) everywhere; join(Value{}, Value{}) must be Value{}.
    template <typename Join>
    static Steps combined(const Steps& a, const Steps& b, Join join) {
        Steps made;
        Value left{};
        Value right{};
        Value last{};
        auto i = a.steps_.begin();
        auto j = b.steps_.begin();
        while (i != a.steps_.end() || j != b.steps_.end()) {
            const bool from_a = j == b.steps_.end() || (i != a.steps_.end() && !(j->first < i->first));
            const bool from_b = i == a.steps_.end() || (j != b.steps_.end() && !(i->first < j->first));
            const Point at = from_a ? i->first : j->first;
            if (from_a) left = (i++)->second;
            if (from_b) right = (j++)->second;
            Value value = join(left, right);
            if (value == last) continue;
            last = value;
            made.steps_.emplace_hint(made.steps_.end(), at, std::move(value));
        }
        return made;
    }

    bool empty() const { return steps_.empty(); }
    /// The points at which the value changes, with the value from there on.
    const std::map<Point, Value>& points() const { return steps_; }
    Value at(const Point& point) const {
        auto next = steps_.upper_bound(point);
        return next == steps_.begin() ? Value{} : std::prev(next)->second;
    }
    bool operator==(const Steps&) const = default;

  private:
    std::map<Point, Value> steps_{};
};

}  // namespace hermesctl::hermes
