# What `cmake --install` puts in place is all there, and the binary runs from there.
# Run as `cmake -DBUILD=<build> -DINTO=<scratch folder> -P install_test.cmake`.
cmake_policy(VERSION 3.25)
file(REMOVE_RECURSE ${INTO})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${INTO} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
foreach(path bin/hermesctl share/bash-completion/completions/hermesctl.bash share/zsh/site-functions/_hermesctl
             share/fish/vendor_completions.d/hermesctl.fish share/man/man1/hermesctl.1)
  file(GLOB found RELATIVE ${INTO} ${INTO}/${path})
  if(NOT found)
    message(FATAL_ERROR "${path} is not installed")
  endif()
  file(SIZE ${INTO}/${path} size)
  if(size EQUAL 0)
    message(FATAL_ERROR "${path} is empty")
  endif()
endforeach()
execute_process(COMMAND ${INTO}/bin/hermesctl version COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${INTO})
