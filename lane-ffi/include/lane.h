/*
 * lane: which version of each service does a request meet, all along its chain of calls?
 *
 *     lane_router_compile()   once for each configuration
 *     lane_ingress()          at a gateway, for each request
 *     lane_hop()              at a call from service to service, for each call
 *
 * This file is generated from the library's sources and checked in. The semantics, with the S-numbers that comments
 * cite, are in lane-core/docs/semantics.md.
 *
 * Conventions
 *   - Functions that can fail return a status, int32_t: LANE_OK is 0. Status numbers are fixed for ever.
 *   - Out-parameters come last. On failure handles are NULL, and a decision's outcome is LANE_OUTCOME_NONE.
 *   - Strings are (pointer, length), see lane_str. What is handed in is read during the call and not kept.
 *   - Structs that may grow begin with struct_size; lane_request_new() and its sisters set it.
 *   - Handles are opaque. Who frees what, and what threads may do, stands at each typedef. The functions that free
 *     take the address of the variable and make it NULL, so freeing it twice does nothing.
 *   - NULL where it must not be gives LANE_ERR_NULL; docs/null.md says it for every parameter.
 *   - A bug in the library never takes the process with it: LANE_ERR_PANIC fails one call, and only that.
 *   - Nothing here reads a clock, draws a random number, opens a file or starts a thread.
 */

#ifndef LANE_H
#define LANE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The number of the binary interface: it grows when a program that was compiled against an older header would no
// longer run rightly. The shared library carries it in its SONAME. New functions, new status codes and new fields
// at the end of sized structs leave it as it is.
#define LANE_ABI_VERSION 1

// The version of this header, and of the library that it belongs to.
#define LANE_VERSION_MAJOR 0

// See LANE_VERSION_MAJOR.
#define LANE_VERSION_MINOR 1

// See LANE_VERSION_MAJOR.
#define LANE_VERSION_PATCH 0

// It worked.
#define LANE_OK 0

// A pointer is NULL that must not be: the table in `docs/null.md` has every one.
#define LANE_ERR_NULL 1

// `struct_size` is no size that such a struct can have: it was not set, or a later version's struct has something in
// fields that this library does not know, in a reserved field, or in flags.
#define LANE_ERR_SIZE 2

// A length above LANE_MAX_LENGTH: mostly a negative number that became a size.
#define LANE_ERR_LENGTH 3

// Text that is not UTF-8 where a name is meant: a gateway, a service, a lane, a label, a header that was recorded.
// Header lines, method, authority and path may hold any bytes.
#define LANE_ERR_UTF8 4

// A pointer to a struct or an array that is not aligned as its type asks for.
#define LANE_ERR_ALIGNMENT 5

// The library is another one than the header: its ABI version or a struct's size differs.
#define LANE_ERR_VERSION 6

// A configuration was refused; the lane_error says why.
#define LANE_ERR_CONFIG 7

// No format of this number, or one that this library was built without.
#define LANE_ERR_FORMAT 8

// A request written as JSON was refused; the lane_error says why.
#define LANE_ERR_REQUEST 9

// The caller's array or buffer is too small; the length that was asked for says how much is needed.
#define LANE_ERR_SPACE 10

// The liveness table is another router's.
#define LANE_ERR_OTHER_ROUTER 11

// A name or an id that the router does not have.
#define LANE_ERR_UNKNOWN 12

// More healthy endpoints than endpoints.
#define LANE_ERR_COUNTS 13

// Header lines given in both ways: as an array and by a callback.
#define LANE_ERR_HEADERS 14

// A bug in the library: the call failed, everything else goes on.
#define LANE_ERR_PANIC 15

// No string and no array is longer than this: what is, was mostly a negative number once.
#define LANE_MAX_LENGTH 2147483647

// The configuration is JSON.
#define LANE_FORMAT_JSON 1

// The configuration is YAML; a library that was built without it says LANE_ERR_FORMAT.
#define LANE_FORMAT_YAML 2

// Nothing was decided: the call failed.
#define LANE_OUTCOME_NONE 0

// The lane itself serves.
#define LANE_OUTCOME_ROUTED 1

// Another lane serves in its place.
#define LANE_OUTCOME_FELL_BACK 2

// This traffic is none of ours; leave it as it is.
#define LANE_OUTCOME_PASS 3

// Ours, but no lane takes it: 404.
#define LANE_OUTCOME_NO_ROUTE 4

// A lane takes it, but nothing that may serve is there: 503.
#define LANE_OUTCOME_UNAVAILABLE 5

// It depends on a roll that was not given, or on a header that was not recorded. lane_explain_ingress and
// lane_explain_hop list what is missing.
#define LANE_OUTCOME_UNDETERMINED 6

// The lane itself serves, or there is no lane.
#define LANE_REASON_NONE 0

// The lane does not contain the service.
#define LANE_REASON_NOT_IN_LANE 1

// The lane's subset has no endpoints.
#define LANE_REASON_NO_ENDPOINTS 2

// No endpoint of the lane's subset is healthy.
#define LANE_REASON_NONE_HEALTHY 3

// Fewer endpoints are healthy than the service asks for.
#define LANE_REASON_BELOW_MIN_HEALTHY 4

// No lane name was looked for, or none found.
#define LANE_FOUND_NONE 0

// In a header: the guiding header, or the one that `lane_from` names.
#define LANE_FOUND_HEADER 1

// In a baggage member.
#define LANE_FOUND_BAGGAGE 2

// In the cookie that `lane_from` names.
#define LANE_FOUND_COOKIE 3

// In the query parameter that `lane_from` names.
#define LANE_FOUND_QUERY 4

// It was remembered for the trace id.
#define LANE_FOUND_TRACE_ID 5

// It is the caller's own lane.
#define LANE_FOUND_SOURCE 6

// A rule that holds at hops gave it.
#define LANE_FOUND_RULE 7

// The lane serves although fewer of its endpoints are healthy than the service asks for.
#define LANE_NOTE_BELOW_MIN_HEALTHY 1

// The baggage has no room for the lane. Only known where changes are asked for.
#define LANE_NOTE_CONTEXT_FULL 2

// The group's context is a trace id and the request has none.
#define LANE_NOTE_NO_TRACE_ID 4

// The lane name that was found is no lane of the group.
#define LANE_NOTE_UNKNOWN_LANE 8

// The id of nothing.
#define LANE_NO_ID 4294967295

// All lines of the header are replaced by one of this value.
#define LANE_CHANGE_SET 1

// All lines of the header go.
#define LANE_CHANGE_REMOVE 2

// A buffer of this size has room for the changes of every request whose header lines have at most 15,000 bytes together, unless
// LANE_WANT_FOUND asks for more.
#define LANE_BUFFER_BYTES 32768

// The engine works in so many bytes of the buffer: the longest line that it may write.
#define LANE_WORK_BYTES 8192

// So many changes are seldom exceeded: one for each guiding header that is carried, each restored header, and the baggage.
#define LANE_CHANGES_LEN 16

// Asks also for the lane name as it was found, which reports print; this may allocate for the time of the call.
#define LANE_WANT_FOUND 1

// The longest lane name and one byte more: room for what lane_trace_table_lane writes.
#define LANE_NAME_BYTES 64

// Why a configuration or a request was refused, with every problem in it.
//
// Ownership: made by the functions with a `lane_error **`, which write NULL where there is nothing to tell; the
// caller frees it with lane_error_free. Threads: as many as you like may read it; one frees it, when no other reads.
typedef struct lane_error lane_error;

// How many endpoints each subset of a router has, and how many of them are healthy. A subset that was never set
// counts as live. It belongs to one router and keeps that alive; another router, also one compiled from the same
// text, needs its own.
//
// Ownership: made by lane_liveness_new; lane_liveness_share makes further references, and each is freed once with
// lane_liveness_free. Threads: any number may set and decide with it at the same time, without a lock: a decision
// never sees one half of an update of a subset.
typedef struct lane_liveness lane_liveness;

// A compiled configuration. It never changes: to reload, compile another one, and free this one when nobody uses it.
//
// Ownership: made by lane_router_compile; lane_router_share makes further references, and each is freed once with
// lane_router_free. Threads: any number may use one reference at the same time, without a lock, as long as it is not
// freed meanwhile. Names that decisions give are the router's and live as long as any of its references.
typedef struct lane_router lane_router;

// A text that the library made.
//
// Ownership: made by the functions with a `lane_text **`; the caller frees it with lane_text_free. Threads: as many as
// you like may read it; one frees it, when no other reads.
typedef struct lane_text lane_text;

// Lanes by group and trace id, for groups whose context is a trace id: bounded, with a time-to-live, and a clock that
// the caller hands in with each call, in any unit that he likes, the same one throughout. It belongs to no router and
// outlives reloads.
//
// Ownership: made by lane_trace_table_new, freed once with lane_trace_table_free. Threads: any number may use it at
// the same time; it has a lock of its own, held for one look-up.
typedef struct lane_trace_table lane_trace_table;

// Some bytes: a pointer and a length. There is no NUL at the end. `{NULL, 0}` is absent, which is not the same as
// empty, and NULL with a length is an error.
//
// Ownership: none, a lane_str is a view. What a function hands in is read during the call only. What it hands out
// belongs to the router, or to what the function says, and lives as long as that.
typedef struct lane_str {
    // The first byte.
    const char *ptr;
    // How many bytes.
    size_t len;
} lane_str;

// What a configuration may ask for at most, so that a hostile one costs bounded time and memory (S6). A field that
// is 0 stands for the limit that holds without options.
//
// Ownership: the caller's, read during the call only.
typedef struct lane_options {
    // `sizeof(lane_options)`.
    size_t struct_size;
    // Rules in all. 0: 100,000.
    uint64_t rules;
    // Bytes of all regular expressions' automata. 0: 64 MiB.
    uint64_t automata_bytes;
    // Bytes of one regular expression's automaton. 0: 2 MiB.
    uint64_t regex_bytes;
    // Lanes of a group. 0: 10,000.
    uint64_t lanes;
    // Services of a group. 0: 10,000.
    uint64_t services;
    // Groups. 0: 1,000.
    uint64_t groups;
    // Subsets in all: the sum over all lanes of the services that they contain. 0: 16,777,216.
    uint64_t subsets;
    // Levels of conditions inside conditions. 0: 64.
    uint64_t condition_levels;
    // Bytes of the document. 0: 16 MiB.
    uint64_t document_bytes;
} lane_options;

// Two strings that belong together: a header line, a label, a group and its remembered lane.
//
// Ownership: none, see lane_str.
typedef struct lane_pair {
    // The header, the label, the group.
    struct lane_str name;
    // What it holds.
    struct lane_str value;
} lane_pair;

// Gives the header lines of a request one after the other, for callers who hold them in some other form than an
// array. `cursor` is NULL for the first line, else what the call before returned. The function writes the line into
// `*line` and returns what stands for it, anything but NULL, or returns NULL when there is no further line:
//
// ```c
// static const void *next(void *context, const void *cursor, lane_pair *line) {
//     const struct node *node = cursor ? ((const struct node *)cursor)->next : context;
//     if (node) { line->name = node->name; line->value = node->value; }
//     return node;
// }
// ```
//
// The lines are walked several times during a call and must be the same each time; what they point to must live
// until the call returns. The function must return: no longjmp, no C++ exception.
typedef const void *(*lane_next_header)(void *context, const void *cursor, struct lane_pair *line);

// One request, as far as the caller knows it. What is `{NULL, 0}`, or zero, is not known; lane_request_new() gives one of
// which nothing is known. Header values, method, authority and path may hold any bytes; all else is UTF-8.
//
// Ownership: the caller's, with everything that it points to; a call reads it and keeps nothing, but lane_remember's
// trace id and a decision's service may point into it. Threads: a call does not write it, so it may be shared.
typedef struct lane_request {
    // `sizeof(lane_request)`.
    size_t struct_size;
    // The method, for example `GET`.
    struct lane_str method;
    // The authority (`:authority`, or the `host` header), with or without port.
    struct lane_str authority;
    // The path as received, with query and fragment if there are any.
    struct lane_str path;
    // The header lines, in order. NULL where there are none, or next_header gives them.
    const struct lane_pair *headers;
    // How many header lines.
    size_t headers_len;
    // Gives the header lines, instead of an array.
    lane_next_header next_header;
    // Handed to next_header.
    void *header_context;
    // The calling service, by host or alias (hops).
    struct lane_str source_service;
    // The lane of the calling workload, where it is known by name.
    struct lane_str source_lane;
    // The caller's IP address as text; what is none counts as not known.
    struct lane_str source_ip;
    // The labels of the calling workload. Up to 32 of them cost no allocation.
    const struct lane_pair *source_labels;
    // How many labels.
    size_t source_labels_len;
    // The lanes remembered for the request's trace id, as (group, lane). Up to 8 of them cost no allocation.
    const struct lane_pair *remembered;
    // How many remembered lanes.
    size_t remembered_len;
    // For requests from logs: the names of the headers that the log could see. What depends on another header is then
    // undetermined instead of absent. NULL: all were seen.
    const struct lane_str *recorded;
    // How many names. With a pointer that is not NULL, 0 means that no header was seen.
    size_t recorded_len;
    // A number drawn by the caller, uniform over all 64 bits; a split without a sticky key needs it.
    uint64_t roll;
    // Whether there is a roll: 0 or 1.
    uint32_t has_roll;
    // 0.
    uint32_t reserved;
} lane_request;

// A cookie to set for the client, so that it stays in its lane. Absent where `name.ptr` is NULL.
//
// Ownership: the caller's; the name is the router's.
typedef struct lane_cookie {
    // The cookie's name.
    struct lane_str name;
    // How long the client keeps it, in seconds.
    uint32_t ttl_seconds;
    // Its value: 16 lower-case hex digits, NUL-terminated.
    char value[20];
} lane_cookie;

// A lane to remember for a trace id: put it into a lane_trace_table. Absent where `group.ptr` is NULL.
//
// Ownership: none; group and lane are the router's, the trace id is a view into the request.
typedef struct lane_remember {
    // The group.
    struct lane_str group;
    // The request's trace id.
    struct lane_str trace_id;
    // The lane.
    struct lane_str lane;
} lane_remember;

// One decision. Where nothing of a kind was decided, a name is `{NULL, 0}` and an id is LANE_NO_ID. When a call
// fails, it is blank: the outcome is LANE_OUTCOME_NONE.
//
// Ownership: the caller's; there is nothing to free. Names are the router's and live as long as it; the service of
// LANE_OUTCOME_PASS at a hop is the name as it was given. Threads: the struct is the caller's own.
typedef struct lane_decision {
    // `sizeof(lane_decision)`, set by the caller.
    size_t struct_size;
    // What becomes of the request: LANE_OUTCOME_...
    int32_t outcome;
    // The HTTP status that fits: 200, 404 or 503; 0 where nobody can say.
    int32_t status;
    // Why the lane itself does not serve: LANE_REASON_...
    int32_t reason;
    // Where the lane name was found: LANE_FOUND_...
    int32_t found_in;
    // Remarks: LANE_NOTE_..., one bit each.
    uint32_t notes;
    // The group that decided.
    uint32_t group_id;
    // The rule that decided.
    uint32_t rule_id;
    // The lane to which the request belongs; it is carried on.
    uint32_t lane_id;
    // The service that is called.
    uint32_t service_id;
    // The lane whose endpoints serve: the lane itself, or the one to which it fell back.
    uint32_t serving_id;
    // The endpoints that serve: dense from 0, made to be an index into the caller's own table, see lane_subsets.
    uint32_t subset_id;
    // 0.
    uint32_t reserved;
    // The name of the group.
    struct lane_str group;
    // The name of the rule.
    struct lane_str rule;
    // The name of the lane.
    struct lane_str lane;
    // The host of the service.
    struct lane_str service;
    // The name of the lane whose endpoints serve.
    struct lane_str serving;
    // The cookie to set for the client.
    struct lane_cookie cookie;
    // What to remember for the request's trace id.
    struct lane_remember remember;
} lane_decision;

// One change of a request's headers. Only what differs is set, and only what is carried is removed.
//
// Ownership: none; both strings are in the buffer of the lane_changes.
typedef struct lane_change {
    // LANE_CHANGE_SET or LANE_CHANGE_REMOVE.
    int32_t kind;
    // 0.
    uint32_t reserved;
    // The header's name: as configured where it is set, lower case where it is removed.
    struct lane_str name;
    // Its value, where it is set.
    struct lane_str value;
} lane_change;

// Where the changes of a decision go: into an array and a buffer that the caller lends. Nothing is allocated and
// nothing is to be freed. Where either is too small for the changes the call gives LANE_ERR_SPACE, the decision is whole all the
// same, `changes_len` is 0, and both `..._needed` say what to ask again with.
//
// Ownership: the caller's, with both areas; what stands there is valid until the next call with them. Nothing of the
// request may lie in them. Threads: one at a time, as with any struct of yours.
typedef struct lane_changes {
    // `sizeof(lane_changes)`, set by the caller.
    size_t struct_size;
    // In: room for names and values. With less than LANE_WORK_BYTES nothing is decided. It need not be initialised.
    char *buffer;
    // In: how many bytes; LANE_BUFFER_BYTES is a good size.
    size_t buffer_len;
    // In: room for the changes; NULL where `items_len` is 0.
    struct lane_change *items;
    // In: how many; LANE_CHANGES_LEN is a good number.
    size_t items_len;
    // In: LANE_WANT_FOUND, or 0.
    uint32_t flags;
    // 0.
    uint32_t reserved;
    // Out: how many changes there are in `items`.
    size_t changes_len;
    // Out: how many items the changes need.
    size_t items_needed;
    // Out: how many bytes the changes need.
    size_t buffer_needed;
    // Out: the lane name as it was found, any bytes; `{NULL, 0}` if none was, or it was not asked for.
    struct lane_str found;
} lane_changes;

// The endpoints of one service that belong to one lane.
//
// Ownership: none; names are the router's and live as long as it.
typedef struct lane_subset {
    // The group.
    uint32_t group_id;
    // The service; one host in two groups is two services.
    uint32_t service_id;
    // The lane.
    uint32_t lane_id;
    // The subset: dense from 0.
    uint32_t subset_id;
    // The name of the group.
    struct lane_str group;
    // The host of the service.
    struct lane_str service;
    // The name of the lane.
    struct lane_str lane;
    // The value of the workload label that marks the lane's endpoints.
    struct lane_str service_tag;
} lane_subset;

// A lane that may serve.
//
// Ownership: none; the name is the router's and lives as long as it.
typedef struct lane_candidate {
    // The lane.
    uint32_t lane_id;
    // Its subset of the service.
    uint32_t subset_id;
    // The name of the lane.
    struct lane_str lane;
} lane_candidate;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The library's version, for example `0.1.0`: NUL-terminated, for ever.
const char *lane_version(void);

// The library's LANE_ABI_VERSION.
uint32_t lane_abi_version(void);

// Whether the library that was loaded serves a program that was compiled against this header: LANE_OK, or
// LANE_ERR_VERSION. Programs write `lane_check()`, which hands over what the header says; those that declare the ABI
// by hand (LuaJIT, Python) hand over their own sizes, and learn whether their declarations are right.
int32_t lane_abi_check(uint32_t abi_version, size_t request_size, size_t decision_size, size_t changes_size);

// The name of a status, for messages: NUL-terminated, for ever. A number that is no status gives `?`.
const char *lane_status_name(int32_t status);

// The status that was returned with the error: LANE_ERR_CONFIG or LANE_ERR_REQUEST. NULL gives LANE_OK.
int32_t lane_error_code(const struct lane_error *error);

// What is wrong, for people: one line a problem, `LINE:COLUMN: CODE: PATH: MESSAGE (HELP)` for a configuration.
// It lives as long as the error. NULL gives `{NULL, 0}`.
struct lane_str lane_error_message(const struct lane_error *error);

// What is wrong, for programs: a JSON list of objects with `severity`, `path`, `message` and `help`; for a
// configuration also `code`, `line` and `column`, as `lane check --json` prints them. It lives as long as the error.
// NULL gives `{NULL, 0}`.
struct lane_str lane_error_json(const struct lane_error *error);

// Frees the error and makes the variable NULL. NULL, and a variable that is NULL already, do nothing.
void lane_error_free(struct lane_error **error);

// Compiles a configuration: `format` is LANE_FORMAT_JSON or LANE_FORMAT_YAML, `options` may be NULL. `*router` is the
// new router, or NULL. Where the configuration is refused, LANE_ERR_CONFIG, `*error` has all its problems; `error`
// may be NULL. It may be called from any thread; it takes milliseconds, so not from an event loop's.
int32_t lane_router_compile(struct lane_str config,
                            int32_t format,
                            const struct lane_options *options,
                            const struct lane_router **router,
                            struct lane_error **error);

// What is doubtful about the configuration: a JSON list as lane_error_json gives it, `[]` where nothing is. It lives as long as the router.
// NULL gives `{NULL, 0}`.
struct lane_str lane_router_warnings(const struct lane_router *router);

// One more reference to the same router in `*another_one`, for an owner of its own: a thread, a request in flight.
// It costs one atomic increment.
int32_t lane_router_share(const struct lane_router *router, const struct lane_router **another_one);

// Gives up a reference and makes the variable NULL; the last one frees the router. NULL, and a variable that is NULL
// already, do nothing.
void lane_router_free(const struct lane_router **router);

// A table for this router, in which every subset counts as live, in `*liveness`.
int32_t lane_liveness_new(const struct lane_router *router, const struct lane_liveness **liveness);

// Sets the counts of a service (host or alias) in a lane, in every group that has both; a lane that does not contain
// the service is ignored. LANE_ERR_UNKNOWN where no group has such a service with such a lane; LANE_ERR_COUNTS where more are healthy than there are.
int32_t lane_liveness_set(const struct lane_liveness *liveness,
                          struct lane_str service,
                          struct lane_str lane,
                          uint32_t endpoints_in_all,
                          uint32_t healthy);

// Sets the counts of one subset by the ids that decisions and lane_subsets give: no name is looked up.
int32_t lane_liveness_set_id(const struct lane_liveness *liveness,
                             uint32_t service_id,
                             uint32_t lane_id,
                             uint32_t endpoints_in_all,
                             uint32_t healthy);

// Forgets the counts of a service in a lane: it counts as live again. Names are as in lane_liveness_set.
int32_t lane_liveness_clear(const struct lane_liveness *liveness, struct lane_str service, struct lane_str lane);

// One more reference to the same table in `*another_one`.
int32_t lane_liveness_share(const struct lane_liveness *liveness, const struct lane_liveness **another_one);

// Gives up a reference and makes the variable NULL; the last one frees the table. NULL, and a variable that is NULL
// already, do nothing.
void lane_liveness_free(const struct lane_liveness **liveness);

// Decides at a gateway: which rule, which lane, which endpoints. `gateway` is the name by which groups list it; a name
// that no group lists meets the groups that hold everywhere. `liveness` may be NULL: everything counts as live.
// `changes` may be NULL: a caller who only wants to know. Nothing is allocated, and nothing is to be freed.
int32_t lane_ingress(const struct lane_router *router,
                     const struct lane_liveness *liveness,
                     struct lane_str gateway,
                     const struct lane_request *request,
                     struct lane_decision *decision,
                     struct lane_changes *changes);

// Decides at a service-to-service call: which endpoints of the called service. `service` is the called name as it
// was written: host or alias, in any case, with or without port. The rest is as in lane_ingress.
int32_t lane_hop(const struct lane_router *router,
                 const struct lane_liveness *liveness,
                 struct lane_str service,
                 const struct lane_request *request,
                 struct lane_decision *decision,
                 struct lane_changes *changes);

// What a sidecar remembers of a request that arrives at its workload: the lane of every group whose context is a
// trace id, where the request has one and its guiding header names a lane. `*len` is how many there are; where `items`
// has room for fewer the call gives LANE_ERR_SPACE. `items` may be NULL where `items_len` is 0.
int32_t lane_inbound(const struct lane_router *router,
                     const struct lane_request *request,
                     struct lane_remember *items,
                     size_t items_len,
                     size_t *len);

// The trace id of a request for every group whose context is one, with the lane absent: what to ask a
// lane_trace_table for before lane_hop, to fill lane_request.remembered with. The list is as in lane_inbound.
int32_t lane_trace_ids(const struct lane_router *router,
                       const struct lane_request *request,
                       struct lane_remember *items,
                       size_t items_len,
                       size_t *len);

// Every subset of the router, to build a table of upstreams whose index is the subset's id. `*len` is how many there
// are; where `items` has room for fewer the call gives LANE_ERR_SPACE. `items` may be NULL where `items_len` is 0, so that
// a first call asks how many.
int32_t lane_subsets(const struct lane_router *router,
                     struct lane_subset *items,
                     size_t items_len,
                     size_t *len);

// The labels that select a lane's endpoints of a service; ids are a decision's `service_id` and `serving_id`. The list
// is as in lane_subsets. It is empty where the lane does not contain the service.
int32_t lane_subset_labels(const struct lane_router *router,
                           uint32_t service_id,
                           uint32_t lane_id,
                           struct lane_pair *items,
                           size_t items_len,
                           size_t *len);

// The lanes that may serve a service in a lane's place, in the order in which they are asked: the lane itself, then its
// fallback lanes, those left out that do not contain the service. For callers who know health only by their own means:
// decide without a liveness table, then take the first candidate that is well. Ids are a decision's `service_id` and
// `lane_id`; the list is as in lane_subsets.
int32_t lane_candidates(const struct lane_router *router,
                        uint32_t service_id,
                        uint32_t lane_id,
                        struct lane_candidate *items,
                        size_t items_len,
                        size_t *len);

// An empty table for at most `capacity` lanes, each dead when its age reaches `ttl`, in `*table`.
int32_t lane_trace_table_new(size_t capacity, uint64_t ttl, struct lane_trace_table **table);

// Remembers a lane, or renews it; when the table is full the oldest write leaves. The three strings are those of a
// lane_remember. A clock that goes back counts as standing still.
int32_t lane_trace_table_remember(const struct lane_trace_table *table,
                                  struct lane_str group,
                                  struct lane_str trace_id,
                                  struct lane_str lane,
                                  uint64_t now);

// Copies the lane of a trace id into `buffer`, without a NUL, and its length into `*len`: 0, with LANE_ERR_UNKNOWN, where
// none is remembered. Reading renews nothing.
int32_t lane_trace_table_lane(const struct lane_trace_table *table,
                              struct lane_str group,
                              struct lane_str trace_id,
                              uint64_t now,
                              char *buffer,
                              size_t buffer_len,
                              size_t *len);

// Frees the table and makes the variable NULL. NULL, and a variable that is NULL already, do nothing.
void lane_trace_table_free(struct lane_trace_table **table);

// What the text says: UTF-8, followed by a NUL that is not counted. It lives as long as the text. NULL gives `{NULL, 0}`.
struct lane_str lane_text_str(const struct lane_text *text);

// Frees the text and makes the variable NULL. NULL, and a variable that is NULL already, do nothing.
void lane_text_free(struct lane_text **text);

// Decides as lane_ingress, and tells why, as JSON in `*text`: `{"decision": ..., "explanation": {"undetermined": [...],
// "steps": [...]}}`, what `lane route --explain --json` prints. It walks every rule and allocates.
int32_t lane_explain_ingress(const struct lane_router *router,
                             const struct lane_liveness *liveness,
                             struct lane_str gateway,
                             const struct lane_request *request,
                             struct lane_text **text);

// Decides as lane_hop, and tells why, as lane_explain_ingress does.
int32_t lane_explain_hop(const struct lane_router *router,
                         const struct lane_liveness *liveness,
                         struct lane_str service,
                         const struct lane_request *request,
                         struct lane_text **text);

// Answers a request that is one JSON object (semantics, section 8) with the decision as JSON (section 7) in `*text`:
// one call for tests, tools and languages whose FFI is poor. With `explain` other than 0 the answer is that of
// lane_explain_ingress. A request that is refused gives LANE_ERR_REQUEST, and `*error` says why; `error` may be NULL.
int32_t lane_decide_json(const struct lane_router *router,
                         struct lane_str request,
                         int32_t explain,
                         struct lane_text **text,
                         struct lane_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LANE_H */

/* What C has no other way to say. These are not in the library: a program carries its own copy. */

/** A view of a NUL-terminated string; NULL gives `{NULL, 0}`. */
static inline lane_str lane_string(const char *text) {
    lane_str view = {text, text ? strlen(text) : 0};
    return view;
}

/** A request of which nothing is known. */
static inline lane_request lane_request_new(void) {
    lane_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    return request;
}

/** A decision to be filled. */
static inline lane_decision lane_decision_new(void) {
    lane_decision decision;
    memset(&decision, 0, sizeof decision);
    decision.struct_size = sizeof decision;
    return decision;
}

/** Room for changes in a caller's buffer and array. */
static inline lane_changes lane_changes_new(char *buffer, size_t buffer_len, lane_change *items, size_t items_len) {
    lane_changes changes;
    memset(&changes, 0, sizeof changes);
    changes.struct_size = sizeof changes;
    changes.buffer = buffer;
    changes.buffer_len = buffer_len;
    changes.items = items;
    changes.items_len = items_len;
    return changes;
}

/** Options as they are without options. */
static inline lane_options lane_options_new(void) {
    lane_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

/** Whether the library that was loaded is one for this header: LANE_OK or LANE_ERR_VERSION. */
static inline int32_t lane_check(void) {
    return lane_abi_check(LANE_ABI_VERSION, sizeof(lane_request), sizeof(lane_decision), sizeof(lane_changes));
}
