/* Builds the site index: nodes in the order of their first mention, then sets, rows and buckets.
 *
 * Every number is given in the order of first use, as in ../plain_builder.py, so that both builders write
 * the same bytes.
 */
#include <stdlib.h>

#include "sg.h"

#define NONE UINT32_MAX
#define PERCENT_FULL 88
#define LONGEST_HOST 253

/* -- growing arrays ----------------------------------------------------------------------------- */

typedef struct {
    uint32_t *at;
    size_t count, room;
} numbers;

static bool reserve(numbers *list, size_t more)
{
    if (list->room - list->count >= more)
        return true;
    size_t room = list->room ? list->room : 64;
    while (room - list->count < more)
        room *= 2;
    uint32_t *at = realloc(list->at, room * sizeof *at);
    if (!at)
        return false;
    list->at = at;
    list->room = room;
    return true;
}

static bool push(numbers *list, uint32_t number)
{
    if (!reserve(list, 1))
        return false;
    list->at[list->count++] = number;
    return true;
}

static uint64_t mix(uint64_t a)
{
    return sg_fold(a ^ SG_HOST_FACTOR, SG_PATH_FACTOR);
}

/* -- equal lists of numbers share one number ------------------------------------------------------ */

typedef struct {
    numbers ends, members; /* list i is members[ends[i - 1] .. ends[i]) */
    uint32_t *table;       /* open addressing; NONE is free */
    size_t mask;
} lists;

static bool lists_make(lists *known)
{
    known->mask = 1023;
    known->table = malloc((known->mask + 1) * sizeof *known->table);
    /* Room for one member, so that an empty list stands somewhere too: NULL + 0 is undefined. */
    if (!known->table || !reserve(&known->members, 1))
        return false;
    memset(known->table, 0xFF, (known->mask + 1) * sizeof *known->table);
    return true;
}

static void lists_free(lists *known)
{
    free(known->ends.at);
    free(known->members.at);
    free(known->table);
}

static inline sg_numbers lists_at(const lists *known, uint32_t number)
{
    uint32_t start = number ? known->ends.at[number - 1] : 0;
    sg_numbers list = {known->members.at + start, known->ends.at[number] - start};
    return list;
}

static uint64_t hash_list(const uint32_t *list, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = mix(hash ^ ((uint64_t)list[i] << 17));
    return hash;
}

static bool lists_grow(lists *known)
{
    size_t mask = known->mask * 2 + 1;
    uint32_t *table = malloc((mask + 1) * sizeof *table);
    if (!table)
        return false;
    memset(table, 0xFF, (mask + 1) * sizeof *table);
    for (uint32_t number = 0; number < known->ends.count; number++) {
        sg_numbers list = lists_at(known, number);
        size_t i = hash_list(list.numbers, list.count) & mask;
        while (table[i] != NONE)
            i = (i + 1) & mask;
        table[i] = number;
    }
    free(known->table);
    known->table = table;
    known->mask = mask;
    return true;
}

/* The number of a list, a new one for a new list; NONE when memory ends. */
static uint32_t number_of(lists *known, const uint32_t *list, size_t count)
{
    if (known->ends.count * 2 > known->mask && !lists_grow(known))
        return NONE;
    size_t i = hash_list(list, count) & known->mask;
    for (; known->table[i] != NONE; i = (i + 1) & known->mask) {
        sg_numbers other = lists_at(known, known->table[i]);
        if (other.count == count && (count == 0 || !memcmp(other.numbers, list, count * sizeof *list)))
            return known->table[i];
    }
    if (!reserve(&known->members, count))
        return NONE;
    if (count)
        memcpy(known->members.at + known->members.count, list, count * sizeof *list);
    known->members.count += count;
    if (!push(&known->ends, (uint32_t)known->members.count))
        return NONE;
    return known->table[i] = (uint32_t)known->ends.count - 1;
}

/* -- remembered answers for two numbers ------------------------------------------------------------ */

typedef struct {
    uint64_t key;
    uint32_t answer; /* NONE is free */
} answer;

typedef struct {
    answer *table;
    size_t count, mask;
} answers;

static bool answers_resize(answers *known, size_t mask)
{
    answer *table = malloc((mask + 1) * sizeof *table);
    if (!table)
        return false;
    memset(table, 0xFF, (mask + 1) * sizeof *table);
    for (size_t j = 0; known->table && j <= known->mask; j++) {
        if (known->table[j].answer == NONE)
            continue;
        size_t i = mix(known->table[j].key) & mask;
        while (table[i].answer != NONE)
            i = (i + 1) & mask;
        table[i] = known->table[j];
    }
    free(known->table);
    known->table = table;
    known->mask = mask;
    return true;
}

/* Where the answer for a and b stands or is to be put; NULL when memory ends. */
static uint32_t *answer_for(answers *known, uint32_t a, uint32_t b)
{
    uint64_t key = (uint64_t)a << 32 | b;
    if ((!known->table || known->count * 2 > known->mask)
        && !answers_resize(known, known->table ? known->mask * 2 + 1 : 1023))
        return NULL;
    size_t i = mix(key) & known->mask;
    for (; known->table[i].answer != NONE; i = (i + 1) & known->mask)
        if (known->table[i].key == key)
            return &known->table[i].answer;
    known->table[i].key = key;
    known->count++;
    return &known->table[i].answer;
}

/* -- the builder --------------------------------------------------------------------------------- */

enum { IS_PATH = 1, HAS_PATHS = 2, HAS_BELOW = 4 };

typedef struct {
    uint64_t state;
    const uint8_t *part; /* its label or segment, in the text it was first mentioned in */
    uint32_t parent;
    uint32_t claims; /* while adding: number of its claim list; later: its row */
    uint32_t below;  /* set of what is below it */
    uint16_t part_size;
    uint8_t flags;
} node;

typedef struct {
    uint32_t state_high, node; /* NONE is free */
} node_slot;

struct sg_builder {
    uint64_t seed, tag_mask;
    node *nodes;
    size_t n_nodes, nodes_room;
    node_slot *table;
    size_t mask;
    lists claims_added, claims, sets, rows;
    answers with_claim, unions;
    numbers row_counts, row_order, escapes, sorted_rows, scratch, claims_used, adds;
    uint32_t max_probes;
};

sg_builder *sg_builder_new(uint64_t seed, unsigned tag_bits)
{
    sg_builder *builder = calloc(1, sizeof *builder);
    if (!builder)
        return NULL;
    builder->seed = seed;
    builder->tag_mask = (UINT64_C(1) << tag_bits) - 1;
    builder->mask = 4095;
    builder->table = malloc((builder->mask + 1) * sizeof *builder->table);
    bool made = builder->table && lists_make(&builder->claims_added) && lists_make(&builder->claims)
        && lists_make(&builder->sets) && lists_make(&builder->rows)
        && number_of(&builder->claims_added, NULL, 0) != NONE
        && number_of(&builder->claims, NULL, 0) != NONE && number_of(&builder->sets, NULL, 0) != NONE;
    if (!made) {
        sg_builder_free(builder);
        return NULL;
    }
    memset(builder->table, 0xFF, (builder->mask + 1) * sizeof *builder->table);
    return builder;
}

void sg_builder_free(sg_builder *builder)
{
    if (!builder)
        return;
    free(builder->nodes);
    free(builder->table);
    lists *known[] = {&builder->claims_added, &builder->claims, &builder->sets, &builder->rows};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        lists_free(known[i]);
    free(builder->with_claim.table);
    free(builder->unions.table);
    numbers *arrays[] = {&builder->row_counts, &builder->row_order, &builder->escapes,
        &builder->sorted_rows, &builder->scratch, &builder->claims_used, &builder->adds};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]->at);
    free(builder);
}

static inline size_t slot_start(const sg_builder *builder, uint64_t state)
{
    return state & builder->mask;
}

static bool grow_table(sg_builder *builder)
{
    size_t mask = builder->mask * 2 + 1;
    node_slot *table = malloc((mask + 1) * sizeof *table);
    if (!table)
        return false;
    memset(table, 0xFF, (mask + 1) * sizeof *table);
    for (size_t j = 0; j < builder->n_nodes; j++) {
        uint64_t state = builder->nodes[j].state;
        size_t i = state & mask;
        while (table[i].node != NONE)
            i = (i + 1) & mask;
        table[i].state_high = (uint32_t)(state >> 32);
        table[i].node = (uint32_t)j;
    }
    free(builder->table);
    builder->table = table;
    builder->mask = mask;
    return true;
}

/* The node of a part below a parent, made when it is new. */
static sg_status node_for(
    sg_builder *builder, uint32_t parent, uint64_t state, const uint8_t *part, size_t size, int kind,
    uint32_t *found)
{
    size_t i = slot_start(builder, state);
    uint32_t high = (uint32_t)(state >> 32);
    for (; builder->table[i].node != NONE; i = (i + 1) & builder->mask) {
        if (builder->table[i].state_high != high)
            continue;
        const node *other = &builder->nodes[builder->table[i].node];
        if (other->state != state)
            continue;
        /* Equal states of different names would be one node to every reader. */
        if (other->parent != parent || (other->flags & IS_PATH) != kind || other->part_size != size
            || memcmp(other->part, part, size))
            return SG_COLLISION;
        *found = builder->table[i].node;
        return SG_OK;
    }
    if (builder->n_nodes >= UINT32_MAX / SG_SLOTS / 2)
        return SG_TOO_MANY;
    if (builder->n_nodes == builder->nodes_room) {
        size_t room = builder->nodes_room ? builder->nodes_room + builder->nodes_room / 2 : 4096;
        node *nodes = realloc(builder->nodes, room * sizeof *nodes);
        if (!nodes)
            return SG_NO_MEMORY;
        builder->nodes = nodes;
        builder->nodes_room = room;
    }
    *found = builder->table[i].node = (uint32_t)builder->n_nodes;
    builder->table[i].state_high = high;
    node made = {.state = state, .part = part, .parent = parent, .part_size = (uint16_t)size,
        .flags = (uint8_t)kind};
    builder->nodes[builder->n_nodes++] = made;
    if (parent != NONE) {
        node *above = &builder->nodes[parent];
        above->flags |= kind == IS_PATH && !(above->flags & IS_PATH) ? HAS_PATHS : HAS_BELOW;
    }
    if (builder->n_nodes * 3 > builder->mask * 2 && !grow_table(builder))
        return SG_NO_MEMORY;
    return SG_OK;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The number of list with one number more, sorted and without doubles. */
static uint32_t list_with(lists *known, numbers *room, uint32_t list, const uint32_t *more, size_t n)
{
    sg_numbers old = lists_at(known, list);
    room->count = 0;
    if (!reserve(room, old.count + n))
        return NONE;
    if (old.count)
        memcpy(room->at, old.numbers, old.count * sizeof *room->at);
    if (n)
        memcpy(room->at + old.count, more, n * sizeof *room->at);
    size_t count = old.count + n, kept = 0;
    qsort(room->at, count, sizeof *room->at, by_number);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || room->at[kept - 1] != room->at[i])
            room->at[kept++] = room->at[i];
    return number_of(known, room->at, kept);
}

static sg_status claim(sg_builder *builder, uint32_t number, uint32_t claim_number)
{
    node *claimed = &builder->nodes[number];
    uint32_t *with = answer_for(&builder->with_claim, claimed->claims, claim_number);
    if (!with)
        return SG_NO_MEMORY;
    if (*with == NONE)
        *with = list_with(&builder->claims_added, &builder->scratch, claimed->claims, &claim_number, 1);
    if (*with == NONE)
        return SG_NO_MEMORY;
    claimed->claims = *with;
    return SG_OK;
}

/* -- lines ---------------------------------------------------------------------------------------- */

static bool is_label_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* A host that normalising would leave as it is: two labels or more of the plain letters, whose last is
 * no number, or an IPv4 address. IPv6 has many spellings, which the caller brings into one. */
static bool host_is_plain(const uint8_t *host, size_t size)
{
    if (size == 0 || size > LONGEST_HOST)
        return false;
    size_t label = 0;
    for (size_t i = 0; i < size; i++) {
        if (host[i] == '.') {
            if (i == label)
                return false;
            label = i + 1;
        } else if (!is_label_byte(host[i])) {
            return false;
        }
    }
    if (label == size || label == 0)
        return false;
    bool last_begins_with_digit = host[label] >= '0' && host[label] <= '9';
    return !last_begins_with_digit || sg_is_address(host, size);
}

/* A path that is already in its comparable form: no capitals, no closing slash, no segment of dots. */
static bool path_is_plain(const uint8_t *path, size_t size)
{
    if (size < 2 || path[size - 1] == '/' || !sg_path_is_plain(path, size))
        return false;
    for (size_t i = 0; i < size; i++)
        if (path[i] <= ' ' || path[i] == 0x7F || (path[i] >= 'A' && path[i] <= 'Z'))
            return false;
    return true;
}

sg_status sg_builder_add_one(
    sg_builder *builder, const uint8_t *host, size_t size, const uint8_t *path, size_t path_size,
    uint32_t claim_number)
{
    if (size > UINT16_MAX || path_size > UINT16_MAX)
        return SG_TOO_MANY;
    size = sg_host_size(host, size);
    bool address = sg_is_address(host, size);
    uint64_t state = builder->seed;
    uint32_t at = NONE;
    for (size_t end = size;;) {
        size_t start = address ? 0 : sg_label_start(host, end);
        state = sg_step(state, host + start, end - start, SG_HOST_FACTOR);
        sg_status status = node_for(builder, at, state, host + start, end - start, 0, &at);
        if (status != SG_OK)
            return status;
        if (start == 0)
            break;
        end = start - 1;
    }
    for (size_t end = 0, start = 1; end < path_size; start = end + 1) {
        end = sg_segment_end(path, path_size, start);
        state = sg_step(state, path + start, end - start, SG_PATH_FACTOR);
        sg_status status = node_for(builder, at, state, path + start, end - start, IS_PATH, &at);
        if (status != SG_OK)
            return status;
    }
    return claim(builder, at, claim_number);
}

sg_status sg_builder_add(
    sg_builder *builder, const uint8_t *text, size_t size, uint32_t pair, sg_refused refused,
    void *context)
{
    if (pair > (UINT32_MAX - SG_REACHES) / SG_REACHES)
        return SG_TOO_MANY;
    for (size_t line = 0, next; line < size; line = next) {
        const uint8_t *newline = memchr(text + line, '\n', size - line);
        size_t end = newline ? (size_t)(newline - text) : size, host = line;
        next = end + 1;
        while (end > host && text[end - 1] <= ' ')
            end--;
        if (end == host || text[host] == '#')
            continue;
        uint32_t claim_number = pair * SG_REACHES;
        if (text[host] == '=') {
            claim_number += SG_REACH_HOST;
            host += 1;
        } else if (end - host > 2 && text[host] == '*' && text[host + 1] == '.') {
            claim_number += SG_REACH_BELOW;
            host += 2;
        }
        const uint8_t *slash = memchr(text + host, '/', end - host);
        size_t host_end = slash ? (size_t)(slash - text) : end;
        bool plain = host_is_plain(text + host, host_end - host)
            && (!slash || (end - host_end <= UINT16_MAX && path_is_plain(slash, end - host_end)));
        if (!plain) {
            if (!refused(context, line, end - line))
                return SG_NO_MEMORY;
            continue;
        }
        sg_status status = sg_builder_add_one(builder, text + host, host_end - host, text + host_end,
            end - host_end, claim_number);
        if (status != SG_OK)
            return status;
    }
    return SG_OK;
}

/* -- sets and rows ---------------------------------------------------------------------------------- */

/* The categories that a claim list gives, but for the claims of one reach. */
static uint32_t categories_of(
    sg_builder *builder, uint32_t claims, const uint16_t *categories, uint32_t without_reach)
{
    sg_numbers list = lists_at(&builder->claims, claims);
    numbers found = {0};
    for (size_t i = 0; i < list.count; i++)
        if (list.numbers[i] % SG_REACHES != without_reach
            && !push(&found, categories[list.numbers[i] / SG_REACHES])) {
            free(found.at);
            return NONE;
        }
    uint32_t number = list_with(&builder->sets, &builder->scratch, 0, found.at, found.count);
    free(found.at);
    return number;
}

static uint32_t union_of(sg_builder *builder, uint32_t a, uint32_t b)
{
    if (a == b || b == 0)
        return a;
    if (a == 0)
        return b;
    uint32_t *known = answer_for(&builder->unions, a, b);
    if (!known)
        return NONE;
    if (*known == NONE) {
        sg_numbers more = lists_at(&builder->sets, b);
        *known = list_with(&builder->sets, &builder->scratch, a, more.numbers, more.count);
    }
    return *known;
}

/* Number the claim list of a node by first use, and what it adds to a host here and below. */
static bool settle_claims(sg_builder *builder, uint32_t added, const uint16_t *categories, uint32_t *claims)
{
    *claims = builder->claims_used.at[added];
    if (*claims != NONE)
        return true;
    sg_numbers list = lists_at(&builder->claims_added, added);
    *claims = number_of(&builder->claims, list.numbers, list.count);
    if (*claims == NONE)
        return false;
    builder->claims_used.at[added] = *claims;
    uint32_t here = categories_of(builder, *claims, categories, SG_REACH_BELOW);
    uint32_t below = categories_of(builder, *claims, categories, SG_REACH_HOST);
    return here != NONE && below != NONE && push(&builder->adds, here) && push(&builder->adds, below);
}

sg_status sg_builder_finish(sg_builder *builder, const uint16_t *categories, uint32_t n_pairs)
{
    size_t n_added = builder->claims_added.ends.count;
    for (size_t i = 0; i < builder->claims_added.members.count; i++)
        if (builder->claims_added.members.at[i] / SG_REACHES >= n_pairs)
            return SG_TOO_MANY;
    if (!reserve(&builder->claims_used, n_added))
        return SG_NO_MEMORY;
    memset(builder->claims_used.at, 0xFF, n_added * sizeof(uint32_t));
    builder->claims_used.at[0] = 0; /* nobody claims it: nothing is added */
    if (!push(&builder->adds, 0) || !push(&builder->adds, 0))
        return SG_NO_MEMORY;
    for (size_t i = 0; i < builder->n_nodes; i++) {
        node *at = &builder->nodes[i];
        uint32_t row[4] = {0, 0, 0, at->flags & HAS_PATHS ? SG_ROW_HAS_PATHS : 0};
        if (!settle_claims(builder, at->claims, categories, &row[2]))
            return SG_NO_MEMORY;
        if (!(at->flags & IS_PATH)) {
            uint32_t above = at->parent == NONE ? 0 : builder->nodes[at->parent].below;
            row[0] = union_of(builder, above, builder->adds.at[2 * row[2]]);
            row[1] = union_of(builder, above, builder->adds.at[2 * row[2] + 1]);
            if (row[0] == NONE || row[1] == NONE)
                return SG_NO_MEMORY;
        }
        at->below = row[1];
        at->claims = number_of(&builder->rows, row, 4);
        if (at->claims == NONE)
            return SG_NO_MEMORY;
        if (at->claims == builder->row_counts.count && !push(&builder->row_counts, 0))
            return SG_NO_MEMORY;
        builder->row_counts.at[at->claims]++;
    }
    return SG_OK;
}

typedef struct {
    uint32_t count, row;
} counted;

static int most_first(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Give the rows of most nodes the smallest numbers, which need no escape. */
static bool sort_rows(sg_builder *builder)
{
    size_t n = builder->row_counts.count;
    counted *order = malloc((n ? n : 1) * sizeof *order);
    builder->sorted_rows.count = builder->row_order.count = 0;
    if (!order || !reserve(&builder->sorted_rows, 4 * n + 1) || !reserve(&builder->row_order, n + 1)) {
        free(order);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        order[i] = (counted){builder->row_counts.at[i], (uint32_t)i};
    qsort(order, n, sizeof *order, most_first);
    for (size_t i = 0; i < n; i++) {
        builder->row_counts.at[i] = order[i].count;
        builder->row_order.at[order[i].row] = (uint32_t)i;
        memcpy(builder->sorted_rows.at + 4 * i, lists_at(&builder->rows, order[i].row).numbers, 16);
    }
    builder->sorted_rows.count = 4 * n;
    builder->row_order.count = n;
    free(order);
    return true;
}

/* -- buckets ---------------------------------------------------------------------------------------- */

uint64_t sg_builder_n_buckets(const sg_builder *builder)
{
    uint64_t held = SG_SLOTS * PERCENT_FULL;
    return builder->n_nodes ? ((uint64_t)builder->n_nodes * 100 + held - 1) / held : 1;
}

sg_status sg_builder_place(sg_builder *builder, sg_bucket *buckets)
{
    enum { AHEAD = 16 };
    uint64_t n = sg_builder_n_buckets(builder);
    if (!sort_rows(builder))
        return SG_NO_MEMORY;
    for (size_t j = 0; j < builder->n_nodes; j++) {
        if (j + AHEAD < builder->n_nodes)
            __builtin_prefetch(
                &buckets[sg_place_of(builder->nodes[j + AHEAD].state, n, builder->tag_mask).bucket], 1);
        const node *at = &builder->nodes[j];
        sg_place place = sg_place_of(at->state, n, builder->tag_mask);
        uint32_t row = builder->row_order.at[at->claims];
        for (uint32_t probe = 1;; probe++) {
            sg_bucket *bucket = &buckets[place.bucket];
            unsigned i = 0;
            for (; i < SG_SLOTS && bucket->tag[i]; i++)
                if (bucket->tag[i] == place.tag && (bucket->high[i] & 0x7F) == place.high)
                    return SG_COLLISION;
            if (i < SG_SLOTS) {
                bucket->tag[i] = place.tag;
                bucket->high[i] = place.high | (at->flags & HAS_BELOW ? SG_HAS_BELOW : 0);
                bucket->row[i] = row < SG_ROW_ESCAPED ? (uint16_t)row : SG_ROW_ESCAPED;
                uint32_t slot = (uint32_t)(place.bucket * SG_SLOTS + i);
                if (row >= SG_ROW_ESCAPED && !(push(&builder->escapes, slot) && push(&builder->escapes, row)))
                    return SG_NO_MEMORY;
                if (probe > builder->max_probes)
                    builder->max_probes = probe;
                break;
            }
            bucket->passed |= place.kind;
            if (probe == 255)
                return SG_COLLISION; /* as good as one: another seed spreads them otherwise */
            if (++place.bucket == n)
                place.bucket = 0;
        }
    }
    if (builder->escapes.count)
        qsort(builder->escapes.at, builder->escapes.count / 2, sizeof(sg_escape), by_number);
    return SG_OK;
}

/* -- results ---------------------------------------------------------------------------------------- */

static sg_numbers all_of(const numbers *list)
{
    sg_numbers all = {list->at, list->count};
    return all;
}

uint64_t sg_builder_n_nodes(const sg_builder *builder) { return builder->n_nodes; }
uint32_t sg_builder_max_probes(const sg_builder *builder) { return builder->max_probes; }
sg_numbers sg_builder_rows(const sg_builder *builder) { return all_of(&builder->sorted_rows); }
sg_numbers sg_builder_row_counts(const sg_builder *builder) { return all_of(&builder->row_counts); }
sg_numbers sg_builder_escapes(const sg_builder *builder) { return all_of(&builder->escapes); }
sg_numbers sg_builder_set_ends(const sg_builder *builder) { return all_of(&builder->sets.ends); }
sg_numbers sg_builder_set_members(const sg_builder *builder) { return all_of(&builder->sets.members); }
sg_numbers sg_builder_claim_ends(const sg_builder *builder) { return all_of(&builder->claims.ends); }
sg_numbers sg_builder_claim_members(const sg_builder *builder) { return all_of(&builder->claims.members); }
