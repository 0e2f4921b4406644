//! One request from command-line flags: the shape that curl users know, turned into the data of section 8.

use std::ffi::{OsStr, OsString};

use clap::Args;
use lane_core::{
    Router,
    config::{Config, Group},
    diagnostic::did_you_mean,
};
use lane_formats::{
    Bytes,
    request::{Ask, Live},
};

use crate::failure::Failure;

/// Flags that describe a request.
#[derive(Debug, Args)]
pub struct RequestFlags {
    /// URL, host with path, or path: `http://shop.example/cart?x=1`, `shop.example/cart`, `/cart`
    #[arg(value_name = "URL")]
    url: Option<OsString>,
    /// Request method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    method: OsString,
    /// Path with query, instead of the URL's [default: /]
    #[arg(long)]
    path: Option<OsString>,
    /// Authority, with or without port, instead of the URL's
    #[arg(long)]
    host: Option<OsString>,
    /// A header; may be repeated, also with one name
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<OsString>,
}

impl RequestFlags {
    /// Tells a request what the flags say.
    pub fn describe(&self, ask: &mut Ask) -> Result<(), Failure> {
        let (url_host, url_path) = self.url.as_ref().map_or((None, None), |url| split_url(url.as_encoded_bytes()));
        let headers = self.headers.iter().map(|given| header(given)).collect::<Result<Vec<_>, _>>()?;
        let host_header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| *value);
        let authority = self.host.as_deref().map(OsStr::as_encoded_bytes).or(url_host).or(host_header);
        let path = self.path.as_deref().map(OsStr::as_encoded_bytes).or(url_path).unwrap_or(b"/");
        ask.method = Some(self.method.as_encoded_bytes().into());
        ask.authority = authority.map(Bytes::from);
        ask.path = Some(path.into());
        ask.headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Ok(())
    }
}

/// `NAME: VALUE`, as curl takes it.
fn header(given: &OsStr) -> Result<(&str, &[u8]), Failure> {
    let whole = given.as_encoded_bytes();
    let parts = memchr::memchr(b':', whole).and_then(|colon| Some((whole.get(..colon)?, whole.get(colon + 1..)?)));
    let known = parts.and_then(|(name, value)| Some((std::str::from_utf8(name).ok()?.trim(), value.trim_ascii())));
    known.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        let help = "write the name, a colon and the value: `-H 'x-user: qa'`";
        Failure::with_help(format!("`{}` is no header", given.to_string_lossy()), Some(help.into()))
    })
}

/// The host and the path of a URL; either may be left out.
fn split_url(url: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let scheme = memchr::memmem::find(url, b"://").filter(|end| url.iter().take(*end).all(u8::is_ascii_alphanumeric));
    let rest = scheme.and_then(|end| url.get(end + 3..)).unwrap_or(url);
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, b""));
    // `user:password@` belongs to no authority that a gateway sees.
    let host = memchr::memrchr(b'@', host).and_then(|at| host.get(at + 1..)).unwrap_or(host);
    (Some(host).filter(|host| !host.is_empty()), Some(path).filter(|path| path.starts_with(b"/")))
}

/// The gateways that a configuration names, sorted.
fn gateways(config: &Config) -> Vec<&str> {
    let mut named: Vec<&str> = config.groups.iter().filter_map(|group| group.gateways.as_ref()).flatten().map(String::as_str).collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// The gateway to ask: the one given, or the only one that the configuration names.
pub fn gateway(config: &Config, given: Option<&str>) -> Result<String, Failure> {
    match (given, gateways(config).as_slice()) {
        (Some(given), _) => Ok(given.into()),
        (None, []) => Ok(String::new()),
        (None, [only]) => Ok((*only).into()),
        (None, several) => {
            let several = several.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(Failure::with_help("the configuration names several gateways", Some(format!("choose one with `--gateway`: {several}"))))
        }
    }
}

/// What to say about a gateway that no group names, though some name others: probably a slip.
pub fn strange_gateway(config: &Config, given: Option<&str>) -> Option<String> {
    let (given, named) = (given?, gateways(config));
    (!named.is_empty() && !named.contains(&given)).then(|| {
        let near = did_you_mean(given, named).map(|near| format!("; {near}")).unwrap_or_default();
        format!("no group names the gateway `{given}`{near}")
    })
}

/// `SERVICE/LANE`, one or more: subsets none of whose endpoints is healthy, in every group that has both.
pub fn down(router: &Router, given: &[String]) -> Result<Vec<Live>, Failure> {
    let mut live = Vec::new();
    for given in given {
        let (service, lane) = given.split_once('/').ok_or_else(|| {
            let help = "write host or alias, a slash and the lane: `--down mockb/v2`";
            Failure::with_help(format!("`{given}` is no `SERVICE/LANE`"), Some(help.into()))
        })?;
        let services = known_services(router, service)?;
        let found = services.iter().filter(|service| router.lane_in(router.group_of(**service), lane).is_some());
        // One endpoint that is not healthy: it exists, and cannot serve.
        let found =
            found.map(|service| Live { service: router.service_host(*service).into(), lane: lane.into(), endpoints: 1, healthy: 0 });
        let before = live.len();
        live.extend(found);
        if live.len() == before {
            let lanes = services.iter().flat_map(|service| router.lanes(router.group_of(*service))).map(|lane| router.lane_name(lane));
            return Err(Failure::with_help(format!("no lane `{lane}` in the group of `{service}`"), did_you_mean(lane, lanes)));
        }
    }
    Ok(live)
}

/// The services that a host or alias names; an error where it names none.
pub fn known_services<'r>(router: &'r Router, name: &str) -> Result<&'r [lane_core::ServiceId], Failure> {
    match router.services_named(name) {
        [] => {
            let hosts: Vec<_> =
                router.groups().flat_map(|group| router.services(group)).map(|service| router.service_host(service)).collect();
            let first_labels = hosts.iter().map(|host| host.split('.').next().unwrap_or(host));
            let near = did_you_mean(name, hosts.iter().copied()).or_else(|| did_you_mean(name, first_labels));
            Err(Failure::with_help(format!("no group has a service `{name}`"), near))
        }
        services => Ok(services),
    }
}

/// What to say about a called name that no group has: probably a slip.
pub fn strange_service(router: &Router, name: &str) -> Option<String> {
    match known_services(router, name) {
        Err(Failure::Unusable { message, help }) => Some(help.map_or_else(|| message.clone(), |help| format!("{message}; {help}"))),
        _ => None,
    }
}

/// The group of this name.
pub fn group_named<'c>(config: &'c Config, name: &str) -> Result<&'c Group, Failure> {
    let near = || did_you_mean(name, config.groups.iter().map(|group| group.name.as_str()));
    config.groups.iter().find(|group| group.name == name).ok_or_else(|| Failure::with_help(format!("no group `{name}`"), near()))
}

/// `NAME=VALUE`, one or more.
pub fn assignments(given: &[String], what: &str) -> Result<Vec<(String, String)>, Failure> {
    let pair = |given: &String| {
        given.split_once('=').filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    given.iter().map(|given| pair(given).ok_or_else(|| Failure::new(format!("`{given}` is no `{what}`")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Option<&[u8]>) -> String {
        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
    }

    #[test]
    fn urls_are_taken_as_people_write_them() {
        let split = |url: &str| {
            let (host, path) = split_url(url.as_bytes());
            (text(host), text(path))
        };
        assert_eq!(split("http://shop.example:8080/cart?x=1"), ("shop.example:8080".into(), "/cart?x=1".into()));
        assert_eq!(split("shop.example/cart"), ("shop.example".into(), "/cart".into()));
        assert_eq!(split("/cart?next=http://a/b"), ("".into(), "/cart?next=http://a/b".into()));
        assert_eq!(split("https://me:secret@[::1]:8443"), ("[::1]:8443".into(), "".into()));
        assert_eq!(split(""), ("".into(), "".into()));
        assert_eq!(split("http://"), ("".into(), "".into()));
    }

    #[test]
    fn headers_are_taken_as_curl_takes_them() {
        let read = |given: &str| header(OsStr::new(given)).ok().map(|(name, value)| (name.to_owned(), text(Some(value))));
        assert_eq!(read("x-user:  qa "), Some(("x-user".into(), "qa".into())));
        assert_eq!(read("x-empty:"), Some(("x-empty".into(), String::new())));
        assert_eq!(read("x: a:b"), Some(("x".into(), "a:b".into())));
        assert_eq!(read("x-user"), None);
        assert_eq!(read(": qa"), None);
    }
}
