-- lane in nginx with LuaJIT (libnginx-mod-http-lua, OpenResty): lane.h through the FFI. Yours is the nginx.conf beside
-- this file, and this call in it:
--
--     lane = assert(require("lane").open("/etc/nginx/lanes.json"))   -- init_by_lua_block
--     ngx.var.upstream = lane:gateway("edge")                        -- rewrite_by_lua_block
--
-- What `open` makes is made once and used by one request after the other, as a worker is one thread.
local ffi = require("ffi")

ffi.cdef [[
typedef struct lane_router lane_router;
typedef struct lane_liveness lane_liveness;
typedef struct lane_error lane_error;
typedef struct lane_options lane_options;
typedef struct { const char *ptr; size_t len; } lane_str;
typedef struct { lane_str name, value; } lane_pair;
typedef struct { lane_str group, trace_id, lane; } lane_remember;
typedef struct { lane_str name; uint32_t ttl_seconds; char value[20]; } lane_cookie;
typedef struct { int32_t kind; uint32_t reserved; lane_str name, value; } lane_change;
typedef struct {
    size_t struct_size;
    lane_str method, authority, path;
    const lane_pair *headers; size_t headers_len;
    void *next_header; void *header_context;
    lane_str source_service, source_lane, source_ip;
    const lane_pair *source_labels; size_t source_labels_len;
    const lane_pair *remembered; size_t remembered_len;
    const lane_str *recorded; size_t recorded_len;
    uint64_t roll; uint32_t has_roll, reserved;
} lane_request;
typedef struct {
    size_t struct_size;
    int32_t outcome, status, reason, found_in;
    uint32_t notes, group_id, rule_id, lane_id, service_id, serving_id, subset_id, reserved;
    lane_str group, rule, lane, service, serving;
    lane_cookie cookie;
    lane_remember remember;
} lane_decision;
typedef struct {
    size_t struct_size;
    char *buffer; size_t buffer_len;
    lane_change *items; size_t items_len;
    uint32_t flags, reserved;
    size_t changes_len, items_needed, buffer_needed;
    lane_str found;
} lane_changes;
const char *lane_status_name(int32_t status);
int32_t lane_abi_check(uint32_t abi_version, size_t request_size, size_t decision_size, size_t changes_size);
int32_t lane_router_compile(lane_str config, int32_t format, const lane_options *options, const lane_router **router, lane_error **error);
void lane_router_free(const lane_router **router);
lane_str lane_error_message(const lane_error *error);
void lane_error_free(lane_error **error);
int32_t lane_ingress(const lane_router *router, const lane_liveness *liveness, lane_str gateway, const lane_request *request, lane_decision *decision, lane_changes *changes);
int32_t lane_hop(const lane_router *router, const lane_liveness *liveness, lane_str service, const lane_request *request, lane_decision *decision, lane_changes *changes);
]]

local ABI_VERSION, MAX_HEADERS, MAX_CHANGES, BUFFER_BYTES = 1, 200, 64, 131072
local FORMATS = { json = 1, yaml = 2 }
local library = ffi.load(os.getenv("LANE_LIBRARY") or "liblane.so.1")
-- The declarations above are by hand: the library says whether they are right.
assert(library.lane_abi_check(ABI_VERSION, ffi.sizeof("lane_request"), ffi.sizeof("lane_decision"), ffi.sizeof("lane_changes")) == 0,
    "liblane is another version than lane.lua")

local Lane = {}
Lane.__index = Lane

local function status_name(status) return ffi.string(library.lane_status_name(status)) end

-- A view of a Lua string, which must live as long as the view: whoever calls holds it.
local function set(view, text)
    view.ptr, view.len = text, text and #text or 0
end

local function text_of(view)
    if view.ptr ~= nil then return ffi.string(view.ptr, view.len) end
end

-- Reads and compiles a configuration: `format` is "json" or "yaml", by default what the file's name says. Gives nil and
-- every problem where it is wrong, so that a reload can keep the router that it has.
local function open(path, format)
    local file, problem = io.open(path, "rb")
    if not file then return nil, problem end
    local config = file:read("*a")
    file:close()
    local text, slot, errors = ffi.new("lane_str"), ffi.new("const lane_router *[1]"), ffi.new("lane_error *[1]")
    set(text, config)
    local number = FORMATS[format or (path:match("%.json$") and "json" or "yaml")]
    local status = library.lane_router_compile(text, number or 0, nil, slot, errors)
    if status ~= 0 then
        local message = text_of(library.lane_error_message(errors[0])) or status_name(status)
        library.lane_error_free(errors)
        return nil, path .. ": " .. message
    end
    local self = setmetatable({}, Lane)
    self.slot = ffi.gc(slot, library.lane_router_free)
    self.at = ffi.new("lane_str")
    self.headers = ffi.new("lane_pair[?]", MAX_HEADERS)
    self.request = ffi.new("lane_request")
    self.decision = ffi.new("lane_decision")
    self.buffer = ffi.new("char[?]", BUFFER_BYTES)
    self.items = ffi.new("lane_change[?]", MAX_CHANGES)
    self.changes = ffi.new("lane_changes")
    self.request.struct_size, self.decision.struct_size = ffi.sizeof("lane_request"), ffi.sizeof("lane_decision")
    self.changes.struct_size = ffi.sizeof("lane_changes")
    self.changes.buffer, self.changes.buffer_len = self.buffer, BUFFER_BYTES
    self.changes.items, self.changes.items_len = self.items, MAX_CHANGES
    return self
end

-- One decision. `headers` is a table as ngx.req.get_headers gives it: a string, or a list of strings, by name. The answer
-- is a table: outcome (a number of lane.h), status, service, lane, serving; set (name to value), remove (names), cookie.
function Lane:decide(call, at, request, headers)
    local ours, count, held = self.request, 0, {}
    local function line(name, value)
        if count == MAX_HEADERS then error("more than " .. MAX_HEADERS .. " header lines") end
        if type(value) ~= "string" then value = "" end -- nginx: a header without a value
        set(self.headers[count].name, name)
        set(self.headers[count].value, value)
        count = count + 1
    end
    for name, value in pairs(headers) do
        for _, one in ipairs(type(value) == "table" and value or { value }) do line(name, one) end
    end
    ours.headers, ours.headers_len = self.headers, count
    for _, field in ipairs({ "method", "authority", "path", "source_ip", "source_service", "source_lane" }) do
        held[field] = request[field]
        set(ours[field], held[field])
    end
    ours.has_roll, ours.roll = request.roll and 1 or 0, request.roll or 0
    set(self.at, at)
    local decision, changes = self.decision, self.changes
    local status = library[call](self.slot[0], nil, self.at, ours, decision, changes)
    if status ~= 0 then return nil, status_name(status) end
    local answer = { outcome = decision.outcome, status = decision.status, set = {}, remove = {} }
    answer.service, answer.lane, answer.serving = text_of(decision.service), text_of(decision.lane), text_of(decision.serving)
    for i = 0, tonumber(changes.changes_len) - 1 do
        local change = self.items[i]
        if change.kind == 1 then answer.set[text_of(change.name)] = text_of(change.value)
        else answer.remove[#answer.remove + 1] = text_of(change.name) end
    end
    if decision.cookie.name.ptr ~= nil then
        answer.cookie = text_of(decision.cookie.name) .. "=" .. ffi.string(decision.cookie.value) .. "; Path=/; Max-Age=" .. decision.cookie.ttl_seconds
    end
    return answer
end

-- For a request in nginx, in rewrite_by_lua or access_by_lua: decides, changes the request's headers, and gives the name of
-- the upstream, `LANE.SERVICE`. Where nothing serves it ends the request with 404 or 503; nil is traffic that is none of lane's.
local function route(self, call, at)
    local ngx, id = ngx, ngx.var.request_id
    local request = {
        method = ngx.req.get_method(), authority = ngx.var.http_host, path = ngx.var.request_uri, source_ip = ngx.var.remote_addr,
        -- The request's id is random, 32 hex digits; LuaJIT's own numbers are the same in every worker.
        roll = tonumber(id:sub(1, 8), 16) * 0x100000000ull + tonumber(id:sub(9, 16), 16),
    }
    local answer, problem = self:decide(call, at, request, ngx.req.get_headers(0, true))
    if not answer then
        ngx.log(ngx.ERR, "lane: ", problem)
        return ngx.exit(500)
    end
    for _, name in ipairs(answer.remove) do ngx.req.clear_header(name) end
    for name, value in pairs(answer.set) do ngx.req.set_header(name, value) end
    if answer.cookie then ngx.header["Set-Cookie"] = answer.cookie end
    if answer.serving then return answer.serving .. "." .. answer.service end
    if answer.status ~= 200 then return ngx.exit(answer.status ~= 0 and answer.status or 500) end
end

-- At a gateway of this name.
function Lane:gateway(name) return route(self, "lane_ingress", name) end

-- At a call of this service from another one.
function Lane:call(service) return route(self, "lane_hop", service) end

return { open = open }
