# Static libraries of a package have no debug information, as dh_strip leaves them; CPack strips programs only.
file(GLOB_RECURSE libraries ${CPACK_TEMPORARY_DIRECTORY}/*.a)
find_program(STRIP strip REQUIRED)
execute_process(COMMAND ${STRIP} --strip-debug ${libraries} COMMAND_ERROR_IS_FATAL ANY)
