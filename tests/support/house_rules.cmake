# The house in figures and directions: which folder may include which, one home for each dependency, sizes of files,
# names that say nothing, a page for each command, and that the tests which promises name exist.
# Run as `cmake -DROOT=<checkout> -P house_rules.cmake`; fails with every breach listed.
cmake_policy(VERSION 3.25)
set(breaches "")
macro(breach text)
  list(APPEND breaches "${text}")
endmacro()

# Arrows go down only.
set(may_base "base")
set(may_net "base|net")
set(may_kube "base|net|kube")
set(may_hermes "base|net|kube|hermes")
set(may_term "base|term")
set(may_cli "base|net|kube|hermes|term|cli")

# What may be named only in its home: pattern, then the paths where it may stand.
set(homes
  "<curl/"                       "^src/net/"
  "<nlohmann/"                   "^(include/hermesctl|src)/(kube|hermes|cli)/|^tests/"
  "set_default_logger|<spdlog/sinks/" "^src/cli/logging.cpp"
  "<wslay/"                      "^src/net/"
  "<yaml-cpp/"                   "^src/kube/yaml.cpp"
  "<CLI/"                        "^(src/cli/|tests/unit/cli/)"
  "<openssl/"                    "^(src/base/crypto.cpp|tests/wire/)"
  "isatty\\(|TIOCGWINSZ|tcsetattr" "^(src/term/|tests/)"
  "sleep_for|steady_clock::now"  "^(src/base/|tests/)"
  "sigaction"                    "^(src/base/|tests/)"
  "getenv|environ\\b"            "^(src/main.cpp|tests/|include/|src/.*//)"
  "std::exit"     "^(src/main.cpp|tests/)"
  "std::thread|std::async"       "^tests/"
  "\\\\x1b|\\\\033"            "^(src/term/|tests/)")

set(empty_names "Manager|Helper|Utils?|Misc|Factory|Impl|Base")

file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/src/*.cpp ${ROOT}/src/*.hpp ${ROOT}/include/*.hpp
     ${ROOT}/tests/*.cpp ${ROOT}/tests/*.hpp)
file(GLOB_RECURSE scripts RELATIVE ${ROOT} ${ROOT}/tests/node/*.py ${ROOT}/tests/node/*.go ${ROOT}/manifests/*.py
     ${ROOT}/scripts/*)
list(LENGTH sources count)
if(count LESS 60)
  breach("only ${count} sources found below ${ROOT}: the rules look at the wrong place")
endif()

foreach(path IN LISTS sources scripts)
  file(READ ${ROOT}/${path} text)
  string(REGEX MATCHALL "\n" newlines "${text}")
  list(LENGTH newlines lines)
  set(limit 400)
  if(path MATCHES "_test\\.(cpp|py|go)$|^tests/[^/]*/test_|/test_[a-z]*\\.py$")
    set(limit 600)
  endif()
  if(lines GREATER limit)
    breach("${path}: ${lines} lines, at most ${limit}")
  endif()
endforeach()

foreach(path IN LISTS sources)
  file(READ ${ROOT}/${path} text)
  if(path MATCHES "^(src|include/hermesctl)/([a-z]+)/")
    set(layer ${CMAKE_MATCH_2})
    string(REGEX MATCHALL "#include \"hermesctl/[a-z]+/" includes "${text}")
    foreach(include IN LISTS includes)
      string(REGEX REPLACE ".*hermesctl/([a-z]+)/" "\\1" used "${include}")
      if(NOT used MATCHES "^(${may_${layer}})$")
        breach("${path}: ${layer} may not include ${used}")
      endif()
    endforeach()
    if(text MATCHES "(class|struct) [A-Za-z]*(${empty_names})[ {;:]")
      breach("${path}: \"${CMAKE_MATCH_0}\" says nothing")
    endif()
    if(text MATCHES "[^A-Za-z0-9_](do_[a-z0-9_]+)\\(")
      breach("${path}: \"${CMAKE_MATCH_1}\" says nothing")
    endif()
    if(text MATCHES "TODO|FIXME")
      breach("${path}: has a ${CMAKE_MATCH_0}")
    endif()
  endif()
  if(path MATCHES "^include/" AND NOT text MATCHES "^// [^\n]+\n")
    breach("${path}: does not open with what it is")
  endif()
  list(LENGTH homes n)
  math(EXPR last "${n} - 1")
  foreach(i RANGE 0 ${last} 2)
    math(EXPR j "${i} + 1")
    list(GET homes ${i} pattern)
    list(GET homes ${j} home)
    if(text MATCHES "${pattern}" AND NOT path MATCHES "${home}")
      breach("${path}: ${pattern} has its home in ${home}")
    endif()
  endforeach()
endforeach()

# A page for each command.
file(READ ${ROOT}/src/cli/commands.cpp table)
string(REGEX MATCHALL "Command{\"[a-z-]+\", \"[^\"]*\", declare_[a-z_]+}" rows "${table}")
list(LENGTH rows commands)
if(commands LESS 10)
  breach("src/cli/commands.cpp: only ${commands} commands found")
endif()
foreach(row IN LISTS rows)
  string(REGEX REPLACE "Command{\"([a-z-]+)\".*" "\\1" name "${row}")
  if(NOT EXISTS ${ROOT}/docs/commands/${name}.md)
    breach("docs/commands/${name}.md is missing")
  endif()
endforeach()

# A heading for each check. Rows are made as Heading NAME{"id", ...}, Row{"id", ...}, row("id", ...)
# or .id = "id".
set(checks_page "")
if(EXISTS ${ROOT}/docs/checks.md)
  file(STRINGS ${ROOT}/docs/checks.md checks_page REGEX "^#+ [a-z0-9-]+$")
endif()
set(checks "")
foreach(path IN LISTS sources)
  if(path MATCHES "^src/hermes/")
    file(READ ${ROOT}/${path} text)
    string(REGEX MATCHALL "(Heading [a-z0-9_]+{|Row{|[^a-z_]row\\(|\\.id = )\"[a-z]+-[a-z0-9-]+\"" ids "${text}")
    list(APPEND checks ${ids})
  endif()
endforeach()
string(REGEX REPLACE "[^;]*\"([a-z0-9-]+)\"" "\\1" checks "${checks}")
list(REMOVE_DUPLICATES checks)
foreach(id IN LISTS checks)
  if(NOT "### ${id}" IN_LIST checks_page)
    breach("docs/checks.md: no heading ### ${id}")
  endif()
endforeach()
foreach(heading IN LISTS checks_page)
  string(REGEX REPLACE "^#+ " "" id "${heading}")
  if(heading MATCHES "^### " AND NOT id IN_LIST checks)
    breach("docs/checks.md: there is no check ${id}")
  endif()
endforeach()

# Each promise names tests that exist: docs/testing.md writes them as `Suite.Name`.
set(all_tests "")
foreach(path IN LISTS sources)
  if(path MATCHES "_test\\.cpp$")
    file(READ ${ROOT}/${path} text)
    string(REGEX MATCHALL "TEST(_F)?\\([A-Za-z]+,[ \n]*[A-Za-z0-9]+\\)" tests "${text}")
    list(APPEND all_tests ${tests})
  endif()
endforeach()
string(REGEX REPLACE "TEST(_F)?\\(([A-Za-z]+),[ \n]*([A-Za-z0-9]+)\\)" "\\2.\\3" all_tests "${all_tests}")
file(READ ${ROOT}/docs/testing.md testing)
string(REGEX MATCHALL "`[A-Z][A-Za-z]+\\.[A-Z][A-Za-z0-9]+`" named "${testing}")
list(LENGTH named promises)
if(promises LESS 10)
  breach("docs/testing.md: only ${promises} tests named")
endif()
foreach(name IN LISTS named)
  string(REPLACE "`" "" name "${name}")
  if(NOT name IN_LIST all_tests)
    breach("docs/testing.md: there is no test ${name}")
  endif()
endforeach()


# Each mutant names its test, and that is one of those above.
file(GLOB mutants RELATIVE ${ROOT} ${ROOT}/tests/mutants/*.patch)
list(LENGTH mutants mutant_count)
if(mutant_count LESS 20)
  breach("tests/mutants: only ${mutant_count} patches found")
endif()
set(mutated "")
foreach(path IN LISTS mutants)
  file(STRINGS ${ROOT}/${path} lines REGEX "^test: ")
  string(REGEX REPLACE "^test: ([A-Za-z]+\\.[A-Za-z0-9]+).*" "\\1" test "${lines}")
  if(NOT "`${test}`" IN_LIST named)
    breach("${path}: docs/testing.md does not name ${test}")
  endif()
  list(APPEND mutated "`${test}`")
endforeach()

# Each promise is broken by at least one of them. What only ctest knows by name is not looked at.
string(REPLACE ";" "," rows "${testing}")
string(REGEX MATCHALL "\n\\| [^\n]+" rows "${rows}")
foreach(row IN LISTS rows)
  string(REGEX MATCHALL "`[A-Z][A-Za-z]+\\.[A-Z][A-Za-z0-9]+`" keepers "${row}")
  set(unbroken ${keepers})
  list(REMOVE_ITEM unbroken ${mutated})
  if(keepers AND "${unbroken}" STREQUAL "${keepers}")
    string(REGEX REPLACE "\n\\| ([^|]+) \\|.*" "\\1" promise "${row}")
    breach("docs/testing.md: no mutant for \"${promise}\"")
  endif()
endforeach()

list(REMOVE_DUPLICATES breaches)
if(breaches)
  string(REPLACE ";" "\n  " shown "${breaches}")
  message(FATAL_ERROR "the house rules are broken:\n  ${shown}")
endif()
list(LENGTH sources count)
list(LENGTH checks check_count)
message(STATUS "house rules kept by ${count} sources, ${commands} commands, ${promises} promises' tests, ${check_count} checks")
