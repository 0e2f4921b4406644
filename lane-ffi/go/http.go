package lane

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// NewRequest is what net/http knows of a request: method, Host, path as received, header lines, the address in RemoteAddr, and
// a random [Roll]. It shares the header map of r, and changes nothing.
//
// Header lines that net/http takes out of the map, such as Host and Content-Length, are no header lines here.
//
// It takes requests that a server received as well as those that a client is about to send.
func NewRequest(r *http.Request) Request {
	request := Request{Method: r.Method, Authority: r.Host, HTTP: r.Header, Roll: RandomRoll()}
	if request.Method == "" {
		request.Method = http.MethodGet
	}
	if request.Authority == "" && r.URL != nil {
		request.Authority = r.URL.Host
	}
	switch {
	case r.RequestURI == "*" || strings.HasPrefix(r.RequestURI, "/"):
		request.Path = r.RequestURI // as received; URL is decoded, and its path may be changed by handlers before us
	case r.URL != nil:
		request.Path = r.URL.RequestURI()
	}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		request.Source.IP = address.Addr()
	}
	return request
}

// Apply changes header lines as the decision says: what is to be removed is removed, what is to be set replaces all lines of its name.
func (d *Decision) Apply(header http.Header) {
	for _, name := range d.RemoveHeaders {
		removeHeader(header, name)
	}
	for _, set := range d.SetHeaders {
		removeHeader(header, set.Name)
		header[http.CanonicalHeaderKey(set.Name)] = []string{set.Value}
	}
	if len(d.SetHeaders) > 0 {
		d.keepFromConnection(header)
	}
}

// keepFromConnection takes the names of headers that are set out of the Connection header: a client that names the guiding header
// there would have the next proxy drop it (RFC 9110, 7.6.1).
func (d *Decision) keepFromConnection(header http.Header) {
	lines := header["Connection"]
	for i, line := range lines {
		options := strings.Split(line, ",")
		kept := slices.DeleteFunc(slices.Clone(options), func(option string) bool {
			return slices.ContainsFunc(d.SetHeaders, func(set Header) bool { return strings.EqualFold(strings.TrimSpace(option), set.Name) })
		})
		if len(kept) < len(options) {
			lines[i] = strings.Join(kept, ",")
		}
	}
}

// removeHeader also removes names that somebody wrote into the map in another spelling, which Header.Del would miss: a second lane
// name beside ours must not survive.
func removeHeader(header http.Header, name string) {
	header.Del(name)
	for key := range header {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			delete(header, key)
		}
	}
}

// HTTP is the cookie for [http.SetCookie], for all paths of the host, not readable by scripts.
func (c *Cookie) HTTP() *http.Cookie {
	return &http.Cookie{Name: c.Name, Value: c.Value, Path: "/", MaxAge: maxAge(c.TTLSeconds), HttpOnly: true}
}

// maxAge is the age for a cookie: 0 would mean none is given to net/http, but here that the cookie is over at once.
func maxAge(seconds uint32) int {
	if seconds == 0 {
		return -1
	}
	return int(min(seconds, 1<<31-1))
}
