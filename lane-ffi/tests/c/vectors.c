/*
 * The shared vectors, from C: every request is put into the structs of lane.h, decided, and the answer compared with
 * the expectation key by key. Each is decided twice, with the header lines as an array and through the callback, and
 * compared once more, whole, with what lane_decide_json says of the same request.
 *
 *     vectors FOLDER          prints `vectors: c N`
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <jansson.h>

#include "check.h"

/* What a case borrows: exact copies, freed together. */
struct arena {
    void **items;
    size_t len, cap;
};

static void *keep(struct arena *arena, void *memory) {
    if (arena->len == arena->cap) {
        arena->cap = arena->cap ? 2 * arena->cap : 64;
        arena->items = realloc(arena->items, arena->cap * sizeof *arena->items);
        CHECK(arena->items != NULL);
    }
    return arena->items[arena->len++] = memory;
}

static void *keep_new(struct arena *arena, size_t size) { return keep(arena, need(size)); }

static void release(struct arena *arena) {
    size_t i;
    for (i = 0; i < arena->len; i++) free(arena->items[i]);
    free(arena->items);
    memset(arena, 0, sizeof *arena);
}

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static lane_str from_base64(struct arena *arena, const char *text) {
    unsigned char *bytes = keep_new(arena, strlen(text));
    unsigned value = 0, bits = 0;
    lane_str view;
    size_t len = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(DIGITS, *text);
        CHECK(digit != NULL);
        value = value << 6 | (unsigned)(digit - DIGITS);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[len++] = (unsigned char)(value >> bits & 0xff);
        }
    }
    view = exact(bytes, len);
    keep(arena, (void *)view.ptr);
    return view;
}

static json_t *to_base64(const unsigned char *bytes, size_t len) {
    char *text = need(4 * (len / 3 + 1) + 1), *end = text;
    json_t *value;
    size_t i;
    for (i = 0; i < len; i += 3) {
        unsigned n = (unsigned)bytes[i] << 16 | (i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0) | (i + 2 < len ? bytes[i + 2] : 0u);
        *end++ = DIGITS[n >> 18];
        *end++ = DIGITS[n >> 12 & 63];
        *end++ = i + 1 < len ? DIGITS[n >> 6 & 63] : '=';
        *end++ = i + 2 < len ? DIGITS[n & 63] : '=';
    }
    *end = 0;
    value = json_pack("{s:s}", "base64", text);
    free(text);
    return value;
}

/* Text, or bytes in base64; what is not there is absent. */
static lane_str view_of(struct arena *arena, const json_t *value) {
    lane_str view = {NULL, 0};
    if (json_is_object(value)) return from_base64(arena, json_string_value(json_object_get(value, "base64")));
    if (!json_is_string(value)) return view;
    view = exact(json_string_value(value), json_string_length(value));
    keep(arena, (void *)view.ptr);
    return view;
}

/* The other way: text where it is UTF-8, base64 where it is not, null where it is absent. */
static json_t *json_of(lane_str view) {
    json_t *text;
    if (view.ptr == NULL) return json_null();
    text = json_stringn(view.ptr, view.len);
    return text ? text : to_base64((const unsigned char *)view.ptr, view.len);
}

static lane_pair *pairs_of(struct arena *arena, json_t *object, size_t *len) {
    lane_pair *pairs = keep_new(arena, json_object_size(object) * sizeof *pairs);
    const char *name;
    json_t *value;
    *len = 0;
    json_object_foreach(object, name, value) {
        lane_str view = exact(name, strlen(name));
        keep(arena, (void *)view.ptr);
        pairs[*len].name = view;
        pairs[(*len)++].value = view_of(arena, value);
    }
    return pairs;
}

/* Header lines as a list, for the callback. */
struct node {
    lane_pair line;
    struct node *next;
};

static const void *next_header(void *context, const void *cursor, lane_pair *line) {
    const struct node *node = cursor ? ((const struct node *)cursor)->next : context;
    if (node) *line = node->line;
    return node;
}

static lane_request request_of(struct arena *arena, json_t *request) {
    lane_request ours = lane_request_new();
    json_t *headers = json_object_get(request, "headers"), *source = json_object_get(request, "source");
    json_t *recorded = json_object_get(json_object_get(request, "recorded"), "headers"), *roll = json_object_get(request, "roll"), *line;
    lane_pair *lines = keep_new(arena, json_array_size(headers) * sizeof *lines);
    size_t i;
    ours.method = view_of(arena, json_object_get(request, "method"));
    ours.authority = view_of(arena, json_object_get(request, "authority"));
    ours.path = view_of(arena, json_object_get(request, "path"));
    json_array_foreach(headers, i, line) {
        lines[i].name = view_of(arena, json_array_get(line, 0));
        lines[i].value = view_of(arena, json_array_get(line, 1));
    }
    ours.headers = lines;
    ours.headers_len = json_array_size(headers);
    ours.source_service = view_of(arena, json_object_get(source, "service"));
    ours.source_lane = view_of(arena, json_object_get(source, "lane"));
    ours.source_ip = view_of(arena, json_object_get(source, "ip"));
    ours.source_labels = pairs_of(arena, json_object_get(source, "labels"), &ours.source_labels_len);
    ours.remembered = pairs_of(arena, json_object_get(request, "remembered"), &ours.remembered_len);
    if (recorded) {
        lane_str *names = keep_new(arena, json_array_size(recorded) * sizeof *names);
        json_t *name;
        json_array_foreach(recorded, i, name) names[i] = view_of(arena, name);
        ours.recorded = names;
        ours.recorded_len = json_array_size(recorded);
    }
    if (roll) {
        ours.has_roll = 1;
        ours.roll = json_is_string(roll) ? strtoull(json_string_value(roll), NULL, 10) : (uint64_t)json_integer_value(roll);
    }
    return ours;
}

/* The same request, with the header lines through the callback. */
static lane_request through_callback(struct arena *arena, lane_request request) {
    struct node *first = NULL;
    size_t i;
    for (i = request.headers_len; i-- > 0;) {
        struct node *node = keep_new(arena, sizeof *node);
        node->line = request.headers[i];
        node->next = first;
        first = node;
    }
    request.headers = NULL;
    request.headers_len = 0;
    request.next_header = next_header;
    request.header_context = first;
    return request;
}

static const lane_liveness *liveness_of(const lane_router *router, json_t *live) {
    const lane_liveness *liveness = NULL;
    const char *service, *lane;
    json_t *lanes, *counts;
    if (!live) return NULL;
    CHECK_STATUS(lane_liveness_new(router, &liveness), LANE_OK);
    json_object_foreach(live, service, lanes) json_object_foreach(lanes, lane, counts) {
        uint32_t total = (uint32_t)json_integer_value(json_array_get(counts, 0));
        uint32_t healthy = (uint32_t)json_integer_value(json_array_get(counts, 1));
        CHECK_STATUS(lane_liveness_set(liveness, lane_string(service), lane_string(lane), total, healthy), LANE_OK);
    }
    return liveness;
}

static const char *const OUTCOMES[] = {"none", "routed", "fell_back", "pass", "no_route", "unavailable", "undetermined"};
static const char *const REASONS[] = {NULL, "not_in_lane", "no_endpoints", "none_healthy", "below_min_healthy"};
static const char *const FOUND[] = {NULL, "header", "baggage", "cookie", "query", "trace_id", "source", "rule"};
static const char *const NOTES[] = {"below_min_healthy", "context_full", "no_trace_id", "unknown_lane"};

static json_t *remember_of(const lane_remember *remember) {
    return json_pack("{s:o,s:o,s:o}", "group", json_of(remember->group), "trace_id", json_of(remember->trace_id), "lane", json_of(remember->lane));
}

static int by_text(const void *one, const void *other) { return strcmp(*(const char *const *)one, *(const char *const *)other); }

static json_t *parsed(lane_text *text) {
    json_error_t problem;
    lane_str view = lane_text_str(text);
    json_t *value = json_loadb(view.ptr, view.len, JSON_ALLOW_NUL, &problem);
    CHECK(value != NULL);
    CHECK(view.ptr[view.len] == 0);
    lane_text_free(&text);
    return value;
}

/* The decision as the object of section 7, out of the structs. */
static json_t *decide(const lane_router *router, const lane_liveness *liveness, json_t *data, const lane_request *request) {
    json_t *ingress = json_object_get(data, "ingress"), *hop = json_object_get(data, "hop"), *answer = json_object();
    json_t *set = json_object(), *remove = json_array(), *notes = json_array(), *undetermined = json_array(), *remember = json_array();
    char *buffer = need(LANE_BUFFER_BYTES);
    lane_change items[LANE_CHANGES_LEN];
    lane_changes changes = lane_changes_new(buffer, LANE_BUFFER_BYTES, items, LANE_CHANGES_LEN);
    lane_decision decision = lane_decision_new();
    lane_str at = lane_string(json_string_value(ingress ? json_object_get(ingress, "gateway") : json_object_get(hop, "service")));
    const char *removed[LANE_CHANGES_LEN + 1];
    size_t i, removals = 0;
    changes.flags = LANE_WANT_FOUND;
    if (ingress) CHECK_STATUS(lane_ingress(router, liveness, at, request, &decision, &changes), LANE_OK);
    else CHECK_STATUS(lane_hop(router, liveness, at, request, &decision, &changes), LANE_OK);

    json_object_set_new(answer, "outcome", json_string(OUTCOMES[decision.outcome]));
    json_object_set_new(answer, "status", json_integer(decision.status));
    json_object_set_new(answer, "group", json_of(decision.group));
    json_object_set_new(answer, "rule", json_of(decision.rule));
    json_object_set_new(answer, "lane", json_of(decision.lane));
    json_object_set_new(answer, "service", json_of(decision.service));
    if (decision.subset_id != LANE_NO_ID) {
        lane_pair labels[16];
        size_t len;
        json_t *object = json_object();
        CHECK_STATUS(lane_subset_labels(router, decision.service_id, decision.serving_id, labels, 16, &len), LANE_OK);
        for (i = 0; i < len; i++) {
            char *name = strndup(labels[i].name.ptr, labels[i].name.len);
            json_object_set_new(object, name, json_of(labels[i].value));
            free(name);
        }
        json_object_set_new(answer, "subset", json_pack("{s:o,s:o}", "lane", json_of(decision.serving), "labels", object));
    } else {
        json_object_set_new(answer, "subset", json_null());
    }
    json_object_set_new(answer, "fallback", decision.outcome == LANE_OUTCOME_FELL_BACK
        ? json_pack("{s:o,s:o}", "from", json_of(decision.lane), "to", json_of(decision.serving)) : json_null());
    json_object_set_new(answer, "reason", decision.reason ? json_string(REASONS[decision.reason]) : json_null());
    json_object_set_new(answer, "found", decision.found_in
        ? json_pack("{s:o,s:s}", "value", json_of(changes.found), "in", FOUND[decision.found_in]) : json_null());
    for (i = 0; i < changes.changes_len; i++) {
        char *name = strndup(items[i].name.ptr, items[i].name.len);
        if (items[i].kind == LANE_CHANGE_SET) json_object_set_new(set, name, json_of(items[i].value)), free(name);
        else removed[removals++] = name;
    }
    qsort(removed, removals, sizeof *removed, by_text);
    for (i = 0; i < removals; i++) {
        json_array_append_new(remove, json_string(removed[i]));
        free((char *)removed[i]);
    }
    json_object_set_new(answer, "set_headers", set);
    json_object_set_new(answer, "remove_headers", remove);
    json_object_set_new(answer, "set_cookie", decision.cookie.name.ptr
        ? json_pack("{s:o,s:s,s:I}", "name", json_of(decision.cookie.name), "value", decision.cookie.value, "ttl_seconds", (json_int_t)decision.cookie.ttl_seconds)
        : json_null());
    if (decision.remember.group.ptr) json_array_append_new(remember, remember_of(&decision.remember));
    json_object_set_new(answer, "remember", remember);
    for (i = 0; i < 4; i++) if (decision.notes >> i & 1) json_array_append_new(notes, json_string(NOTES[i]));
    json_object_set_new(answer, "notes", notes);
    if (decision.outcome == LANE_OUTCOME_UNDETERMINED) {
        /* Only an explanation lists what is missing. */
        lane_text *text = NULL;
        json_t *why;
        if (ingress) CHECK_STATUS(lane_explain_ingress(router, liveness, at, request, &text), LANE_OK);
        else CHECK_STATUS(lane_explain_hop(router, liveness, at, request, &text), LANE_OK);
        why = parsed(text);
        json_array_extend(undetermined, json_object_get(json_object_get(why, "explanation"), "undetermined"));
        json_decref(why);
    }
    json_object_set_new(answer, "undetermined", undetermined);
    free(buffer);
    return answer;
}

static json_t *inbound(const lane_router *router, const lane_request *request) {
    lane_remember items[16];
    json_t *list = json_array();
    size_t i, len;
    CHECK_STATUS(lane_inbound(router, request, items, 16, &len), LANE_OK);
    for (i = 0; i < len; i++) json_array_append_new(list, remember_of(&items[i]));
    return json_pack("{s:o}", "remember", list);
}

/* Says where two answers differ; the number of keys that do. */
static int differences(const char *name, const char *how, json_t *expected, json_t *actual) {
    const char *key;
    json_t *value;
    int count = 0;
    json_object_foreach(expected, key, value) {
        json_t *other = json_object_get(actual, key);
        char *wanted, *got;
        if (other && json_equal(value, other)) continue;
        wanted = json_dumps(value, JSON_ENCODE_ANY);
        got = other ? json_dumps(other, JSON_ENCODE_ANY) : NULL;
        fprintf(stderr, "%s (%s): %s: expected %s, got %s\n", name, how, key, wanted, got ? got : "nothing");
        free(wanted);
        free(got);
        count++;
    }
    return count;
}

static int run_case(const lane_router *router, const char *name, json_t *data) {
    struct arena arena = {NULL, 0, 0};
    json_t *request = json_object_get(data, "request"), *expected = json_object_get(data, "expect"), *answers[3];
    const lane_liveness *liveness = liveness_of(router, json_object_get(request, "live"));
    lane_request ours[2];
    lane_text *text = NULL;
    char *dumped = json_dumps(request, 0);
    int failures = 0, i;
    ours[0] = request_of(&arena, request);
    ours[1] = through_callback(&arena, ours[0]);
    for (i = 0; i < 2; i++) answers[i] = json_object_get(request, "inbound") ? inbound(router, &ours[i]) : decide(router, liveness, request, &ours[i]);
    CHECK_STATUS(lane_decide_json(router, lane_string(dumped), 0, &text, NULL), LANE_OK);
    answers[2] = parsed(text);
    failures += differences(name, "array", expected, answers[0]);
    failures += differences(name, "callback", expected, answers[1]);
    failures += differences(name, "structs against JSON", answers[2], answers[0]);
    failures += differences(name, "JSON against structs", answers[0], answers[2]);
    for (i = 0; i < 3; i++) json_decref(answers[i]);
    free(dumped);
    lane_liveness_free(&liveness);
    release(&arena);
    return failures != 0;
}

static int run_file(const char *path, const char *topic, const char *file, size_t *count) {
    json_error_t problem;
    json_t *document = json_load_file(path, JSON_ALLOW_NUL, &problem), *one;
    const lane_router *router = NULL;
    lane_error *error = NULL;
    char *config;
    int failures = 0;
    size_t i;
    if (!document) {
        fprintf(stderr, "%s:%d: %s\n", path, problem.line, problem.text);
        return 1;
    }
    /* Fifteen digits give decimals back as they were written; seventeen would not. */
    config = json_dumps(json_object_get(document, "config"), JSON_REAL_PRECISION(15));
    if (lane_router_compile(lane_string(config), LANE_FORMAT_JSON, NULL, &router, &error) != LANE_OK) {
        lane_str message = lane_error_message(error);
        fprintf(stderr, "%s: %.*s\n", path, (int)message.len, message.ptr);
        failures++;
    } else {
        json_array_foreach(json_object_get(document, "cases"), i, one) {
            char name[512];
            snprintf(name, sizeof name, "%s/%.*s/%s", topic, (int)(strlen(file) - 5), file, json_string_value(json_object_get(one, "name")));
            failures += run_case(router, name, one);
            ++*count;
        }
    }
    lane_error_free(&error);
    lane_router_free(&router);
    free(config);
    json_decref(document);
    return failures;
}

static int is_json(const char *name) { return strlen(name) > 5 && strcmp(name + strlen(name) - 5, ".json") == 0; }

int main(int argc, char **argv) {
    char path[1024];
    size_t count = 0, files = 0;
    int failures = 0;
    json_t *manifest;
    DIR *folder;
    struct dirent *topic, *file;
    CHECK(argc == 2);
    CHECK_STATUS(lane_check(), LANE_OK);
    folder = opendir(argv[1]);
    CHECK(folder != NULL);
    while ((topic = readdir(folder))) {
        DIR *inside;
        snprintf(path, sizeof path, "%s/%s", argv[1], topic->d_name);
        if (topic->d_name[0] == '.' || !(inside = opendir(path))) continue;
        while ((file = readdir(inside))) {
            if (!is_json(file->d_name)) continue;
            snprintf(path, sizeof path, "%s/%s/%s", argv[1], topic->d_name, file->d_name);
            failures += run_file(path, topic->d_name, file->d_name, &count);
            files++;
        }
        closedir(inside);
    }
    closedir(folder);
    snprintf(path, sizeof path, "%s/manifest.json", argv[1]);
    manifest = json_load_file(path, 0, NULL);
    CHECK(manifest != NULL);
    if ((json_int_t)count != json_integer_value(json_object_get(manifest, "cases")) || (json_int_t)files != json_integer_value(json_object_get(manifest, "files"))) {
        fprintf(stderr, "ran %lu cases of %lu files, which is not what the manifest counts\n", (unsigned long)count, (unsigned long)files);
        failures++;
    }
    json_decref(manifest);
    if (failures) {
        fprintf(stderr, "%d of %lu vectors fail\n", failures, (unsigned long)count);
        return 1;
    }
    printf("vectors: c %lu\n", (unsigned long)count);
    return 0;
}
