# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=schema.c -P EmbedSchema.cmake -- file.sql...: the migrations as C, in the order of their numbers.
set(files)
set(after FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(after)
    list(APPEND files "${CMAKE_ARGV${i}}")
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(after TRUE)
  endif()
endforeach()
list(SORT files)

set(texts "")
set(table "")
set(count 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_name.sql")
  endif()
  set(digits ${CMAKE_MATCH_1})
  math(EXPR count "${count} + 1")
  string(REGEX REPLACE "^0+" "" number ${digits})
  if(NOT number EQUAL count)
    message(FATAL_ERROR "${file}: migrations are numbered without gaps; ${count} was expected")
  endif()
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND texts "static const uint8_t text_${digits}[] = {\n${hex}\n};\n\n")
  string(APPEND table "\t{${number}, \"${name}\", {text_${digits}, sizeof(text_${digits})}},\n")
endforeach()

file(WRITE ${OUTPUT} "/* Made from schema/ by cmake/EmbedSchema.cmake. */
#include \"server/db/migrate.h\"

${texts}const struct migration schema_migrations[] = {
${table}};
const unsigned schema_n_migrations = ${count};
")
