/* What the C tests have in common: a check that tells its place, and files. */
#ifndef LANE_CHECK_H
#define LANE_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lane.h"

/* Tells what does not hold and ends: what follows would only confuse. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The call gives this status. */
#define CHECK_STATUS(call, wanted)                                                                                     \
    do {                                                                                                               \
        int32_t status_ = (call);                                                                                      \
        if (status_ != (wanted)) {                                                                                     \
            fprintf(stderr, "%s:%d: %s instead of %s: %s\n", __FILE__, __LINE__, lane_status_name(status_),            \
                    lane_status_name(wanted), #call);                                                                  \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Whether a view says this. */
static inline int says(lane_str view, const char *text) {
    return view.ptr != NULL && view.len == strlen(text) && memcmp(view.ptr, text, view.len) == 0;
}

/* Memory, or the end. */
static inline void *need(size_t size) {
    void *memory = malloc(size ? size : 1);
    CHECK(memory != NULL);
    return memory;
}

/* A copy that is exactly as long as the text, so that a byte read too much is one outside. */
static inline lane_str exact(const void *bytes, size_t len) {
    lane_str view;
    char *copy = need(len);
    memcpy(copy, bytes, len);
    view.ptr = copy;
    view.len = len;
    return view;
}

/* The router of a small configuration: permissive, lanes v1 and v2, mockb not in v2, a split with sticky cookies. */
static inline const lane_router *small_router(void) {
    static const char config[] =
        "{\"version\":1,\"groups\":[{\"name\":\"shop\",\"mode\":\"permissive\",\"guiding_header\":\"version\","
        "\"context\":{\"baggage\":\"version\"},\"baseline\":\"v1\",\"services\":[{\"host\":\"mocka.svc\",\"aliases\":[\"mocka\"]},"
        "{\"host\":\"mockb.svc\",\"aliases\":[\"mockb\"]}],\"lanes\":[{\"name\":\"v1\"},{\"name\":\"v2\",\"services\":[\"mocka.svc\"]}],"
        "\"rules\":[{\"name\":\"testers\",\"service\":\"mocka.svc\",\"match\":[{\"headers\":{\"x-user\":{\"exact\":\"qa\"}}}],\"lane\":\"v2\"},"
        "{\"name\":\"all\",\"service\":\"mocka.svc\",\"split\":[{\"lane\":\"v1\",\"weight\":1},{\"lane\":\"v2\",\"weight\":1}],"
        "\"sticky\":{\"generate\":{\"cookie\":\"lane-id\",\"ttl_seconds\":60}}}]},"
        "{\"name\":\"traced\",\"mode\":\"permissive\",\"guiding_header\":\"x-traced\",\"context\":{\"trace_id\":\"x-b3-traceid\"},"
        "\"baseline\":\"w1\",\"services\":[{\"host\":\"mockt.svc\"}],\"lanes\":[{\"name\":\"w1\"},{\"name\":\"w2\"}],\"rules\":[{\"name\":\"t\","
        "\"service\":\"mockt.svc\",\"hosts\":[\"t.example\"],\"lane\":\"w2\"}]}]}";
    const lane_router *router = NULL;
    lane_error *error = NULL;
    int32_t status = lane_router_compile(lane_string(config), LANE_FORMAT_JSON, NULL, &router, &error);
    if (status != LANE_OK) {
        lane_str message = lane_error_message(error);
        fprintf(stderr, "%s: %.*s\n", lane_status_name(status), (int)message.len, message.ptr);
        exit(1);
    }
    CHECK(router != NULL && error == NULL);
    return router;
}

#endif
