/* The reader once more under other names, as it is where the processor has no SSE2. */
#undef __SSE2__
#define sg_open portable_open
#define sg_is_address portable_is_address
#define sg_get portable_get
#define sg_get_trail portable_get_trail
#define sg_get_many portable_get_many
#define sg_path_is_plain portable_path_is_plain
#define sg_match_path portable_match_path
#define sg_walk portable_walk
#include "reader.c"
