//! What people configure, in groups of eight rules for one service behind one host: a canary for some users, a
//! path regex, an exact path that is split, a method, a region, a debug header, a tag; half of the services end with
//! a rule for everybody. The guiding header carries the tag.

use lane_core::config::{Entry, Matcher};

use super::{Act, Draft, HOST, Sample, Shape, exact, prefix, regex};
use crate::random::Rng;

const GUIDE: &str = "x-asm-prefer-tag";
const NAMES: [&str; 16] = [
    "orders", "cart", "users", "search", "catalog", "payment", "stock", "reviews", "media", "prices", "offers", "mail", "login", "reports",
    "files", "maps",
];

/// The mixes.
pub static MIXES: &[Shape] = &[
    Shape { services, ..Shape::new("onehost", |index, rules| mix(index, rules, HOST.into())) },
    Shape { services, ..Shape::new("manyhosts", |index, rules| mix(index, rules, host(index, rules))) },
    Shape { services: |_| 1, lanes: |rules| rules, ..Shape::new("tagonly", tagonly) },
    Shape { services, ..Shape::new("core", core) },
];

fn services(rules: usize) -> usize {
    (rules / 8).clamp(1, 1_000)
}

/// One of up to 50 hosts, the same for all rules of a service.
fn host(index: usize, rules: usize) -> String {
    let hosts = (rules / 20).clamp(1, 50);
    format!("www-{}.shop.example", index / 8 % hosts)
}

/// The path of a service, the tag that a rule wants, and a request for both.
struct Parts {
    path: String,
    tag: String,
    item: String,
}

fn parts(index: usize, rules: usize) -> Parts {
    let service = index / 8;
    Parts {
        path: format!("/{}-{}/", NAMES[service % NAMES.len()], service / NAMES.len()),
        tag: format!("s{}", index % rules.clamp(16, 1_000)),
        item: Rng::new(index as u64).hex(8),
    }
}

fn header(entry: &mut Entry, name: &str, matcher: Matcher) {
    entry.headers.insert(name.into(), matcher);
}

/// Everything: paths exact, by prefix and by regex, headers exact, by prefix, by regex and by presence, queries, cookies, methods.
fn mix(index: usize, rules: usize, host: String) -> Draft {
    let Parts { path, tag, item } = parts(index, rules);
    let service = index / 8;
    let mut entry = Entry { path: Some(prefix(&path)), ..Entry::default() };
    let mut sample = Sample::new(&host, format!("{path}v1/items/{item}"));
    let mut act = Act::Lane(index);
    let tagged = |entry: &mut Entry, sample: Sample| {
        header(entry, GUIDE, exact(&tag));
        sample.with(GUIDE, &tag)
    };
    match index % 8 {
        0 => match service % 4 {
            0 => {
                header(&mut entry, "x-user-id", regex(format!("u{service}-[0-9]+7")));
                sample = sample.with("x-user-id", format!("u{service}-{}7", index * 31 % 1_000));
            }
            1 => {
                entry.cookies.insert("canary".into(), exact(format!("g{service}")));
                sample.cookie = Some(format!("canary=g{service}"));
            }
            2 => {
                header(&mut entry, "x-client", prefix(format!("app/{service}.")));
                sample = sample.with("x-client", format!("app/{service}.4 (ios)"));
            }
            _ => {
                entry.query.insert("beta".into(), exact(format!("{service}")));
                sample.query = Some(format!("page=2&beta={service}"));
            }
        },
        1 => {
            entry.path = Some(regex(format!("{path}v[0-9]+/items/[0-9a-f]+/detail")));
            sample.path.push_str("/detail");
            sample = tagged(&mut entry, sample);
        }
        2 => {
            entry.path = Some(exact(format!("{path}checkout")));
            sample.path = format!("{path}checkout");
            sample = tagged(&mut entry, sample);
            act = Act::Split([index, index + 1, index + 2]);
        }
        3 => {
            entry.method = Some(exact("POST"));
            sample.method = "POST";
            sample = tagged(&mut entry, sample);
        }
        4 => {
            header(&mut entry, "x-region", exact(format!("eu-{}", service % 5)));
            sample = tagged(&mut entry, sample.with("x-region", format!("eu-{}", service % 5)));
        }
        5 => {
            header(&mut entry, "x-debug", Matcher::Present(true));
            sample = tagged(&mut entry, sample.with("x-debug", "1"));
        }
        7 if service.is_multiple_of(2) => {}
        _ => sample = tagged(&mut entry, sample),
    }
    Draft { hosts: vec![host], entry: Some(entry), act, sample }
}

/// Host, path exact or by prefix, method, headers exact: what every peer can say.
fn core(index: usize, rules: usize) -> Draft {
    let Parts { path, tag, item } = parts(index, rules);
    let service = index / 8;
    let host = host(index, rules);
    let mut entry = Entry { path: Some(prefix(&path)), ..Entry::default() };
    let mut sample = Sample::new(&host, format!("{path}v1/items/{item}"));
    let is_base = index % 8 == 7 && service.is_multiple_of(2);
    if !is_base {
        header(&mut entry, GUIDE, exact(&tag));
        sample = sample.with(GUIDE, &tag);
    }
    match index % 8 {
        0 | 2 => {
            entry.path = Some(exact(format!("{path}checkout")));
            sample.path = format!("{path}checkout");
        }
        1 | 3 => {
            entry.method = Some(exact("POST"));
            sample.method = "POST";
        }
        4 => {
            header(&mut entry, "x-region", exact(format!("eu-{}", service % 5)));
            sample = sample.with("x-region", format!("eu-{}", service % 5));
        }
        _ => {}
    }
    Draft { hosts: vec![host], entry: Some(entry), act: Act::Lane(index), sample }
}

/// The pure grey release: one host, every path, a lane for every value of the guiding header.
fn tagonly(index: usize, _: usize) -> Draft {
    let tag = format!("s{index}");
    let mut entry = Entry { path: Some(prefix("/")), ..Entry::default() };
    header(&mut entry, GUIDE, exact(&tag));
    let item = Rng::new(index as u64).hex(8);
    let sample = Sample::new(HOST, format!("/orders/v1/items/{item}")).with(GUIDE, tag);
    Draft { hosts: vec![HOST.into()], entry: Some(entry), act: Act::Lane(index), sample }
}
