/*
 * What a program may get wrong: every cell of docs/null.md, sizes, lengths, text, alignment, other routers, too little
 * room. Each gives a status, and none a crash.
 *
 *     misuse          prints the cells as rows of docs/null.md, in order
 */
#include "check.h"

static const lane_router *router, *other;
static const lane_liveness *liveness;
static lane_request request;
static lane_decision decision;
static lane_changes changes;
static char buffer[LANE_BUFFER_BYTES];
static lane_change items[LANE_CHANGES_LEN];
static lane_trace_table *table;

static const lane_str NOTHING = {NULL, 0};
static const lane_str WRONG = {NULL, 3};

/* A row of the table: what NULL gives there, and that it does. */
static void cell(const char *function, const char *parameter, int32_t status, int32_t wanted) {
    if (status != wanted) {
        fprintf(stderr, "%s(%s = NULL): %s instead of %s\n", function, parameter, lane_status_name(status), lane_status_name(wanted));
        exit(1);
    }
    printf("| `%s` | `%s` | `%s` |\n", function, parameter, lane_status_name(status));
}

static void empty_cell(const char *function, const char *parameter, lane_str view) {
    CHECK(view.ptr == NULL && view.len == 0);
    printf("| `%s` | `%s` | `{NULL, 0}` |\n", function, parameter);
}

static void free_cell(const char *function, const char *parameter) { printf("| `%s` | `%s` | nothing happens |\n", function, parameter); }

/* A request with one field that is wrong. */
static int32_t asked(lane_request wrong) { return lane_ingress(router, NULL, lane_string("edge"), &wrong, &decision, NULL); }

static int32_t changed(lane_changes wrong) { return lane_ingress(router, NULL, lane_string("edge"), &request, &decision, &wrong); }

static void nulls(void) {
    const lane_router *router_out = NULL;
    const lane_liveness *liveness_out = NULL;
    lane_text *text = NULL;
    lane_error *error = NULL;
    lane_trace_table *table_out = NULL;
    lane_remember remember[4];
    lane_subset subsets[16];
    lane_pair labels[4];
    lane_candidate candidates[4];
    lane_str config = lane_string("{}"), name = lane_string("mocka"), lane = lane_string("v1"), json = lane_string("{\"hop\":{\"service\":\"mocka\"}}");
    size_t len = 7;
    char lane_name[LANE_NAME_BYTES];

    cell("lane_router_compile", "config", lane_router_compile(NOTHING, LANE_FORMAT_JSON, NULL, &router_out, &error), LANE_ERR_NULL);
    cell("lane_router_compile", "options", lane_router_compile(config, LANE_FORMAT_JSON, NULL, &router_out, &error), LANE_ERR_CONFIG);
    lane_error_free(&error);
    cell("lane_router_compile", "router", lane_router_compile(config, LANE_FORMAT_JSON, NULL, NULL, &error), LANE_ERR_NULL);
    cell("lane_router_compile", "error", lane_router_compile(config, LANE_FORMAT_JSON, NULL, &router_out, NULL), LANE_ERR_CONFIG);
    CHECK(router_out == NULL && error == NULL);
    empty_cell("lane_router_warnings", "router", lane_router_warnings(NULL));
    cell("lane_router_share", "router", lane_router_share(NULL, &router_out), LANE_ERR_NULL);
    cell("lane_router_share", "another_one", lane_router_share(router, NULL), LANE_ERR_NULL);
    lane_router_free(NULL);
    lane_router_free(&router_out);
    free_cell("lane_router_free", "router");

    cell("lane_error_code", "error", lane_error_code(NULL), LANE_OK);
    empty_cell("lane_error_message", "error", lane_error_message(NULL));
    empty_cell("lane_error_json", "error", lane_error_json(NULL));
    lane_error_free(NULL);
    lane_error_free(&error);
    free_cell("lane_error_free", "error");

    cell("lane_liveness_new", "router", lane_liveness_new(NULL, &liveness_out), LANE_ERR_NULL);
    cell("lane_liveness_new", "liveness", lane_liveness_new(router, NULL), LANE_ERR_NULL);
    cell("lane_liveness_set", "liveness", lane_liveness_set(NULL, name, lane, 1, 1), LANE_ERR_NULL);
    cell("lane_liveness_set", "service", lane_liveness_set(liveness, NOTHING, lane, 1, 1), LANE_ERR_NULL);
    cell("lane_liveness_set", "lane", lane_liveness_set(liveness, name, NOTHING, 1, 1), LANE_ERR_NULL);
    cell("lane_liveness_set_id", "liveness", lane_liveness_set_id(NULL, 0, 0, 1, 1), LANE_ERR_NULL);
    cell("lane_liveness_clear", "liveness", lane_liveness_clear(NULL, name, lane), LANE_ERR_NULL);
    cell("lane_liveness_clear", "service", lane_liveness_clear(liveness, NOTHING, lane), LANE_ERR_NULL);
    cell("lane_liveness_clear", "lane", lane_liveness_clear(liveness, name, NOTHING), LANE_ERR_NULL);
    cell("lane_liveness_share", "liveness", lane_liveness_share(NULL, &liveness_out), LANE_ERR_NULL);
    cell("lane_liveness_share", "another_one", lane_liveness_share(liveness, NULL), LANE_ERR_NULL);
    lane_liveness_free(NULL);
    lane_liveness_free(&liveness_out);
    free_cell("lane_liveness_free", "liveness");

#define AT_BOTH(function, at)                                                                                          \
    cell(#function, "router", function(NULL, NULL, name, &request, &decision, &changes), LANE_ERR_NULL);               \
    CHECK(decision.outcome == LANE_OUTCOME_NONE && decision.subset_id == LANE_NO_ID && changes.changes_len == 0);      \
    cell(#function, "liveness", function(router, NULL, name, &request, &decision, &changes), LANE_OK);                 \
    cell(#function, at, function(router, NULL, NOTHING, &request, &decision, &changes), LANE_ERR_NULL);                \
    CHECK(decision.outcome == LANE_OUTCOME_NONE && changes.changes_len == 0);                                          \
    cell(#function, "request", function(router, NULL, name, NULL, &decision, &changes), LANE_ERR_NULL);                \
    cell(#function, "decision", function(router, NULL, name, &request, NULL, &changes), LANE_ERR_NULL);                \
    cell(#function, "changes", function(router, NULL, name, &request, &decision, NULL), LANE_OK);
    AT_BOTH(lane_ingress, "gateway")
    AT_BOTH(lane_hop, "service")
    cell("lane_inbound", "router", lane_inbound(NULL, &request, remember, 4, &len), LANE_ERR_NULL);
    CHECK(len == 0);
    cell("lane_inbound", "request", lane_inbound(router, NULL, remember, 4, &len), LANE_ERR_NULL);
    cell("lane_inbound", "items", lane_inbound(router, &request, NULL, 4, &len), LANE_ERR_NULL);
    cell("lane_inbound", "len", lane_inbound(router, &request, remember, 4, NULL), LANE_ERR_NULL);
    cell("lane_trace_ids", "router", lane_trace_ids(NULL, &request, remember, 4, &len), LANE_ERR_NULL);
    cell("lane_trace_ids", "request", lane_trace_ids(router, NULL, remember, 4, &len), LANE_ERR_NULL);
    cell("lane_trace_ids", "items", lane_trace_ids(router, &request, NULL, 4, &len), LANE_ERR_NULL);
    cell("lane_trace_ids", "len", lane_trace_ids(router, &request, remember, 4, NULL), LANE_ERR_NULL);

    cell("lane_subsets", "router", lane_subsets(NULL, subsets, 16, &len), LANE_ERR_NULL);
    cell("lane_subsets", "items", lane_subsets(router, NULL, 16, &len), LANE_ERR_NULL);
    cell("lane_subsets", "len", lane_subsets(router, subsets, 16, NULL), LANE_ERR_NULL);
    cell("lane_subset_labels", "router", lane_subset_labels(NULL, 0, 0, labels, 4, &len), LANE_ERR_NULL);
    cell("lane_subset_labels", "items", lane_subset_labels(router, 0, 0, NULL, 4, &len), LANE_ERR_NULL);
    cell("lane_subset_labels", "len", lane_subset_labels(router, 0, 0, labels, 4, NULL), LANE_ERR_NULL);
    cell("lane_candidates", "router", lane_candidates(NULL, 0, 0, candidates, 4, &len), LANE_ERR_NULL);
    cell("lane_candidates", "items", lane_candidates(router, 0, 0, NULL, 4, &len), LANE_ERR_NULL);
    cell("lane_candidates", "len", lane_candidates(router, 0, 0, candidates, 4, NULL), LANE_ERR_NULL);

    cell("lane_trace_table_new", "table", lane_trace_table_new(1, 1, NULL), LANE_ERR_NULL);
    cell("lane_trace_table_remember", "table", lane_trace_table_remember(NULL, name, name, lane, 0), LANE_ERR_NULL);
    cell("lane_trace_table_remember", "group", lane_trace_table_remember(table, NOTHING, name, lane, 0), LANE_ERR_NULL);
    cell("lane_trace_table_remember", "trace_id", lane_trace_table_remember(table, name, NOTHING, lane, 0), LANE_ERR_NULL);
    cell("lane_trace_table_remember", "lane", lane_trace_table_remember(table, name, name, NOTHING, 0), LANE_ERR_NULL);
    cell("lane_trace_table_lane", "table", lane_trace_table_lane(NULL, name, name, 0, lane_name, sizeof lane_name, &len), LANE_ERR_NULL);
    cell("lane_trace_table_lane", "group", lane_trace_table_lane(table, NOTHING, name, 0, lane_name, sizeof lane_name, &len), LANE_ERR_NULL);
    cell("lane_trace_table_lane", "trace_id", lane_trace_table_lane(table, name, NOTHING, 0, lane_name, sizeof lane_name, &len), LANE_ERR_NULL);
    cell("lane_trace_table_lane", "buffer", lane_trace_table_lane(table, name, name, 0, NULL, sizeof lane_name, &len), LANE_ERR_NULL);
    cell("lane_trace_table_lane", "len", lane_trace_table_lane(table, name, name, 0, lane_name, sizeof lane_name, NULL), LANE_ERR_NULL);
    lane_trace_table_free(NULL);
    lane_trace_table_free(&table_out);
    free_cell("lane_trace_table_free", "table");

#define EXPLAIN_BOTH(function, at)                                                                                     \
    cell(#function, "router", function(NULL, NULL, name, &request, &text), LANE_ERR_NULL);                             \
    cell(#function, "liveness", function(router, NULL, name, &request, &text), LANE_OK);                               \
    lane_text_free(&text);                                                                                             \
    cell(#function, at, function(router, NULL, NOTHING, &request, &text), LANE_ERR_NULL);                              \
    cell(#function, "request", function(router, NULL, name, NULL, &text), LANE_ERR_NULL);                              \
    cell(#function, "text", function(router, NULL, name, &request, NULL), LANE_ERR_NULL);
    EXPLAIN_BOTH(lane_explain_ingress, "gateway")
    EXPLAIN_BOTH(lane_explain_hop, "service")
    cell("lane_decide_json", "router", lane_decide_json(NULL, json, 0, &text, &error), LANE_ERR_NULL);
    cell("lane_decide_json", "request", lane_decide_json(router, NOTHING, 0, &text, &error), LANE_ERR_NULL);
    cell("lane_decide_json", "text", lane_decide_json(router, json, 0, NULL, &error), LANE_ERR_NULL);
    cell("lane_decide_json", "error", lane_decide_json(router, config, 0, &text, NULL), LANE_ERR_REQUEST);
    CHECK(text == NULL && error == NULL);
    empty_cell("lane_text_str", "text", lane_text_str(NULL));
    lane_text_free(NULL);
    lane_text_free(&text);
    free_cell("lane_text_free", "text");

    /* Fields: a NULL with a length; a NULL without one says that there is nothing, and is fine. */
#define FIELD(field)                                                                                                   \
    do {                                                                                                               \
        lane_request wrong = request;                                                                                  \
        wrong.field = WRONG;                                                                                           \
        cell("lane_request", #field, asked(wrong), LANE_ERR_NULL);                                                     \
        wrong.field = NOTHING;                                                                                         \
        CHECK_STATUS(asked(wrong), LANE_OK);                                                                           \
    } while (0)
#define ARRAY(field)                                                                                                   \
    do {                                                                                                               \
        lane_request wrong = request;                                                                                  \
        wrong.field = NULL;                                                                                            \
        wrong.field##_len = 2;                                                                                         \
        cell("lane_request", #field, asked(wrong), LANE_ERR_NULL);                                                     \
        wrong.field##_len = 0;                                                                                         \
        CHECK_STATUS(asked(wrong), LANE_OK);                                                                           \
    } while (0)
    FIELD(method);
    FIELD(authority);
    FIELD(path);
    ARRAY(headers);
    FIELD(source_service);
    FIELD(source_lane);
    FIELD(source_ip);
    ARRAY(source_labels);
    ARRAY(remembered);
    ARRAY(recorded);
    {
        lane_changes wrong = changes;
        wrong.buffer = NULL;
        cell("lane_changes", "buffer", changed(wrong), LANE_ERR_NULL);
        wrong = changes;
        wrong.items = NULL;
        cell("lane_changes", "items", changed(wrong), LANE_ERR_NULL);
    }
}

static const void *bad_line(void *context, const void *cursor, lane_pair *line) {
    (void)cursor;
    line->name = lane_string("x-user");
    line->value = *(lane_str *)context;
    return cursor ? NULL : context;
}

static void requests(void) {
    lane_request wrong = request;
    lane_str huge = {"x", (size_t)LANE_MAX_LENGTH + 1}, negative = {"x", (size_t)-1}, torn = lane_string("v\xff");
    lane_pair line = {{"x-user", 6}, {"qa", 2}}, bad = line;
    struct {
        lane_request request;
        uint64_t more[2];
    } later;
    size_t size;

    /* Sizes: never set, too short, longer than any version; a later version's, with and without something in it. */
    for (size = 0; size < sizeof wrong; size++) {
        wrong.struct_size = size;
        CHECK_STATUS(asked(wrong), LANE_ERR_SIZE);
        CHECK(decision.outcome == LANE_OUTCOME_NONE && decision.group.ptr == NULL && decision.rule_id == LANE_NO_ID);
    }
    wrong.struct_size = (size_t)-1;
    CHECK_STATUS(asked(wrong), LANE_ERR_SIZE);
    memset(&later, 0, sizeof later);
    later.request = request;
    later.request.struct_size = sizeof later;
    CHECK_STATUS(lane_ingress(router, NULL, lane_string("edge"), &later.request, &decision, NULL), LANE_OK);
    later.more[1] = 1;
    CHECK_STATUS(lane_ingress(router, NULL, lane_string("edge"), &later.request, &decision, NULL), LANE_ERR_SIZE);

    wrong = request;
    wrong.reserved = 1;
    CHECK_STATUS(asked(wrong), LANE_ERR_SIZE);

    /* Lengths. */
#define LENGTHS(field)                                                                                                 \
    wrong = request;                                                                                                   \
    wrong.field = huge;                                                                                                \
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);                                                                       \
    wrong.field = negative;                                                                                            \
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH)
    LENGTHS(method);
    LENGTHS(authority);
    LENGTHS(path);
    LENGTHS(source_service);
    LENGTHS(source_lane);
    LENGTHS(source_ip);
#define LINES(field)                                                                                                   \
    wrong = request;                                                                                                   \
    wrong.field = &line;                                                                                               \
    wrong.field##_len = (size_t)-1;                                                                                    \
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);                                                                       \
    wrong.field##_len = (size_t)1 << 60;                                                                               \
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);                                                                       \
    wrong.field = &bad;                                                                                                \
    wrong.field##_len = 1;                                                                                             \
    bad.name = huge;                                                                                                   \
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);                                                                       \
    bad.name = WRONG;                                                                                                  \
    CHECK_STATUS(asked(wrong), LANE_ERR_NULL);                                                                         \
    bad = line;                                                                                                        \
    bad.value = negative;                                                                                              \
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);                                                                       \
    bad = line;                                                                                                        \
    wrong.field = (const lane_pair *)((const char *)&line + 1);                                                        \
    CHECK_STATUS(asked(wrong), LANE_ERR_ALIGNMENT)
    LINES(headers);
    LINES(source_labels);
    LINES(remembered);
    wrong = request;
    wrong.recorded = &torn;
    wrong.recorded_len = (size_t)-1;
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);
    wrong.recorded_len = 1;
    CHECK_STATUS(asked(wrong), LANE_ERR_UTF8);

    /* Text: names must be UTF-8, what a client sends may be anything. */
    wrong = request;
    wrong.source_service = torn;
    CHECK_STATUS(asked(wrong), LANE_ERR_UTF8);
    wrong = request;
    wrong.source_lane = torn;
    CHECK_STATUS(asked(wrong), LANE_ERR_UTF8);
    wrong = request;
    bad.value = torn;
    wrong.source_labels = &bad;
    wrong.source_labels_len = 1;
    CHECK_STATUS(asked(wrong), LANE_ERR_UTF8);
    wrong = request;
    wrong.remembered = &bad;
    wrong.remembered_len = 1;
    CHECK_STATUS(asked(wrong), LANE_ERR_UTF8);
    wrong = request;
    wrong.method = wrong.authority = wrong.path = torn;
    wrong.headers = &bad;
    wrong.headers_len = 1;
    CHECK_STATUS(asked(wrong), LANE_OK);
    wrong.source_ip = lane_string("no address");
    CHECK_STATUS(asked(wrong), LANE_OK);
    CHECK_STATUS(lane_ingress(router, NULL, torn, &request, &decision, NULL), LANE_ERR_UTF8);
    CHECK_STATUS(lane_hop(router, NULL, torn, &request, &decision, NULL), LANE_ERR_UTF8);
    CHECK_STATUS(lane_hop(router, NULL, huge, &request, &decision, NULL), LANE_ERR_LENGTH);

    /* Header lines in two ways; lines of the callback that are none. */
    wrong = request;
    wrong.headers = &line;
    wrong.headers_len = 1;
    wrong.next_header = bad_line;
    wrong.header_context = &huge;
    CHECK_STATUS(asked(wrong), LANE_ERR_HEADERS);
    wrong.headers = NULL;
    CHECK_STATUS(asked(wrong), LANE_ERR_HEADERS);
    wrong.headers_len = 0;
    CHECK_STATUS(asked(wrong), LANE_ERR_LENGTH);
    CHECK(decision.outcome == LANE_OUTCOME_NONE);
    bad.value = WRONG;
    wrong.header_context = &bad.value;
    CHECK_STATUS(asked(wrong), LANE_ERR_NULL);
    bad.value = lane_string("qa");
    CHECK_STATUS(asked(wrong), LANE_OK);
    CHECK(says(decision.rule, "testers"));

    /* Alignment. */
    {
        static uint64_t room[sizeof(lane_decision) / 8 + 2];
        lane_decision *odd = (lane_decision *)((char *)room + 1);
        CHECK_STATUS(lane_ingress(router, NULL, lane_string("edge"), &request, odd, NULL), LANE_ERR_ALIGNMENT);
        CHECK_STATUS(lane_ingress(router, NULL, lane_string("edge"), (lane_request *)((char *)room + 1), &decision, NULL), LANE_ERR_ALIGNMENT);
        CHECK_STATUS(lane_ingress(router, NULL, lane_string("edge"), &request, &decision, (lane_changes *)((char *)room + 1)), LANE_ERR_ALIGNMENT);
    }
    /* More labels than have room on the stack. */
    {
        static lane_pair labels[1000];
        for (size = 0; size < 1000; size++) labels[size] = line;
        wrong = request;
        wrong.source_labels = wrong.remembered = labels;
        wrong.source_labels_len = wrong.remembered_len = 1000;
        CHECK_STATUS(asked(wrong), LANE_OK);
    }
}

static void answers(void) {
    lane_decision wrong = decision;
    struct {
        lane_decision decision;
        uint64_t more[2];
    } later;
    lane_changes room;
    lane_pair lines[2] = {{{"x-user", 6}, {"qa", 2}}, {{"baggage", 7}, {"a=1, version=v1", 15}}};
    lane_request full = request;
    char exactly[LANE_BUFFER_BYTES + 8];
    size_t size, needed;

    for (size = 0; size < sizeof wrong; size++) {
        wrong.struct_size = size;
        CHECK_STATUS(lane_hop(router, NULL, lane_string("mocka"), &request, &wrong, NULL), LANE_ERR_SIZE);
    }
    /* A later version's decision is longer; what is not known here is left alone. */
    memset(&later, 0x5a, sizeof later);
    later.decision.struct_size = sizeof later;
    CHECK_STATUS(lane_hop(router, NULL, lane_string("mocka"), &request, &later.decision, NULL), LANE_OK);
    CHECK(later.more[0] == 0x5a5a5a5a5a5a5a5aull && later.more[1] == later.more[0] && later.decision.struct_size == sizeof later);

    full.headers = lines;
    full.headers_len = 2;
#define GATE() lane_ingress(router, NULL, lane_string("edge"), &full, &decision, &room)
    room = changes;
    CHECK_STATUS(GATE(), LANE_OK);
    CHECK(room.changes_len == 2 && room.items_needed == 2 && says(items[0].name, "version") && says(items[0].value, "v2"));
    CHECK(says(items[1].name, "baggage") && says(items[1].value, "version=v2,a=1") && items[1].kind == LANE_CHANGE_SET);
    needed = room.buffer_needed;
    /* Too small by anything, then just enough; nothing behind the buffer is touched. */
    for (size = 0; size <= needed; size++) {
        memset(exactly, 0x5a, sizeof exactly);
        room = lane_changes_new(exactly, size, items, 2);
        CHECK_STATUS(GATE(), size < needed ? LANE_ERR_SPACE : LANE_OK);
        CHECK((unsigned char)exactly[size] == 0x5a);
        if (size < LANE_WORK_BYTES) CHECK(decision.outcome == LANE_OUTCOME_NONE && room.buffer_needed >= needed);
        else CHECK(says(decision.lane, "v2") && room.buffer_needed == needed && room.changes_len == (size < needed ? 0u : 2u));
    }
    room = lane_changes_new(buffer, sizeof buffer, items, 1);
    CHECK_STATUS(GATE(), LANE_ERR_SPACE);
    CHECK(room.items_needed == 2 && room.changes_len == 0 && says(decision.lane, "v2"));
    room = lane_changes_new(buffer, sizeof buffer, NULL, 0);
    CHECK_STATUS(GATE(), LANE_ERR_SPACE);
    CHECK(room.items_needed == 2);
    room = lane_changes_new(buffer, (size_t)-1, items, 2);
    CHECK_STATUS(GATE(), LANE_ERR_LENGTH);
    room = lane_changes_new(buffer, sizeof buffer, items, (size_t)-1);
    CHECK_STATUS(GATE(), LANE_ERR_LENGTH);
    room = changes;
    room.flags = 2;
    CHECK_STATUS(GATE(), LANE_ERR_SIZE);
    room.flags = 0;
    room.reserved = 1;
    CHECK_STATUS(GATE(), LANE_ERR_SIZE);
    for (size = 0; size < sizeof room; size++) {
        room = changes;
        room.struct_size = size;
        CHECK_STATUS(GATE(), LANE_ERR_SIZE);
    }
}

static void handles(void) {
    const lane_router *reference = NULL, *fresh = NULL;
    const lane_liveness *theirs = NULL, *again = NULL;
    lane_error *error = NULL;
    lane_text *text = NULL;
    lane_options options = lane_options_new();
    lane_subset subsets[16];
    lane_candidate candidates[4];
    lane_pair labels[4];
    lane_str yaml = lane_string("version: 1\ngroups: []\n"), torn = lane_string("\xff\xfe");
    size_t len;
    char name[LANE_NAME_BYTES];

    /* Versions. */
    CHECK_STATUS(lane_check(), LANE_OK);
    CHECK(lane_abi_version() == LANE_ABI_VERSION);
    CHECK_STATUS(lane_abi_check(LANE_ABI_VERSION + 1, sizeof request, sizeof decision, sizeof changes), LANE_ERR_VERSION);
    CHECK_STATUS(lane_abi_check(0, sizeof request, sizeof decision, sizeof changes), LANE_ERR_VERSION);
    CHECK_STATUS(lane_abi_check(LANE_ABI_VERSION, sizeof request - 8, sizeof decision, sizeof changes), LANE_ERR_VERSION);
    CHECK_STATUS(lane_abi_check(LANE_ABI_VERSION, sizeof request, sizeof decision - 8, sizeof changes), LANE_ERR_VERSION);
    CHECK_STATUS(lane_abi_check(LANE_ABI_VERSION, sizeof request, sizeof decision, 0), LANE_ERR_VERSION);
    sprintf(name, "%d.%d.%d", LANE_VERSION_MAJOR, LANE_VERSION_MINOR, LANE_VERSION_PATCH);
    CHECK(strcmp(name, lane_version()) == 0);
    CHECK(strcmp(lane_status_name(12345), "?") == 0 && strcmp(lane_status_name(LANE_ERR_PANIC), "LANE_ERR_PANIC") == 0);

    /* Freed twice, by the same variable: nothing happens. Each reference is freed on its own. */
    CHECK_STATUS(lane_router_share(router, &reference), LANE_OK);
    lane_router_free(&reference);
    CHECK(reference == NULL);
    lane_router_free(&reference);
    CHECK_STATUS(lane_liveness_new(router, &theirs), LANE_OK);
    CHECK_STATUS(lane_liveness_share(theirs, &again), LANE_OK);
    lane_liveness_free(&theirs);
    lane_liveness_free(&theirs);
    CHECK_STATUS(lane_liveness_set(again, lane_string("mocka"), lane_string("v2"), 2, 0), LANE_OK);
    lane_liveness_free(&again);

    /* Another router's table, also where both came from one text; the same router by another reference. */
    CHECK_STATUS(lane_liveness_new(other, &theirs), LANE_OK);
    CHECK_STATUS(lane_ingress(router, theirs, lane_string("edge"), &request, &decision, NULL), LANE_ERR_OTHER_ROUTER);
    CHECK_STATUS(lane_explain_hop(router, theirs, lane_string("mocka"), &request, &text), LANE_ERR_OTHER_ROUTER);
    CHECK_STATUS(lane_router_share(other, &reference), LANE_OK);
    CHECK_STATUS(lane_hop(reference, theirs, lane_string("mocka"), &request, &decision, NULL), LANE_OK);
    lane_router_free(&reference);
    lane_liveness_free(&theirs);

    /* A liveness table keeps its router alive. */
    fresh = small_router();
    CHECK_STATUS(lane_liveness_new(fresh, &theirs), LANE_OK);
    lane_router_free(&fresh);
    CHECK_STATUS(lane_liveness_set(theirs, lane_string("mocka.svc"), lane_string("v2"), 1, 0), LANE_OK);
    lane_liveness_free(&theirs);

    /* Names, ids and counts. */
    CHECK_STATUS(lane_liveness_set(liveness, lane_string("mockx"), lane_string("v1"), 1, 1), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_liveness_set(liveness, lane_string("mocka"), lane_string("v9"), 1, 1), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_liveness_set(liveness, lane_string("mockb"), lane_string("v2"), 1, 1), LANE_OK);
    CHECK_STATUS(lane_liveness_set(liveness, lane_string("mocka"), lane_string("v1"), 1, 2), LANE_ERR_COUNTS);
    CHECK_STATUS(lane_liveness_set(liveness, torn, lane_string("v1"), 1, 1), LANE_ERR_UTF8);
    CHECK_STATUS(lane_liveness_set_id(liveness, 0, 0, 1, 2), LANE_ERR_COUNTS);
    CHECK_STATUS(lane_liveness_set_id(liveness, 99, 0, 1, 1), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_liveness_set_id(liveness, LANE_NO_ID, LANE_NO_ID, 1, 1), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_liveness_set_id(liveness, 0, 99, 1, 1), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_liveness_set_id(liveness, 0, 2, 1, 1), LANE_ERR_UNKNOWN); /* a lane of the other group */
    CHECK_STATUS(lane_liveness_set_id(liveness, 1, 1, 1, 1), LANE_ERR_UNKNOWN); /* mockb is not in v2 */
    CHECK_STATUS(lane_liveness_set_id(liveness, 0, 1, 3, 2), LANE_OK);
    CHECK_STATUS(lane_liveness_clear(liveness, lane_string("mocka"), lane_string("v2")), LANE_OK);
    CHECK_STATUS(lane_subset_labels(router, 99, 0, labels, 4, &len), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_subset_labels(router, 1, 1, labels, 4, &len), LANE_OK);
    CHECK(len == 0);
    CHECK_STATUS(lane_subset_labels(router, 0, 1, labels, 4, &len), LANE_OK);
    CHECK(len == 1 && says(labels[0].name, "ASM_TRAFFIC_TAG") && says(labels[0].value, "v2"));
    CHECK_STATUS(lane_subset_labels(router, 0, 1, NULL, 0, &len), LANE_ERR_SPACE);
    CHECK(len == 1);
    CHECK_STATUS(lane_candidates(router, 0, 99, candidates, 4, &len), LANE_ERR_UNKNOWN);
    CHECK_STATUS(lane_candidates(router, 0, 1, candidates, 4, &len), LANE_OK);
    CHECK(len == 2 && says(candidates[0].lane, "v2") && says(candidates[1].lane, "v1"));
    CHECK_STATUS(lane_candidates(router, 1, 1, candidates, 4, &len), LANE_OK);
    CHECK(len == 1 && says(candidates[0].lane, "v1"));
    CHECK_STATUS(lane_subsets(router, subsets, 1, &len), LANE_ERR_SPACE);
    CHECK(len == 5);
    CHECK_STATUS(lane_subsets(router, subsets, 16, &len), LANE_OK);
    CHECK(len == 5 && says(subsets[0].service, "mocka.svc") && says(subsets[2].lane, "v2") && subsets[4].subset_id == 4);
    CHECK_STATUS(lane_subsets(router, subsets, (size_t)-1, &len), LANE_ERR_LENGTH);

    /* Configurations and requests that are none. */
    CHECK_STATUS(lane_router_compile(yaml, 0, NULL, &fresh, &error), LANE_ERR_FORMAT);
    CHECK_STATUS(lane_router_compile(yaml, 3, NULL, &fresh, &error), LANE_ERR_FORMAT);
    CHECK_STATUS(lane_router_compile(yaml, -1, NULL, &fresh, &error), LANE_ERR_FORMAT);
    CHECK(fresh == NULL && error == NULL);
    CHECK_STATUS(lane_router_compile(torn, LANE_FORMAT_JSON, NULL, &fresh, &error), LANE_ERR_CONFIG);
    CHECK(fresh == NULL && error != NULL && lane_error_code(error) == LANE_ERR_CONFIG && lane_error_message(error).len > 0);
    lane_error_free(&error);
    lane_error_free(&error);
    CHECK_STATUS(lane_router_compile(lane_string(""), LANE_FORMAT_JSON, NULL, &fresh, &error), LANE_ERR_CONFIG);
    lane_error_free(&error);
    CHECK_STATUS(lane_router_compile(lane_string("{\"version\":1,\"groups\":[{}]}"), LANE_FORMAT_JSON, NULL, &fresh, &error), LANE_ERR_CONFIG);
    CHECK(strncmp(lane_error_json(error).ptr, "[{\"severity\":\"error\",\"code\":\"LANE", 33) == 0);
    lane_error_free(&error);
    options.document_bytes = 10;
    CHECK_STATUS(lane_router_compile(lane_string("{\"version\":1,\"groups\":[]}"), LANE_FORMAT_JSON, &options, &fresh, &error), LANE_ERR_CONFIG);
    lane_error_free(&error);
    options.struct_size = 3;
    CHECK_STATUS(lane_router_compile(yaml, LANE_FORMAT_JSON, &options, &fresh, &error), LANE_ERR_SIZE);
    CHECK(lane_router_warnings(router).ptr[0] == '[');
    CHECK_STATUS(lane_decide_json(router, lane_string("{\"hop\":{}}"), 0, &text, &error), LANE_ERR_REQUEST);
    CHECK(text == NULL && lane_error_code(error) == LANE_ERR_REQUEST && strstr(lane_error_json(error).ptr, "service"));
    lane_error_free(&error);
    CHECK_STATUS(lane_decide_json(router, lane_string("{\"inbound\":{}}"), 1, &text, &error), LANE_ERR_REQUEST);
    lane_error_free(&error);
    CHECK_STATUS(lane_decide_json(router, torn, 0, &text, &error), LANE_ERR_UTF8);
    CHECK(error == NULL);

    /* Trace ids: remembered where a request arrives, asked for at the next call. */
    {
        lane_pair arrives[2] = {{{"x-traced", 8}, {"w2", 2}}, {{"x-b3-traceid", 12}, {"abc", 3}}}, remembered;
        lane_request call = request;
        lane_remember remember[2];
        call.headers = arrives;
        call.headers_len = 2;
        CHECK_STATUS(lane_inbound(router, &call, remember, 2, &len), LANE_OK);
        CHECK(len == 1 && says(remember[0].group, "traced") && says(remember[0].trace_id, "abc") && says(remember[0].lane, "w2"));
        CHECK_STATUS(lane_trace_table_remember(table, remember[0].group, remember[0].trace_id, remember[0].lane, 1), LANE_OK);
        call.headers = arrives + 1; /* the application passes the trace id on, and not the lane */
        call.headers_len = 1;
        CHECK_STATUS(lane_trace_ids(router, &call, NULL, 0, &len), LANE_ERR_SPACE);
        CHECK_STATUS(lane_trace_ids(router, &call, remember, 2, &len), LANE_OK);
        CHECK(len == 1 && says(remember[0].trace_id, "abc") && remember[0].lane.ptr == NULL);
        CHECK_STATUS(lane_trace_table_lane(table, remember[0].group, remember[0].trace_id, 2, name, sizeof name, &len), LANE_OK);
        remembered.name = remember[0].group;
        remembered.value.ptr = name;
        remembered.value.len = len;
        call.remembered = &remembered;
        call.remembered_len = 1;
        CHECK_STATUS(lane_hop(router, NULL, lane_string("mockt.svc"), &call, &decision, NULL), LANE_OK);
        CHECK(says(decision.lane, "w2") && decision.found_in == LANE_FOUND_TRACE_ID);
    }

    /* The table of trace ids. */
    CHECK_STATUS(lane_trace_table_remember(table, lane_string("g"), torn, lane_string("v2"), 10), LANE_OK);
    CHECK_STATUS(lane_trace_table_lane(table, lane_string("g"), torn, 11, name, 1, &len), LANE_ERR_SPACE);
    CHECK(len == 2);
    CHECK_STATUS(lane_trace_table_lane(table, lane_string("g"), torn, 11, name, sizeof name, &len), LANE_OK);
    CHECK(len == 2 && memcmp(name, "v2", 2) == 0);
    CHECK_STATUS(lane_trace_table_lane(table, lane_string("g"), torn, 110, name, sizeof name, &len), LANE_ERR_UNKNOWN);
    CHECK(len == 0);
    CHECK_STATUS(lane_trace_table_lane(table, torn, torn, 11, name, sizeof name, &len), LANE_ERR_UTF8);
}

int main(void) {
    router = small_router();
    other = small_router();
    request = lane_request_new();
    request.has_roll = 1;
    decision = lane_decision_new();
    changes = lane_changes_new(buffer, sizeof buffer, items, LANE_CHANGES_LEN);
    CHECK_STATUS(lane_liveness_new(router, &liveness), LANE_OK);
    CHECK_STATUS(lane_trace_table_new(4, 100, &table), LANE_OK);
    nulls();
    requests();
    answers();
    handles();
    lane_trace_table_free(&table);
    lane_liveness_free(&liveness);
    lane_router_free(&router);
    lane_router_free(&other);
    return 0;
}
