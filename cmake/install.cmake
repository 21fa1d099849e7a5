# What `cmake --install` puts in place: the binary, completions for three shells, a man page.
# The binary itself writes the latter, at build time.
include(GNUInstallDirs)
install(TARGETS hermesctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(pages ${CMAKE_CURRENT_BINARY_DIR}/pages)
set(page_files)
function(page file destination)
  add_custom_command(OUTPUT ${pages}/${file} VERBATIM DEPENDS hermesctl
                     COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}
                     COMMAND hermesctl ${ARGN} > ${pages}/${file})
  install(FILES ${pages}/${file} DESTINATION ${destination})
  list(APPEND page_files ${pages}/${file})
  set(page_files ${page_files} PARENT_SCOPE)
endfunction()

page(hermesctl.bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
page(_hermesctl ${CMAKE_INSTALL_DATADIR}/zsh/site-functions completion zsh)
page(hermesctl.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d completion fish)
page(hermesctl.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
add_custom_target(pages ALL DEPENDS ${page_files})
