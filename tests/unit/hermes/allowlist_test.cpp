// The Secret's list of users: read as people write it, changed without tidying it, never without its owner.
#include "hermesctl/hermes/allowlist.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/live.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json secret(const std::string& users, const std::string& owner = {}) {
    Json object{{"kind", "Secret"}, {"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode(users)}}}};
    if (!owner.empty()) object["metadata"]["annotations"]["hermesctl/owner"] = owner;
    return object;
}

TEST(Allowlist, UnusualButValidListsAreRead) {
    for (const char* text : {"111,222", " 111, 222 ", "111,222,", "\n111 ,\n222,,", "111,222,111"}) {
        const UserList list = user_list(text);
        EXPECT_THAT(list.ids, ElementsAre(111, 222)) << text;
        EXPECT_TRUE(list.plain) << text;
        EXPECT_EQ(list.text, text);
    }
    EXPECT_THAT(user_list("").ids, IsEmpty());
}

/// Hermes parts entries at commas alone.
TEST(Allowlist, WhatHermesReadsOtherwiseIsNotPlain) {
    const UserList blanks = user_list("111 222");
    EXPECT_THAT(blanks.ids, ElementsAre(111, 222));
    EXPECT_FALSE(blanks.plain);
    const UserList names = user_list("111,@bob,-100123");
    EXPECT_THAT(names.ids, ElementsAre(111));
    EXPECT_EQ(names.odd, 2u);
    EXPECT_FALSE(names.plain);
    const UserList all = user_list("*,111");
    EXPECT_TRUE(all.everybody);
    EXPECT_FALSE(all.plain);
    EXPECT_EQ(all.odd, 0u);
}

TEST(Allowlist, WhatLetsEverybodyInIsFoundInTheSecretAndInTheDeployment) {
    const Names names{"ns", "bot"};
    const auto found = [&](const Json& of_secret, const Json& variables) {
        const Json container{{"name", "hermes"}, {"env", variables}};
        std::vector<std::string> texts;
        for (const OpenToAll& one : what_opens_to_all(
                 of_secret, {{"spec", {{"template", {{"spec", {{"containers", {container}}}}}}}}}, names))
            texts.push_back(one.text());
        return texts;
    };
    const auto variable = [](const char* name, const char* value) {
        return Json{{"name", name}, {"value", value}};
    };
    EXPECT_THAT(what_opens_to_all(nullptr, nullptr, names), IsEmpty());
    EXPECT_THAT(found(secret("*"), Json::array()),
                ElementsAre("TELEGRAM_ALLOWED_USERS in secret/bot-secrets lets everybody in; "
                            "hermesctl allow-user --replace ID... ends that"));
    EXPECT_THAT(found(secret("1"), {variable("TELEGRAM_ALLOW_ALL_USERS", "true"),
                                    variable("TELEGRAM_ALLOWED_USERS", "1, *")}),
                ElementsAre("TELEGRAM_ALLOW_ALL_USERS in deployment/bot lets everybody in; "
                            "kubectl -n ns set env deployment/bot TELEGRAM_ALLOW_ALL_USERS- ends that",
                            "TELEGRAM_ALLOWED_USERS in deployment/bot lets everybody in; "
                            "kubectl -n ns set env deployment/bot TELEGRAM_ALLOWED_USERS- ends that"));
    EXPECT_THAT(found(secret("1"), Json::array({variable("TELEGRAM_GROUP_ALLOWED_CHATS", "*")})),
                ElementsAre(HasSubstr("TELEGRAM_GROUP_ALLOWED_CHATS in deployment/bot lets everybody in, in "
                                      "groups only; kubectl")));
    EXPECT_THAT(found(secret("1"), {variable("TELEGRAM_ALLOW_ALL_USERS", "off"),
                                    variable("TELEGRAM_ALLOWED_USERS", "1"), variable("GLOB", "*")}),
                IsEmpty());
}

TEST(Allowlist, WhatStaysOfAPlainListStaysAsItIsWritten) {
    EXPECT_EQ(with_users(user_list("111, 222,"), {333, 111}), "111, 222,333");
    EXPECT_EQ(with_users(user_list("111, 222"), {333}), "111, 222,333");
    EXPECT_EQ(with_users(user_list(" 111,"), {111}), " 111,") << "nothing to add";
    EXPECT_EQ(with_users(user_list(""), {5}), "5");
    EXPECT_EQ(without_users(user_list("111, 222, 333"), {222}), "111, 333");
    EXPECT_EQ(without_users(user_list("111, 222"), {111}), "222");
    EXPECT_EQ(without_users(user_list("111"), {111}), "");
    EXPECT_EQ(with_users(user_list("111 222"), {333}), "111,222,333") << "as Hermes reads it";
    EXPECT_EQ(without_users(user_list("111,@bob,222"), {222}), "111");
}

TEST(Allowlist, TheOwnerIsWhoWasNamedElseTheFirst) {
    EXPECT_EQ(owner_of(secret("111,222", "222")), 222);
    EXPECT_EQ(owner_of(secret("111,222")), 111);
    EXPECT_EQ(named_owner(secret("111,222")), std::nullopt);
    EXPECT_EQ(owner_of(secret("111,222", "333")), 111) << "who is not on the list owns nothing";
    EXPECT_EQ(owner_of(secret("111", "bob")), 111);
    EXPECT_EQ(owner_of(secret("*")), std::nullopt);
    EXPECT_EQ(owner_of(Json()), std::nullopt);
}

}  // namespace
}  // namespace hermesctl::hermes
