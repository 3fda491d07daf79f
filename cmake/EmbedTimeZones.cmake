# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=tzdata.zi -DOUTPUT=file.c -P EmbedTimeZones.cmake: the names of IANA's time zones and of their links, sorted,
# as proto/runtime/time_zone.h declares them. What the file calls Factory is what a clock says that nobody has set.
file(STRINGS ${INPUT} zones REGEX "^Z ")
file(STRINGS ${INPUT} links REGEX "^L ")
list(TRANSFORM zones REPLACE "^Z ([^ ]+).*" "\\1")
list(TRANSFORM links REPLACE "^L [^ ]+ " "")
set(names ${zones} ${links})
list(REMOVE_ITEM names Factory)
list(REMOVE_DUPLICATES names)
list(SORT names)
list(LENGTH names count)
list(TRANSFORM names REPLACE "(.+)" "\t\"\\1\",\n")
string(CONCAT text ${names})
file(WRITE ${OUTPUT} "#include \"proto/runtime/time_zone.h\"

const char *const time_zones[] = {
${text}};
const size_t n_time_zones = ${count};
")
