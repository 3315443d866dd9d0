/* Reads the site index: a walk from the right that stops at the first absent node. */
#include "sg.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char *check_ends(const uint8_t *image, const sg_header *header, int ends, int members,
    uint32_t *count)
{
    uint64_t n = header->section[ends].size / 4, last = 0;
    if (header->section[ends].size % 4 || n == 0 || n > UINT32_MAX)
        return "a table of sets has no whole length";
    for (uint64_t i = 0; i < n; i++) {
        uint32_t end;
        memcpy(&end, image + header->section[ends].start + 4 * i, 4);
        if (end < last)
            return "a table of sets goes backwards";
        last = end;
    }
    if (last * 4 != header->section[members].size)
        return "a table of sets does not end where its members do";
    *count = (uint32_t)n;
    return NULL;
}

const char *sg_open(sg_index *index, const uint8_t *image, size_t size)
{
    sg_header header;
    if (size < sizeof header)
        return "shorter than a header";
    memcpy(&header, image, sizeof header);
    for (int i = 0; i <= SG_ABOUT; i++)
        if (header.section[i].start > size || header.section[i].size > size - header.section[i].start)
            return "a section lies outside the file";
    if (header.tag_bits < 1 || header.tag_bits > SG_TAG_BITS)
        return "the number of tag bits is out of range";
    if (header.n_buckets == 0 || header.n_buckets > UINT32_MAX / SG_SLOTS
        || header.section[SG_BUCKETS].size != header.n_buckets * sizeof(sg_bucket))
        return "the number of buckets is not that of the section";
    if (header.section[SG_ROWS].size % sizeof(sg_row)
        || header.section[SG_ROWS].size / sizeof(sg_row) > UINT32_MAX)
        return "the rows have no whole length";
    if (header.section[SG_ESCAPES].size % sizeof(sg_escape))
        return "the escaped rows have no whole length";
    if (header.max_probes > 255)
        return "the longest probe is out of range";
    index->seed = header.seed;
    index->tag_mask = (UINT64_C(1) << header.tag_bits) - 1;
    index->n_buckets = header.n_buckets;
    index->max_probes = header.max_probes;
    index->buckets = (const sg_bucket *)(image + header.section[SG_BUCKETS].start);
    index->rows = (const sg_row *)(image + header.section[SG_ROWS].start);
    index->n_rows = (uint32_t)(header.section[SG_ROWS].size / sizeof(sg_row));
    index->escapes = (const sg_escape *)(image + header.section[SG_ESCAPES].start);
    index->n_escapes = header.section[SG_ESCAPES].size / sizeof(sg_escape);
    const char *fault = check_ends(image, &header, SG_SET_ENDS, SG_SET_MEMBERS, &index->n_sets);
    if (!fault)
        fault = check_ends(image, &header, SG_CLAIM_ENDS, SG_CLAIM_MEMBERS, &index->n_claim_sets);
    if (fault)
        return fault;
    for (uint32_t i = 0; i < index->n_rows; i++) {
        const sg_row *row = &index->rows[i];
        if (row->here >= index->n_sets || row->below >= index->n_sets
            || row->claims >= index->n_claim_sets)
            return "a row names a set that does not exist";
    }
    return NULL;
}

bool sg_is_address(const uint8_t *host, size_t size)
{
    if (size == 0 || host[0] == '[')
        return size > 0;
    if (host[size - 1] < '0' || host[size - 1] > '9' || size > 15)
        return false;
    int numbers = 0;
    for (size_t i = 0; i < size; i++) {
        size_t digits = 0;
        unsigned value = 0;
        for (; i < size && host[i] != '.'; i++, digits++) {
            if (host[i] < '0' || host[i] > '9' || digits == 3)
                return false;
            value = value * 10 + (host[i] - '0');
        }
        if (digits == 0 || value > 255 || (digits > 1 && host[i - digits] == '0'))
            return false;
        numbers++;
    }
    return numbers == 4 && host[size - 1] != '.';
}

static const sg_row *escaped(const sg_index *index, uint32_t slot)
{
    uint64_t low = 0, high = index->n_escapes;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const sg_escape *escape = &index->escapes[middle];
        if (escape->slot == slot)
            return escape->row < index->n_rows ? &index->rows[escape->row] : NULL;
        if (escape->slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static inline void fetch(const sg_index *index, uint64_t state)
{
    __builtin_prefetch(&index->buckets[sg_place_of(state, index->n_buckets, index->tag_mask).bucket]);
}

/* A bit for each slot whose low word is this one. */
static inline unsigned slots_with(const sg_bucket *bucket, uint32_t tag)
{
#ifdef __SSE2__
    __m128i wanted = _mm_set1_epi32((int)tag);
    const void *low = bucket->tag, *next = bucket->tag + 4;
    __m128i first = _mm_cmpeq_epi32(_mm_loadu_si128(low), wanted);
    __m128i second = _mm_cmpeq_epi32(_mm_loadu_si128(next), wanted);
    unsigned eight = (unsigned)_mm_movemask_epi8(
        _mm_packs_epi16(_mm_packs_epi32(first, second), _mm_setzero_si128()));
    return eight | (unsigned)(bucket->tag[8] == tag) << 8;
#else
    unsigned equal = 0;
    for (unsigned i = 0; i < SG_SLOTS; i++)
        equal |= (unsigned)(bucket->tag[i] == tag) << i;
    return equal;
#endif
}

/* The row of a node, or NULL for an absent one. A row that does not exist is an absent node: the
 * checksums have refused such a file before. */
static inline const sg_row *find(const sg_index *index, uint64_t state, bool *has_below)
{
    sg_place place = sg_place_of(state, index->n_buckets, index->tag_mask);
    for (uint32_t probe = 0; probe < index->max_probes; probe++) {
        const sg_bucket *bucket = &index->buckets[place.bucket];
        for (unsigned equal = slots_with(bucket, place.tag); equal; equal &= equal - 1) {
            unsigned i = (unsigned)__builtin_ctz(equal);
            if ((bucket->high[i] & 0x7F) != place.high)
                continue;
            *has_below = bucket->high[i] & SG_HAS_BELOW;
            uint32_t row = bucket->row[i];
            if (row == SG_ROW_ESCAPED)
                return escaped(index, (uint32_t)(place.bucket * SG_SLOTS + i));
            return row < index->n_rows ? &index->rows[row] : NULL;
        }
        if (!(bucket->passed & place.kind))
            return NULL;
        if (++place.bucket == index->n_buckets)
            place.bucket = 0;
    }
    return NULL;
}

/* The walk computes the next node's state and asks memory for its bucket before it waits for this
 * one's: two thirds of the time of a look-up are spent waiting for memory. */
static inline uint32_t get(const sg_index *index, const uint8_t *host, size_t size, sg_trail *trail)
{
    size_t end = sg_host_size(host, size);
    size_t start = sg_is_address(host, end) ? 0 : sg_label_start(host, end);
    uint64_t state = sg_step(index->seed, host + start, end - start, SG_HOST_FACTOR);
    uint32_t set = 0;
    for (;;) {
        size_t next_start = 0;
        uint64_t next_state = 0;
        if (start) {
            next_start = sg_label_start(host, start - 1);
            next_state = sg_step(state, host + next_start, start - 1 - next_start, SG_HOST_FACTOR);
            fetch(index, next_state);
        }
        bool has_below;
        const sg_row *row = find(index, state, &has_below);
        if (!row)
            return set;
        if (trail && row->flags & SG_ROW_HAS_PATHS) {
            if (trail->count < SG_TRAIL)
                trail->state[trail->count] = state;
            trail->count++;
            trail->to_the_end = start == 0;
        }
        if (start == 0)
            return row->here;
        set = row->below;
        if (!has_below)
            return set;
        start = next_start;
        state = next_state;
    }
}

uint32_t sg_get(const sg_index *index, const uint8_t *host, size_t size)
{
    return get(index, host, size, NULL);
}

uint32_t sg_get_trail(const sg_index *index, const uint8_t *host, size_t size, sg_trail *trail)
{
    trail->count = 0;
    trail->to_the_end = false;
    return get(index, host, size, trail);
}

/* Ask memory for the bucket of the second label from the right: the first is always at hand. */
static void fetch_ahead(const sg_index *index, const uint8_t *host, size_t size)
{
    size_t end = sg_host_size(host, size);
    if (sg_is_address(host, end))
        return;
    size_t start = sg_label_start(host, end);
    uint64_t state = sg_step(index->seed, host + start, end - start, SG_HOST_FACTOR);
    if (start == 0)
        return;
    end = start - 1;
    start = sg_label_start(host, end);
    state = sg_step(state, host + start, end - start, SG_HOST_FACTOR);
    fetch(index, state);
}

void sg_get_many(
    const sg_index *index, size_t n, const uint8_t *const *hosts, const size_t *sizes, uint32_t *sets)
{
    enum { AHEAD = 12 };
    for (size_t i = 0; i < n && i < AHEAD; i++)
        fetch_ahead(index, hosts[i], sizes[i]);
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            fetch_ahead(index, hosts[i + AHEAD], sizes[i + AHEAD]);
        sets[i] = get(index, hosts[i], sizes[i], NULL);
    }
}

bool sg_path_is_plain(const uint8_t *path, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = path[i], next = i + 1 < size ? path[i + 1] : '/';
        if (byte == 0 || byte >= 0x80 || byte == '%' || byte == ';' || byte == '\\' || byte == '?'
            || byte == '#')
            return false;
        if ((byte == '.' || byte == ' ') && next == '/')
            return false;
        if (byte == '/' && i + 1 < size && (next == '/' || next == '.'))
            return false;
    }
    return true;
}

static bool walk_path(const sg_index *index, uint64_t state, size_t host_start, const uint8_t *path,
    size_t size, sg_found found, void *context)
{
    for (size_t end = 0, start = 1; end < size; start = end + 1) {
        bool has_below;
        end = sg_segment_end(path, size, start);
        state = sg_step(state, path + start, end - start, SG_PATH_FACTOR);
        const sg_row *row = find(index, state, &has_below);
        if (!row)
            break;
        sg_step_found step = {host_start, end, row->claims};
        if (row->claims && !found(context, &step))
            return false;
        if (!has_below)
            break;
    }
    return true;
}

typedef struct {
    sg_matches *matches;
    bool itself;
} noted;

static bool note_match(void *context, const sg_step_found *step)
{
    const noted *note = context;
    sg_matches *matches = note->matches;
    if (matches->count < SG_MATCHES)
        matches->match[matches->count] = step->claims * 2 + note->itself;
    return ++matches->count <= SG_MATCHES;
}

void sg_match_path(const sg_index *index, const sg_trail *trail, const uint8_t *path, size_t size,
    sg_matches *matches)
{
    matches->count = trail->count > SG_TRAIL ? SG_MATCHES + 1 : 0;
    if (size && path[size - 1] == '/')
        size--;
    for (uint32_t i = 0; i < trail->count && matches->count <= SG_MATCHES; i++) {
        noted note = {matches, trail->to_the_end && i + 1 == trail->count};
        walk_path(index, trail->state[i], 0, path, size, note_match, &note);
    }
}

bool sg_walk(
    const sg_index *index, const uint8_t *host, size_t host_size, const uint8_t *path, size_t path_size,
    sg_found found, void *context)
{
    size_t end = sg_host_size(host, host_size);
    bool address = sg_is_address(host, end);
    uint64_t state = index->seed;
    for (;;) {
        size_t start = address ? 0 : sg_label_start(host, end);
        bool has_below;
        state = sg_step(state, host + start, end - start, SG_HOST_FACTOR);
        const sg_row *row = find(index, state, &has_below);
        if (!row)
            return true;
        sg_step_found step = {start, 0, row->claims};
        if (row->claims && !found(context, &step))
            return false;
        if (row->flags & SG_ROW_HAS_PATHS
            && !walk_path(index, state, start, path, path_size, found, context))
            return false;
        if (start == 0 || !has_below)
            return true;
        end = start - 1;
    }
}
