# Runs PROGRAM and compares what it prints with the file EXPECTED.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed ERROR_VARIABLE errors RESULT_VARIABLE code)
file(READ ${EXPECTED} wanted)
if(NOT code STREQUAL "0" OR NOT printed STREQUAL wanted OR NOT errors STREQUAL "")
  message(FATAL_ERROR "exit code ${code}; printed:\n${printed}\nwanted:\n${wanted}\nerrors:\n${errors}")
endif()
