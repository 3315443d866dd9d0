/* Any lists: the built index opens, and answers what a plain search through the entries answers.
 *
 * Input: 12 bytes (see `settings`), then blocks of list text. A block begins with the byte 0xFF, a byte
 * whose low two bits say how it is added and whose others which pair it is for, and for `COUNTED`
 * one that says how often; what stands before the first is a block of its own.
 */
#include <sanitizer/lsan_interface.h>

#include "fuzz.h"

enum { SETTINGS = 12, MAX_PAIRS = 64, BLOCK = 0xFF };
/* An input's size bounds its lines of text; the others have their own limits. */
enum { MAX_INPUT = 1 << 14, MAX_LINES = 6000, FEW_LINES = 600, SAMPLE = 200, LONGEST = 600 };
enum { MAX_ENTRIES = MAX_INPUT / 2 + MAX_LINES, MAX_BLOCKS = 2 * MAX_ENTRIES };
enum { TEXT, TEXT_TOO, ONE_BY_ONE, COUNTED };

typedef struct {
    unsigned tag_bits;   /* of the first byte: 39, or 1 to 39 */
    size_t failing;      /* which allocation fails; 0 for none */
    uint32_t n_pairs;
    uint32_t n_categories;
    uint64_t seed;
} settings;

typedef struct {
    const uint8_t *host, *path;
    size_t host_size, path_size;
    uint32_t claim;
} entry;

typedef struct {
    settings set;
    const uint8_t *data;
    size_t size;
    sg_builder *builder;
    entry *entries;
    size_t n_entries;
    copied *blocks; /* the texts, which the builder points into */
    size_t n_blocks, max_lines;
    uint16_t categories[MAX_PAIRS];
} run;

/* -- allocations that fail ------------------------------------------------------------------------ */

static size_t allocations_left; /* 0: none fails; 1: the next one does */
static size_t least_to_fail; /* smaller ones are not counted */
static bool has_failed;

static bool fails(size_t size)
{
    if (size < least_to_fail || allocations_left == 0 || --allocations_left)
        return false;
    return has_failed = true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) { return fails(size) ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size)
{
    return fails(count * size) ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *old, size_t size) { return fails(size) ? NULL : __real_realloc(old, size); }

/* -- the model: the entries, sorted --------------------------------------------------------------- */

static int compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    /* No memcmp: the fuzzer takes part in each and learns nothing here. */
    size_t i = 0;
    while (i < a_size && i < b_size && a[i] == b[i])
        i++;
    if (i < a_size && i < b_size)
        return a[i] < b[i] ? -1 : 1;
    return (a_size > b_size) - (a_size < b_size);
}

static int compare_names(const entry *a, const entry *b)
{
    int order = compare_bytes(a->host, a->host_size, b->host, b->host_size);
    return order ? order : compare_bytes(a->path, a->path_size, b->path, b->path_size);
}

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = compare_names(x, y);
    return order ? order : (x->claim > y->claim) - (x->claim < y->claim);
}

/* The entries of exactly this host and path. */
static const entry *entries_of(
    const run *now, const uint8_t *host, size_t host_size, const uint8_t *path, size_t path_size, size_t *n)
{
    entry wanted = {host, path, host_size, path_size, 0};
    size_t low = 0, high = now->n_entries;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_names(&now->entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (*n = 0; low + *n < now->n_entries && !compare_names(&now->entries[low + *n], &wanted);)
        ++*n;
    return now->entries + low;
}

/* Where the next shorter name begins that covers this host; false after the last. */
static bool next_start(const uint8_t *host, size_t size, size_t *start)
{
    if (*start == 0 && reference_is_address(host, size))
        return false;
    while (*start < size && host[*start] != '.')
        ++*start;
    return ++*start <= size;
}

/* Below a name, an address is what its labels are; alone it is one label, another node. */
static bool may_cover(const uint8_t *host, size_t size, size_t start)
{
    size -= start;
    return start == 0 || size == 0 || !reference_is_address(host + start, size)
        || !memchr(host + start, '.', size);
}

/* A bit for each category of a host, or of one that is not listed right below it. */
static uint32_t wanted_categories(const run *now, const uint8_t *host, size_t size, bool below)
{
    uint32_t bits = 0;
    size_t start = 0;
    do {
        size_t n = 0;
        uint32_t but = start == 0 && !below ? SG_REACH_BELOW : SG_REACH_HOST;
        if (!may_cover(host, size, start))
            continue;
        const entry *listed = entries_of(now, host + start, size - start, NULL, 0, &n);
        for (size_t i = 0; i < n; i++)
            if (listed[i].claim % SG_REACHES != but)
                bits |= UINT32_C(1) << now->categories[listed[i].claim / SG_REACHES];
    } while (next_start(host, size, &start));
    return bits;
}

/* -- adding --------------------------------------------------------------------------------------- */

static uint8_t *keep(run *now, const uint8_t *data, size_t size)
{
    size_t left = allocations_left;
    allocations_left = 0;
    CHECK(now->n_blocks < MAX_BLOCKS);
    copied made = copy(data, size, now->n_blocks % 8);
    now->blocks[now->n_blocks++] = made;
    allocations_left = left;
    return made.at;
}

static void expect(run *now, entry added)
{
    CHECK(now->n_entries < MAX_ENTRIES);
    now->entries[now->n_entries++] = added;
}

typedef struct {
    run *now;
    const uint8_t *text;
    size_t size, line; /* up to where the lines have been judged */
    uint32_t pair;
} text_lines;

/* Expect every line that was not refused, up to a place in the text. */
static void expect_lines(text_lines *lines, size_t until)
{
    const uint8_t *text = lines->text;
    while (lines->line < until) {
        size_t start = lines->line, end = start;
        while (end < lines->size && text[end] != '\n')
            end++;
        lines->line = end + 1;
        CHECK(end <= until);
        while (end > start && text[end - 1] <= ' ')
            end--;
        if (start == end || text[start] == '#')
            continue;
        entry added = {.claim = lines->pair * SG_REACHES};
        if (text[start] == '=')
            added.claim += SG_REACH_HOST, start++;
        else if (text[start] == '*')
            added.claim += SG_REACH_BELOW, start += 2;
        added.host = text + start;
        while (start < end && text[start] != '/') {
            CHECK(text[start] > ' ' && text[start] < 0x7F && reference_lower(text[start]) == text[start]);
            start++, added.host_size++;
        }
        added.path = text + start;
        added.path_size = end - start;
        CHECK(added.host_size > 0 && added.host_size <= 253);
        CHECK(added.path_size == 0 || sg_path_is_plain(added.path, added.path_size));
        expect(lines->now, added);
    }
}

static bool refused(void *context, size_t start, size_t size)
{
    text_lines *lines = context;
    expect_lines(lines, start);
    CHECK(lines->line == start && size > 0 && size <= lines->size - start);
    CHECK(lines->text[start] != '#' && lines->text[start + size - 1] > ' ');
    CHECK(!memchr(lines->text + start, '\n', size));
    lines->line = start + size;
    while (lines->line < lines->size && lines->text[lines->line] != '\n')
        CHECK(lines->text[lines->line++] <= ' ');
    lines->line++;
    return true;
}

static sg_status add_text(run *now, const uint8_t *data, size_t size, uint32_t pair)
{
    text_lines lines = {now, keep(now, data, size), size, 0, pair};
    sg_status status = sg_builder_add(now->builder, lines.text, size, pair, refused, &lines);
    if (status == SG_OK)
        expect_lines(&lines, size);
    return status;
}

/* Take a line as `_Build.add_entry` does: in lower case, without a root dot; "/" is the whole site. */
static sg_status add_line(run *now, const uint8_t *line, size_t size, uint32_t claim)
{
    const uint8_t *slash = size ? memchr(line, '/', size) : NULL;
    size_t host_size = slash ? (size_t)(slash - line) : size, path_size = size - host_size;
    while (host_size > 1 && line[host_size - 1] == '.')
        host_size--;
    if (path_size == 1)
        path_size = 0;
    if (now->n_entries >= now->max_lines || host_size > LONGEST || path_size > LONGEST)
        return SG_OK;
    uint8_t *host = keep(now, line, host_size);
    uint8_t *path = keep(now, slash, path_size);
    for (size_t i = 0; i < host_size; i++)
        host[i] = reference_lower(host[i]);
    for (size_t i = 0; i < path_size; i++)
        path[i] = reference_lower(path[i]);
    sg_status status = sg_builder_add_one(now->builder, host, host_size, path, path_size, claim);
    if (status == SG_OK)
        expect(now, (entry){host, path, host_size, path_size, claim});
    return status;
}

/* A line as it is, and that often with a number as its first label: many nodes from few bytes. */
static sg_status add_counted(run *now, const uint8_t *line, size_t size, uint32_t claim, unsigned times)
{
    uint8_t numbered[300];
    if (size > 253)
        return SG_OK;
    sg_status status = SG_OK;
    for (unsigned i = 0; i < times && status == SG_OK; i++) {
        int digits = snprintf((char *)numbered, sizeof numbered, "n%u.", i * 7 % 4099);
        memcpy(numbered + digits, line, size);
        status = add_line(
            now, numbered, (size_t)digits + size, (claim + i / 3) % (now->set.n_pairs * SG_REACHES));
    }
    return status;
}

static sg_status add_block(run *now, const uint8_t *data, size_t size, uint8_t control, uint8_t times)
{
    uint32_t pair = (control >> 2) % now->set.n_pairs;
    if ((control & 3) <= TEXT_TOO)
        return add_text(now, data, size, pair);
    sg_status status = SG_OK;
    for (size_t start = 0, end; start < size && status == SG_OK; start = end + 1) {
        for (end = start; end < size && data[end] != '\n';)
            end++;
        uint32_t claim = pair * SG_REACHES + (uint32_t)(start % SG_REACHES);
        if ((control & 3) == COUNTED)
            status = add_counted(now, data + start, end - start, claim, times);
        else
            status = add_line(now, data + start, end - start, claim);
    }
    return status;
}

static sg_status add_all(run *now)
{
    const uint8_t *data = now->data, *data_end = now->data + now->size;
    uint8_t control = TEXT, times = 0;
    for (;;) {
        const uint8_t *end = data;
        while (end < data_end && *end != BLOCK)
            end++;
        sg_status status = add_block(now, data, (size_t)(end - data), control, times);
        if (status != SG_OK || data_end - end < 3)
            return status;
        control = end[1];
        times = end[2];
        data = end + ((control & 3) == COUNTED ? 3 : 2);
    }
}

/* -- the finished index --------------------------------------------------------------------------- */

static void append(
    uint8_t *image, size_t *at, sg_header *header, sg_section section, const void *data, size_t size)
{
    header->section[section].start = *at;
    header->section[section].size = size;
    if (size)
        memcpy(image + *at, data, size);
    *at += size;
}

/* The sections one after the other; what the reader does not look at is left out. */
static copied image_of(const sg_builder *builder, const settings *set, const sg_bucket *buckets)
{
    sg_numbers parts[] = {sg_builder_rows(builder), sg_builder_escapes(builder),
        sg_builder_set_ends(builder), sg_builder_set_members(builder), sg_builder_claim_ends(builder),
        sg_builder_claim_members(builder)};
    enum { PARTS = sizeof parts / sizeof *parts };
    size_t bucket_bytes = sg_builder_n_buckets(builder) * sizeof *buckets;
    size_t at = sizeof(sg_header), size = at + bucket_bytes;
    for (int i = 0; i < PARTS; i++)
        size += parts[i].count * 4;
    copied image = room_for(size, set->seed % 8);
    sg_header header = {.version = 1, .tag_bits = set->tag_bits, .file_size = size, .seed = set->seed,
        .n_buckets = sg_builder_n_buckets(builder), .n_nodes = sg_builder_n_nodes(builder),
        .max_probes = sg_builder_max_probes(builder)};
    append(image.at, &at, &header, SG_BUCKETS, buckets, bucket_bytes);
    for (int i = 0; i < PARTS; i++)
        append(image.at, &at, &header, SG_ROWS + i, parts[i].numbers, parts[i].count * 4);
    CHECK(at == size);
    memcpy(image.at, &header, sizeof header);
    return image;
}

/* The layout's promises that no look-up would notice. */
static void check_layout(const sg_builder *builder, const sg_bucket *buckets)
{
    sg_numbers ends[] = {sg_builder_set_ends(builder), sg_builder_claim_ends(builder)};
    sg_numbers members[] = {sg_builder_set_members(builder), sg_builder_claim_members(builder)};
    for (int kind = 0; kind < 2; kind++) {
        size_t at = 0;
        CHECK(ends[kind].count > 0 && ends[kind].numbers[0] == 0);
        for (size_t i = 0; i < ends[kind].count; i++)
            for (size_t first = at; at < ends[kind].numbers[i]; at++)
                CHECK(at == first || members[kind].numbers[at - 1] < members[kind].numbers[at]);
        CHECK(at == members[kind].count);
    }
    sg_numbers counts = sg_builder_row_counts(builder), escapes = sg_builder_escapes(builder);
    uint64_t of_rows = 0, taken = 0;
    CHECK(sg_builder_rows(builder).count == 4 * counts.count);
    for (size_t i = 0; i < counts.count; i++) {
        CHECK(i == 0 || counts.numbers[i - 1] >= counts.numbers[i]);
        of_rows += counts.numbers[i];
    }
    for (size_t i = 2; i < escapes.count; i += 2)
        CHECK(escapes.numbers[i - 2] < escapes.numbers[i]);
    for (uint64_t i = 0; i < sg_builder_n_buckets(builder); i++)
        for (int slot = 0; slot < SG_SLOTS; slot++)
            taken += buckets[i].tag[slot] != 0;
    CHECK(of_rows == sg_builder_n_nodes(builder) && taken == of_rows);
    CHECK(sg_builder_max_probes(builder) <= 255 && (sg_builder_max_probes(builder) > 0) == (taken > 0));
}

static uint32_t categories_in(const sg_builder *builder, uint32_t set)
{
    sg_numbers ends = sg_builder_set_ends(builder), members = sg_builder_set_members(builder);
    uint32_t bits = 0;
    CHECK(set < ends.count);
    for (uint32_t i = set ? ends.numbers[set - 1] : 0; i < ends.numbers[set]; i++)
        bits |= UINT32_C(1) << members.numbers[i];
    return bits;
}

typedef struct {
    const run *now;
    const entry *listed;
    size_t start, path_end; /* of the node that must come next */
    bool is_path, is_done;
    size_t more; /* nodes that nobody listed */
    uint32_t last_claims;
} expected;

static const entry *entries_at(const expected *next, size_t *n)
{
    const entry *listed = next->listed;
    *n = 0;
    if (!may_cover(listed->host, listed->host_size, next->start))
        return NULL;
    return entries_of(next->now, listed->host + next->start, listed->host_size - next->start, listed->path,
        next->path_end, n);
}

/* Go on to the next node of host and path that is listed: the host, its paths, a label less. */
static void go_on(expected *next)
{
    const entry *listed = next->listed;
    size_t n = 0;
    do {
        if (next->path_end < listed->path_size) {
            next->path_end++;
            while (next->path_end < listed->path_size && listed->path[next->path_end] != '/')
                next->path_end++;
        } else {
            next->path_end = 0;
            size_t before = SIZE_MAX, at = 0;
            do {
                if (at < next->start)
                    before = at;
            } while (next_start(listed->host, listed->host_size, &at));
            next->start = before;
            next->is_done = before == SIZE_MAX;
            if (next->is_done)
                return;
        }
        entries_at(next, &n);
    } while (n == 0);
}

static bool check_step(void *context, const sg_step_found *step)
{
    expected *next = context;
    if (next->is_done || step->host_start != next->start || step->path_end != next->path_end) {
        next->more++;
        return true;
    }
    sg_numbers ends = sg_builder_claim_ends(next->now->builder);
    sg_numbers members = sg_builder_claim_members(next->now->builder);
    CHECK(step->claims > 0 && step->claims < ends.count);
    uint32_t at = ends.numbers[step->claims - 1], end = ends.numbers[step->claims];
    size_t n = 0;
    const entry *listed = entries_at(next, &n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || listed[i - 1].claim != listed[i].claim) {
            CHECK(at < end && members.numbers[at] == listed[i].claim);
            at++;
        }
    CHECK(at == end);
    next->last_claims = step->claims;
    go_on(next);
    return true;
}

/* Whether a host below a listed one has what the entries give it. */
static bool below_is_right(const run *now, const sg_index *index, const entry *listed)
{
    uint8_t longer[300] = "zq9.";
    size_t n = 0, size = listed->host_size + 4;
    if (size > sizeof longer || reference_is_address(listed->host, listed->host_size))
        return true;
    if (listed->host_size)
        memcpy(longer + 4, listed->host, listed->host_size);
    entries_of(now, longer, size, NULL, 0, &n);
    if (n || listed->host_size == 0 || longer[size - 1] == '.')
        return true;
    return categories_in(now->builder, sg_get(index, longer, size))
        == wanted_categories(now, listed->host, listed->host_size, true);
}

/* Compare every entry, of many a sample; give how often a node was found that nobody listed. */
static size_t check_answers(const run *now, const sg_index *index)
{
    size_t surprises = 0;
    for (size_t i = 0; i < now->n_entries; i += 1 + now->n_entries / SAMPLE) {
        const entry *listed = &now->entries[i];
        if (i && compare_names(listed - 1, listed) == 0)
            continue;
        CHECK(categories_in(now->builder, sg_get(index, listed->host, listed->host_size))
            == wanted_categories(now, listed->host, listed->host_size, false));
        expected next = {.now = now, .listed = listed, .start = SIZE_MAX, .path_end = SIZE_MAX};
        go_on(&next);
        CHECK(sg_walk(index, listed->host, listed->host_size, listed->path, listed->path_size, check_step,
            &next));
        CHECK(next.is_done);
        surprises += next.more + !below_is_right(now, index, listed);
        if (listed->path_size == 0 || listed->path[listed->path_size - 1] == '/')
            continue;
        sg_trail trail;
        sg_matches matches;
        sg_get_trail(index, listed->host, listed->host_size, &trail);
        sg_match_path(index, &trail, listed->path, listed->path_size, &matches);
        CHECK(matches.count > 0);
        if (matches.count <= SG_MATCHES)
            CHECK(matches.match[matches.count - 1] == next.last_claims * 2 + 1);
    }
    return surprises;
}

static size_t check_finished(run *now, const sg_bucket *buckets)
{
    sg_index index;
    qsort(now->entries, now->n_entries, sizeof *now->entries, compare_entries);
    check_layout(now->builder, buckets);
    copied image = image_of(now->builder, &now->set, buckets);
    const char *fault = sg_open(&index, image.at, image.size);
    if (fault)
        fprintf(stderr, "%s\n", fault);
    CHECK(!fault);
    size_t surprises = check_answers(now, &index);
    free(image.block);
    return surprises;
}

/* Build and compare. Give how many surprises there were that bad luck may explain, with this seed. */
static size_t build(run *now)
{
    size_t surprises = 0;
    sg_bucket *buckets = NULL;
    now->n_entries = now->n_blocks = 0;
    has_failed = false;
    allocations_left = now->set.failing;
    now->builder = sg_builder_new(now->set.seed, now->set.tag_bits);
    sg_status status = now->builder ? add_all(now) : SG_NO_MEMORY;
    if (status == SG_OK)
        status = sg_builder_finish(now->builder, now->categories, now->set.n_pairs);
    if (status == SG_OK) {
        size_t left = allocations_left;
        allocations_left = 0;
        buckets = calloc(sg_builder_n_buckets(now->builder), sizeof *buckets);
        CHECK(buckets);
        allocations_left = left;
        status = sg_builder_place(now->builder, buckets);
    }
    allocations_left = 0;
    CHECK((status == SG_NO_MEMORY) == has_failed);
    CHECK(status != SG_TOO_MANY);
    if (status == SG_OK)
        surprises = check_finished(now, buckets);
    if (status == SG_COLLISION)
        surprises = 1;
    free(buckets);
    sg_builder_free(now->builder);
    for (size_t i = 0; i < now->n_blocks; i++)
        free(now->blocks[i].block);
    return surprises;
}

/* -- what few bytes cannot say --------------------------------------------------------------------- */

/* More rows than fit into two bytes, each of one name: the rarest are escaped. */
static void check_escapes(void)
{
    enum { NAMES = 66000, ROOM = 16 };
    char *names = malloc((size_t)NAMES * ROOM);
    uint16_t categories[512] = {0};
    sg_builder *builder = sg_builder_new(12345, SG_TAG_BITS);
    CHECK(names && builder);
    for (uint32_t i = 0; i < NAMES; i++) {
        char *name = names + (size_t)i * ROOM;
        size_t size = (size_t)snprintf(name, ROOM, "n%u.example", i);
        uint32_t claims[] = {i % 257 * SG_REACHES, (257 + i / 257 % 255) * SG_REACHES, i / 65535 * 1533};
        for (int claim = 0; claim < 3; claim++)
            CHECK(sg_builder_add_one(builder, (uint8_t *)name, size, NULL, 0, claims[claim]) == SG_OK);
    }
    for (int i = 0; i < 512; i++)
        categories[i] = (uint16_t)(i % 16);
    CHECK(sg_builder_finish(builder, categories, 512) == SG_OK);
    sg_bucket *buckets = calloc(sg_builder_n_buckets(builder), sizeof *buckets);
    CHECK(buckets && sg_builder_place(builder, buckets) == SG_OK);
    CHECK(sg_builder_escapes(builder).count > 2);
    check_layout(builder, buckets);
    settings set = {.tag_bits = SG_TAG_BITS, .seed = 12345};
    copied image = image_of(builder, &set, buckets);
    sg_index index;
    CHECK(!sg_open(&index, image.at, image.size));
    for (uint32_t i = 0; i < NAMES; i++) {
        const char *name = names + (size_t)i * ROOM;
        uint32_t wanted = UINT32_C(1) << i % 257 % 16 | UINT32_C(1) << (257 + i / 257 % 255) % 16
            | UINT32_C(1) << i / 65535 * 511 % 16;
        CHECK(categories_in(builder, sg_get(&index, (const uint8_t *)name, strlen(name))) == wanted);
    }
    free(image.block);
    free(buckets);
    sg_builder_free(builder);
    free(names);
}

static bool count_refused(void *context, size_t start, size_t size)
{
    CHECK(start == 0 && size > UINT16_MAX);
    ++*(int *)context;
    return true;
}

static bool give_up(void *context, size_t start, size_t size)
{
    (void)context, (void)start, (void)size;
    return false;
}

static void check_limits(void)
{
    enum { LONG = UINT16_MAX + 1, HOST = 3 };
    uint8_t *name = malloc(HOST + LONG), *path = name + HOST;
    sg_builder *builder = sg_builder_new(1, SG_TAG_BITS);
    CHECK(name && builder);
    memset(name, 'a', HOST + LONG);
    CHECK(sg_builder_add_one(builder, name, LONG, NULL, 0, 0) == SG_TOO_MANY);
    name[1] = '.';
    path[0] = '/';
    CHECK(sg_builder_add_one(builder, name, HOST, path, LONG, 0) == SG_TOO_MANY);
    int lines = 0;
    CHECK(sg_builder_add(builder, name, HOST + LONG, 0, count_refused, &lines) == SG_OK && lines == 1);
    CHECK(sg_builder_n_nodes(builder) == 0);
    CHECK(sg_builder_add(builder, name, HOST + LONG - 1, 0, count_refused, &lines) == SG_OK && lines == 1);
    CHECK(sg_builder_n_nodes(builder) == 3);
    CHECK(sg_builder_add(builder, name, HOST + LONG, 0, give_up, NULL) == SG_NO_MEMORY);
    uint32_t too_high = UINT32_MAX / SG_REACHES;
    CHECK(sg_builder_add(builder, name, HOST, too_high, count_refused, &lines) == SG_TOO_MANY);
    uint16_t category = 0;
    CHECK(sg_builder_finish(builder, &category, 0) == SG_TOO_MANY);
    sg_builder_free(builder);
    free(name);
}

static run whole;

/* The input that `settings` are read from. */
static size_t build_from(const uint8_t *data, size_t size)
{
    whole.set = (settings){
        .tag_bits = data[0] & 0x80 ? SG_TAG_BITS : 1 + data[0] % SG_TAG_BITS,
        .failing = data[1],
        .n_pairs = 1 + data[2] % MAX_PAIRS,
        .n_categories = 1 + data[3] % 32,
    };
    memcpy(&whole.set.seed, data + 4, sizeof whole.set.seed);
    whole.data = data + SETTINGS;
    whole.size = size - SETTINGS;
    for (uint32_t pair = 0; pair < whole.set.n_pairs; pair++)
        whole.categories[pair] = (uint16_t)(pair * 5 % whole.set.n_categories);
    return build(&whole);
}

/* Every table grows, and every larger allocation on the way fails once. */
static void check_growth(void)
{
    uint8_t input[3000] = {0x80, 0, 63, 31, 7};
    size_t size = SETTINGS;
    for (int i = 0; i < 22; i++)
        size += (size_t)sprintf(
            (char *)input + size, "\xff%c\xffx%d.example\n", i * 4 % 64 | COUNTED, i % 19);
    for (int pair = 0; pair < MAX_PAIRS; pair++)
        size += (size_t)sprintf((char *)input + size, "\xff%ce.example\n=e.example\n*.e.example\n",
            pair * 4 | TEXT);
    CHECK(size <= sizeof input);
    whole.max_lines = MAX_LINES;
    CHECK(build_from(input, size) == 0);
    CHECK(whole.n_entries == 22 * 255 + 3 * MAX_PAIRS && !has_failed);
    least_to_fail = 512;
    do {
        whole.set.failing++;
        CHECK(build(&whole) == 0);
    } while (has_failed);
    least_to_fail = 0;
    CHECK(!__lsan_do_recoverable_leak_check());
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    whole.entries = malloc(MAX_ENTRIES * sizeof *whole.entries);
    whole.blocks = malloc(MAX_BLOCKS * sizeof *whole.blocks);
    CHECK(whole.entries && whole.blocks);
    check_limits();
    check_escapes();
    check_growth();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SETTINGS || size > MAX_INPUT)
        return 0;
    whole.max_lines = FEW_LINES;
    /* A node that is absent is found by chance: with few tag bits often, with all of them not twice. */
    bool surprised = build_from(data, size) > 0;
    if (surprised && whole.set.tag_bits == SG_TAG_BITS) {
        whole.set.seed += SG_HOST_FACTOR;
        CHECK(build(&whole) == 0);
    }
    return 0;
}
