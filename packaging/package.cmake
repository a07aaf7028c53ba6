# Where everything is installed, and the Debian package: cpack -G DEB.
include(GNUInstallDirs)
find_program(GZIP gzip REQUIRED)

# Made by the program from its own tables.
set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
function(cmlrec_generated what file)
  add_custom_command(OUTPUT ${generated}/${file}
    COMMAND $<TARGET_FILE:cml-reconciler> generate ${what} > ${generated}/${file}
    DEPENDS cml-reconciler VERBATIM)
endfunction()
cmlrec_generated(man cml-reconciler.8)
cmlrec_generated(bash cml-reconciler)
cmlrec_generated(zsh _cml-reconciler)
cmlrec_generated(fish cml-reconciler.fish)
add_custom_command(OUTPUT ${generated}/cml-reconciler.8.gz
  COMMAND ${GZIP} -9nkf ${generated}/cml-reconciler.8
  DEPENDS ${generated}/cml-reconciler.8 VERBATIM)
add_custom_target(generated ALL DEPENDS
  ${generated}/cml-reconciler.8.gz ${generated}/cml-reconciler ${generated}/_cml-reconciler
  ${generated}/cml-reconciler.fish)

set(maintainer "cml-reconciler maintainers <maintainers@cml-reconciler.org>")
string(TIMESTAMP date "%a, %d %b %Y 00:00:00 +0000" UTC)
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${generated}/changelog @ONLY)
execute_process(COMMAND ${GZIP} -9nf ${generated}/changelog COMMAND_ERROR_IS_FATAL ANY)

# dpkg wants the configuration in /etc and units where systemd looks, whatever the prefix.
set(etc /etc/cml-reconciler)
set(doc ${CMAKE_INSTALL_DATADIR}/doc/cml-reconciler)
install(FILES systemd/cml-reconciler.service DESTINATION /lib/systemd/system)
install(FILES systemd/cml-reconciler.sysusers DESTINATION lib/sysusers.d
        RENAME cml-reconciler.conf)
install(FILES packaging/jobs_config.yaml config/reconciler.yaml DESTINATION ${etc})
install(FILES ${generated}/cml-reconciler.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${generated}/cml-reconciler DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${generated}/_cml-reconciler DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${generated}/cml-reconciler.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES packaging/copyright ${generated}/changelog.gz DESTINATION ${doc})
install(FILES config/jobs_config.yaml DESTINATION ${doc}/examples)
install(DIRECTORY config/examples/ DESTINATION ${doc}/examples FILES_MATCHING PATTERN "*.yaml")
install(FILES deploy/prometheus/cml-reconciler.rules.yaml DESTINATION ${doc}/examples/prometheus)
install(FILES deploy/grafana/cml-reconciler.json DESTINATION ${doc}/examples/grafana)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cml-reconciler)
set(CPACK_PACKAGE_VENDOR cml-reconciler)
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.51)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "systemd, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A daemon that compares the projects and jobs of a file with those of a
Cloudera Machine Learning workspace, through its REST API v2, and creates,
updates and starts until both agree.
.
Health, metrics for Prometheus and a status are served on loopback.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/conffiles;${PROJECT_SOURCE_DIR}/packaging/postinst;${PROJECT_SOURCE_DIR}/packaging/prerm;${PROJECT_SOURCE_DIR}/packaging/postrm")
include(CPack)
# Without the tests, which the target `package` would build first: cmake --build BUILD --target deb
add_custom_target(deb
  COMMAND ${CMAKE_CPACK_COMMAND} -G DEB --config ${CMAKE_BINARY_DIR}/CPackConfig.cmake
  DEPENDS generated WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
