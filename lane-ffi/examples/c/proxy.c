/*
 * A small reverse proxy with lanes, to copy from: a process for each connection, one request on it.
 *
 *     cc proxy.c -o proxy $(pkg-config --cflags --libs lane)
 *     ./proxy 8080 lanes.json edge web.svc/v1=127.0.0.1:9001 web.svc/v2=127.0.0.1:9002
 *
 * It decides at the gateway `edge`, connects to the endpoint of the subset that the decision names, sets and removes
 * headers as told, and sets the cookie of a sticky split. An endpoint that cannot be reached counts as down until a
 * probe reaches it, so lanes fall back meanwhile. SIGHUP reads the configuration again; a request in flight ends with
 * the one that it began with, because its process has a copy (a proxy with threads: lane_router_share).
 */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <lane.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define VIEW(view) (int)(view).len, (view).ptr
enum { HEAD = 65536, HEADERS = 100, SUBSETS = 1024 };

/* The configuration in force; its endpoints are indexed by subset. */
static const lane_router *router;
static const lane_liveness *liveness;
static lane_subset subsets[SUBSETS];
static size_t subsets_len;
static struct sockaddr_in endpoints[SUBSETS];

static char **arguments;
static volatile sig_atomic_t reload_wanted;
static void on_hup(int number) { reload_wanted = number; }

/* Reads and compiles; where the configuration is wrong, the one in force stays. */
static int load(void) {
    static char text[1 << 20];
    FILE *file = fopen(arguments[2], "rb");
    lane_str config = {text, file ? fread(text, 1, sizeof text, file) : 0};
    const lane_router *fresh = NULL;
    lane_error *error = NULL;
    if (file) fclose(file);
    if (lane_router_compile(config, LANE_FORMAT_JSON, NULL, &fresh, &error) != LANE_OK
        || lane_subsets(fresh, subsets, SUBSETS, &subsets_len) != LANE_OK) {
        fprintf(stderr, "%s: %.*s\n", arguments[2], VIEW(lane_error_message(error)));
        lane_error_free(&error);
        lane_router_free(&fresh);
        return -1;
    }
    lane_liveness_free(&liveness);
    lane_router_free(&router);
    router = fresh;
    lane_liveness_new(router, &liveness);
    memset(endpoints, 0, sizeof endpoints);
    for (const lane_subset *subset = subsets; subset < subsets + subsets_len; subset++) {
        char key[512], host[64];
        unsigned port = 0;
        int length = snprintf(key, sizeof key, "%.*s/%.*s=", VIEW(subset->service), VIEW(subset->lane));
        for (char **argument = arguments + 4; *argument; argument++)
            if (strncmp(*argument, key, (size_t)length) == 0 && sscanf(*argument + length, "%63[^:]:%u", host, &port) == 2) {
                struct sockaddr_in *endpoint = &endpoints[subset->subset_id];
                endpoint->sin_family = AF_INET, endpoint->sin_port = htons((unsigned short)port);
                inet_pton(AF_INET, host, &endpoint->sin_addr);
            }
        /* A subset for which no endpoint is given has none: lanes fall back from it. */
        lane_liveness_set_id(liveness, subset->service_id, subset->lane_id, port != 0, port != 0);
    }
    return 0;
}

static int connect_to(const struct sockaddr_in *endpoint) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)endpoint, sizeof *endpoint) == 0) return fd;
    return close(fd), -1;
}

static void probe(void) {
    for (const lane_subset *subset = subsets; subset < subsets + subsets_len; subset++) {
        if (endpoints[subset->subset_id].sin_port == 0) continue;
        int fd = connect_to(&endpoints[subset->subset_id]);
        lane_liveness_set_id(liveness, subset->service_id, subset->lane_id, 1, fd >= 0);
        if (fd >= 0) close(fd);
    }
}

static int send_all(int fd, const char *bytes, size_t len) {
    for (ssize_t sent; len > 0; bytes += sent, len -= (size_t)sent)
        if ((sent = send(fd, bytes, len, MSG_NOSIGNAL)) <= 0) return -1;
    return 0;
}

/* Reads until `end` is there, and gives its place. */
static char *read_until(int fd, const char *end, char *bytes, size_t *used) {
    for (ssize_t got; *used < HEAD - 1 && (got = recv(fd, bytes + *used, HEAD - 1 - *used, 0)) > 0;) {
        bytes[*used += (size_t)got] = 0;
        if (strstr(bytes, end)) return strstr(bytes, end);
    }
    return NULL;
}

static void relay(int client, int server) {
    struct pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    char bytes[16384];
    while (poll(ends, 2, 30000) > 0)
        for (int i = 0; i < 2; i++) {
            ssize_t got = ends[i].revents ? recv(ends[i].fd, bytes, sizeof bytes, 0) : 1;
            if (got < 0 || (got == 0 && i == 1)) return;
            if (got == 0) ends[0].fd = -1, ends[0].revents = 0; /* the client has said all that it has to say */
            else if (ends[i].revents && send_all(ends[!i].fd, bytes, (size_t)got) != 0) return;
        }
}

/* Reads the request's head; the views point into it. */
static const char *parse(char *head, const char *blank, lane_request *request, lane_pair *headers) {
    char *line = strstr(head, "\r\n"), *path = strchr(head, ' '), *version = path ? strchr(path + 1, ' ') : NULL;
    if (!version || version > line) return NULL;
    request->method = (lane_str){head, (size_t)(path - head)};
    request->path = (lane_str){path + 1, (size_t)(version - path - 1)};
    request->headers = headers;
    while (line < blank) {
        char *name = line + 2, *colon = strchr(name, ':');
        line = strstr(name, "\r\n");
        if (!colon || colon > line || request->headers_len == HEADERS) return NULL;
        lane_pair *header = &headers[request->headers_len++];
        header->name = (lane_str){name, (size_t)(colon - name)};
        header->value = (lane_str){colon + 1, (size_t)(line - colon - 1)}; /* lane does not mind the blanks around it */
        if (header->name.len == 4 && strncasecmp(name, "host", 4) == 0) request->authority = (lane_str){colon + 1 + strspn(colon + 1, " "), header->value.len - strspn(colon + 1, " ")};
    }
    return head;
}

static void serve(int client) {
    static char head[HEAD], out[2 * HEAD], buffer[LANE_BUFFER_BYTES];
    lane_change items[LANE_CHANGES_LEN];
    lane_pair headers[HEADERS];
    lane_changes changes = lane_changes_new(buffer, sizeof buffer, items, LANE_CHANGES_LEN);
    lane_request request = lane_request_new();
    lane_decision decision = lane_decision_new();
    int server = -1, len, code = 400;
    size_t used = 0;
    char *end = read_until(client, "\r\n\r\n", head, &used);
    if (end && parse(head, end, &request, headers)) {
        request.has_roll = getrandom(&request.roll, sizeof request.roll, 0) == sizeof request.roll;
        /* Twice at most: an endpoint that cannot be reached is marked, and the lane falls back. */
        for (int attempt = 0; attempt < 2 && server < 0; attempt++) {
            int32_t status = lane_ingress(router, liveness, lane_string(arguments[3]), &request, &decision, &changes);
            if (status != LANE_OK) fprintf(stderr, "lane_ingress: %s\n", lane_status_name(status));
            code = decision.outcome == LANE_OUTCOME_NO_ROUTE || decision.outcome == LANE_OUTCOME_PASS ? 404 : 503;
            if (status != LANE_OK || decision.subset_id == LANE_NO_ID) break;
            server = connect_to(&endpoints[decision.subset_id]);
            if (server < 0) lane_liveness_set_id(liveness, decision.service_id, decision.serving_id, 1, 0);
        }
    }
    if (server < 0) return (void)send_all(client, out, (size_t)sprintf(out, "HTTP/1.1 %d No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", code));
    /* The head again, with what is changed. One request a connection: the next one on it would go undecided. */
    len = sprintf(out, "%.*s\r\nconnection: close\r\n", (int)(strstr(head, "\r\n") - head), head);
    for (lane_pair *header = headers; header < headers + request.headers_len; header++) {
        int keep = header->name.len != 10 || strncasecmp(header->name.ptr, "connection", 10) != 0;
        for (size_t i = 0; i < changes.changes_len; i++)
            keep = keep && (items[i].name.len != header->name.len || strncasecmp(items[i].name.ptr, header->name.ptr, header->name.len) != 0);
        if (keep) len += sprintf(out + len, "%.*s:%.*s\r\n", VIEW(header->name), VIEW(header->value));
    }
    for (lane_change *change = items; change < items + changes.changes_len; change++)
        if (change->kind == LANE_CHANGE_SET) len += sprintf(out + len, "%.*s: %.*s\r\n", VIEW(change->name), VIEW(change->value));
    len += sprintf(out + len, "\r\n");
    if (send_all(server, out, (size_t)len) == 0 && send_all(server, end + 4, used - (size_t)(end + 4 - head)) == 0) {
        used = 0;
        end = read_until(server, "\r\n", head, &used);
        if (!end) end = head;
        len = sprintf(out, "%.*s", (int)(end - head), head);
        if (decision.cookie.name.ptr) /* behind the status line */
            len += sprintf(out + len, "\r\nset-cookie: %.*s=%s; Max-Age=%u; Path=/", VIEW(decision.cookie.name), decision.cookie.value, decision.cookie.ttl_seconds);
        if (send_all(client, out, (size_t)len) == 0 && send_all(client, end, used - (size_t)(end - head)) == 0) relay(client, server);
    }
    close(server);
}

int main(int argc, char **argv) {
    if (argc < 5 || lane_check() != LANE_OK) return fprintf(stderr, "usage: proxy PORT CONFIG GATEWAY SERVICE/LANE=IP:PORT...\n"), 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct pollfd ready = {listener, POLLIN, 0};
    time_t probed = 0;
    arguments = argv;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (load() != 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 128) != 0) return perror("proxy"), 1;
    signal(SIGHUP, on_hup);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for the children */
    for (;;) {
        int client = poll(&ready, 1, 1000) > 0 ? accept(listener, NULL, NULL) : -1;
        if (reload_wanted) reload_wanted = 0, probed = 0, load();
        if (time(NULL) != probed) probed = time(NULL), probe();
        if (client >= 0 && fork() == 0) return serve(client), 0;
        if (client >= 0) close(client);
    }
}
