# Runs the example twice in a new folder (made, then recovered) and compares what it prints.
set(expected "appended 1000 rows
order 7 is coffee
coffee: 500 orders, 2600 in all
tea: 499 orders, 1992 in all
")
file(REMOVE_RECURSE ${FOLDER})
execute_process(COMMAND ${PROGRAM} ${FOLDER} OUTPUT_VARIABLE output ERROR_VARIABLE errors
                RESULT_VARIABLE code)
if(NOT code EQUAL 0 OR NOT output STREQUAL expected)
  message(FATAL_ERROR "exit ${code}:\n${output}${errors}\nexpected:\n${expected}")
endif()
execute_process(COMMAND ${PROGRAM} ${FOLDER} OUTPUT_VARIABLE output ERROR_VARIABLE errors
                RESULT_VARIABLE code)
file(REMOVE_RECURSE ${FOLDER})
if(code EQUAL 0 OR NOT errors MATCHES "23505: duplicate key value")
  message(FATAL_ERROR "the second run must find the first one's rows:\n${output}${errors}")
endif()
