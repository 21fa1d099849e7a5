// What hermesctl computes about single packets, for a judge that sends them (random_test.py). Reads from
// stdin
// {"pods", "namespaces", "policies": [objects], "questions": [{"from": "namespace/pod", "to": address,
// "protocol": "TCP", "port": 80}]} and prints for each question "open", "closed", or "receiver": open, unless
// the policies for ingress of the pod at the other end close it.
#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/reach.hpp"

#include <exception>
#include <iostream>
#include <map>

#include <arpa/inet.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

class Answers {
  public:
    explicit Answers(const Json& input)
        : policies_(input.at("policies")),
          neighbours_{.pods = input.at("pods"), .namespaces = input.at("namespaces"), .known = true} {}

    std::string to(const Json& question) {
        Packet packet;
        const std::string address = question.at("to");
        if (inet_pton(AF_INET, address.c_str(), packet.to.bytes.data() + 12) != 1)
            throw std::runtime_error("not an IPv4 address: " + address);
        packet.protocol = parse_protocol(text_at(question, "/protocol")).value();
        packet.port = question.at("port");
        if (!traffic_of(question.at("from")).contains(packet)) return "closed";
        return is_guarded(address) ? "receiver" : "open";
    }

  private:
    const Traffic& traffic_of(const std::string& sender) {
        const auto known = traffic_.find(sender);
        if (known != traffic_.end()) return known->second;
        for (const Json& pod : neighbours_.pods) {
            const std::string ns = text_at(pod, "/metadata/namespace");
            if (ns + "/" + text_at(pod, "/metadata/name") != sender) continue;
            const Sender whose{ns, at(pod, "/metadata/labels")};
            return traffic_[sender] = reach_of(whose, policies_, neighbours_).all();
        }
        throw std::runtime_error("no pod " + sender);
    }

    /// Whether a policy selects the pod at this address for ingress.
    bool is_guarded(const std::string& address) const {
        for (const Json& pod : neighbours_.pods) {
            if (text_at(pod, "/status/podIP") != address) continue;
            for (const Json& policy : policies_) {
                if (at(policy, "/metadata/namespace") == at(pod, "/metadata/namespace") &&
                    is_for(policy, "Ingress") &&
                    selects(at(policy, "/spec/podSelector"), at(pod, "/metadata/labels")))
                    return true;
            }
        }
        return false;
    }

    std::vector<Json> policies_;
    Neighbours neighbours_;
    std::map<std::string, Traffic> traffic_{};
};

}  // namespace
}  // namespace hermesctl::hermes

int main() {
    try {
        const auto input = hermesctl::kube::Json::parse(std::cin);
        hermesctl::hermes::Answers answers(input);
        auto given = hermesctl::kube::Json::array();
        for (const auto& question : input.at("questions"))
            given.push_back(answers.to(question));
        std::cout << given.dump() << "\n";
    } catch (const std::exception& error) {
        std::cerr << "reach_answers: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
