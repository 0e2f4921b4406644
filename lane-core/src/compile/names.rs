//! What names may look like (S1), and headers that cannot carry lane context.

use alloc::format;

use crate::{
    context::baggage::is_token,
    diagnostic::{Code, Diagnostic, Here},
    pattern::host,
};

use super::Compiler;

/// Headers of HTTP/1 connections; they do not survive one (RFC 9110, 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Headers with a meaning of their own.
const TAKEN: [&str; 3] = ["baggage", "cookie", "host"];

/// Whether `text` is a Kubernetes label value, not empty.
pub(super) fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
}

impl Compiler<'_> {
    pub(super) fn label_value(&mut self, what: &str, text: &str, path: &Here<'_>) {
        if !is_label_value(text) {
            let message = format!("the {what} `{text}` is no Kubernetes label value");
            let help = "use 1 to 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit";
            self.report(Diagnostic::new(Code::BadName, path, message).help(help));
        }
    }

    pub(super) fn header_name(&mut self, name: &str, path: &Here<'_>) {
        if !is_token(name.as_bytes()) {
            let message = format!("`{name}` is no HTTP header name");
            let help = match name.strip_prefix(':') {
                Some("path" | "method" | "authority") => "pseudo headers are attributes of their own: use `path`, `method`, `hosts`",
                _ => "use letters, digits and ``!#$%&'*+-.^_`|~``, without blanks",
            };
            self.report(Diagnostic::new(Code::BadHeaderName, path, message).help(help));
        }
    }

    /// Checks a header that carries lane context.
    pub(super) fn context_header(&mut self, name: &str, path: &Here<'_>) {
        self.header_name(name, path);
        let is = |reserved: &&str| reserved.eq_ignore_ascii_case(name);
        let why = if TAKEN.iter().any(&is) {
            "it has a meaning of its own"
        } else if HOP_BY_HOP.iter().any(is) {
            "it does not survive one connection"
        } else {
            return;
        };
        let message = format!("the header `{name}` cannot carry lane context: {why}");
        self.report(Diagnostic::new(Code::ReservedHeader, path, message).help("use a header of your own, for example `x-lane`"));
    }

    pub(super) fn baggage_key(&mut self, key: &str, path: &Here<'_>) {
        if !is_token(key.as_bytes()) {
            let message = format!("`{key}` is no baggage key");
            self.report(Diagnostic::new(Code::BadBaggageKey, path, message).help("use letters, digits, `-`, `_` and `.`, without blanks"));
        }
    }

    /// Checks the name of a cookie or query parameter: one that no request can carry is a mistake.
    pub(super) fn attribute_name(&mut self, what: &str, name: &str, separators: &[char], path: &Here<'_>) {
        if name.is_empty() || name.contains(separators) || name.starts_with([' ', '\t']) && what == "cookie" {
            let message = format!("no request has a {what} named `{name}`");
            self.report(Diagnostic::new(Code::BadAttributeName, path, message).help(format!("write the {what}'s name alone")));
        }
    }

    pub(super) fn cookie_name(&mut self, name: &str, path: &Here<'_>) {
        self.attribute_name("cookie", name, &[';', '='], path);
    }

    pub(super) fn query_name(&mut self, name: &str, path: &Here<'_>) {
        self.attribute_name("query parameter", name, &['&', '=', '#'], path);
    }

    /// Checks a host or alias of a service.
    pub(super) fn service_host(&mut self, name: &str, path: &Here<'_>) {
        if host::is_host(name) {
            return;
        }
        let has_port = name.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        let help = if name.contains('*') {
            "patterns stand in a rule's `hosts`; a service is one host"
        } else if has_port {
            "leave the port out: calls are compared without it"
        } else if name.ends_with('.') {
            "leave the trailing dot out: calls are compared without it"
        } else {
            "write a DNS name, an IPv4 address, or an IPv6 address in brackets"
        };
        self.report(Diagnostic::new(Code::BadHost, path, format!("`{name}` is no host")).help(help));
    }
}
