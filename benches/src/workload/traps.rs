//! Configurations that are hard on an index: rules that overlap in everything but the last condition, thousands
//! of regexes, conditions that no look-up can prove, values and requests of unusual size.

use lane_core::config::{Entry, LaneFrom, Matcher, Range};

use super::{Act, Draft, HOST, Sample, Shape, exact, prefix, regex};
use crate::random::Rng;

const PATH: &str = "/shop/";

/// The traps.
pub static TRAPS: &[Shape] = &[
    Shape::of_regexes("adv_hdr_regex", |index, _| alike("x-user", regex(format!("u{index}x[0-9]+7")), format!("u{index}x{}7", index * 7))),
    Shape::of_regexes("adv_hdr_regex_nolit", hdr_regex_nolit),
    Shape::of_regexes("adv_path_regex", path_regex),
    Shape::of_regexes("adv_rx_dotstar", |index, _| {
        let value = format!("Mozilla/5.0 (B; C{index:05}; Build 7) x");
        alike("x-agent", regex(format!(".*(A|B).*C{index:05}.*x")), value)
    }),
    Shape::new("adv_last_exact", |index, _| alike("x-user", exact(format!("user-{index}")), format!("user-{index}"))),
    Shape::new("adv_last_prefix", |index, _| alike("x-user", prefix(format!("user-{index}-")), format!("user-{index}-eu"))),
    Shape::new("adv_last_suffix", |index, _| alike("x-user", Matcher::Suffix(format!("-user-{index}")), format!("eu-user-{index}"))),
    Shape::new("adv_last_range", |index, _| {
        let min = index as i64 * 10;
        alike("x-user", Matcher::Range(Range { min: Some(min), max: Some(min + 10) }), format!("{}", min + 3))
    }),
    Shape::new("adv_ternary", ternary),
    Shape::new("adv_nested", nested),
    Shape::new("adv_present", |index, _| {
        let entry = Entry { headers: [(format!("x-h{index}"), Matcher::Present(true))].into(), ..Entry::default() };
        draft(entry, index, Sample::new(HOST, PATH).with(format!("x-h{index}"), "1"))
    }),
    Shape::new("adv_manyattrs", many_attributes),
    Shape::new("adv_negation", |index, _| {
        let mut draft = alike("x-user", Matcher::Suffix(format!("-user-{index}")), format!("eu-user-{index}"));
        let not = |text: &str| Matcher::Not(Box::new(exact(text)));
        draft.entry.as_mut().expect("it has conditions").headers.insert("x-env".into(), not("blocked"));
        draft.act = Act::Lane(index);
        draft
    }),
    Shape::new("adv_negation_only", negation_only),
    Shape::new("adv_matchall", match_all),
    Shape::new("adv_longvalues", |index, _| {
        let value = |index: usize| format!("{}{index}", "v".repeat(4_000));
        alike("x-user", exact(value(index)), value(index))
    }),
    Shape { headers: 100, ..Shape::new("adv_100headers", few_of_many) },
    Shape { upper: true, ..Shape::new("adv_upper", few_of_many) },
    Shape::new("adv_duplicated", |index, rules| {
        let mut draft = few_of_many(index, rules);
        // The line that holds is the last of eight.
        for other in 0..7 {
            draft.sample.headers.insert(0, ("x-user".into(), format!("nobody-{other}")));
        }
        draft
    }),
    Shape::new("adv_suffix_hosts", |index, _| {
        let entry = Entry { path: Some(prefix(PATH)), ..Entry::default() };
        let sample = Sample::new(format!("a.b.shop-{index}.example"), PATH);
        Draft { hosts: vec![format!("*.shop-{index}.example")], ..draft(entry, index, sample) }
    }),
];

fn draft(entry: Entry, index: usize, sample: Sample) -> Draft {
    Draft { hosts: vec![HOST.into()], entry: Some(entry), act: Act::Lane(index), sample }
}

/// Host, prefix and two headers are those of all other rules; only the last condition differs.
fn alike(name: &str, last: Matcher, value: String) -> Draft {
    let mut entry = Entry { path: Some(prefix(PATH)), ..Entry::default() };
    entry.headers.insert("x-app".into(), exact("web"));
    entry.headers.insert("x-env".into(), exact("prod"));
    entry.headers.insert(name.into(), last);
    let sample = Sample::new(HOST, format!("{PATH}items")).with("x-app", "web").with("x-env", "prod").with(name, value);
    draft(entry, 0, sample)
}

/// Classes of two, so that no byte of the value is sure.
fn hdr_regex_nolit(index: usize, _: usize) -> Draft {
    const LETTERS: [(char, char); 10] =
        [('a', 'b'), ('c', 'd'), ('e', 'f'), ('g', 'h'), ('i', 'j'), ('k', 'l'), ('m', 'n'), ('o', 'p'), ('q', 'r'), ('s', 't')];
    let digits = || format!("{index:05}").into_bytes().into_iter().map(|digit| LETTERS[usize::from(digit - b'0')]);
    let pattern: String = digits().map(|(one, other)| format!("[{one}{other}]")).collect();
    let value: String = digits().map(|(one, _)| one).collect();
    alike("x-user", regex(format!("{pattern}[0-9]+")), format!("{value}{}", index % 977))
}

fn path_regex(index: usize, _: usize) -> Draft {
    let entry = Entry { path: Some(regex(format!("/svc-{index}/v[0-9]+/items/[0-9a-f]+/detail"))), ..Entry::default() };
    let item = Rng::new(index as u64).hex(8);
    draft(entry, index, Sample::new(HOST, format!("/svc-{index}/v1/items/{item}/detail")))
}

/// Twelve headers of four values, of which a rule asks for six.
fn ternary(index: usize, _: usize) -> Draft {
    let mut rng = Rng::new(0x7e4 ^ (index as u64) << 8);
    let mut order: Vec<usize> = (0..12).collect();
    rng.shuffle(&mut order);
    let mut entry = Entry::default();
    let mut sample = Sample::new(HOST, PATH);
    for (position, attribute) in order.into_iter().enumerate() {
        let value = format!("v{}", rng.below(4));
        if position < 6 {
            entry.headers.insert(format!("x-t{attribute}"), exact(&value));
        }
        sample = sample.with(format!("x-t{attribute}"), value);
    }
    draft(entry, index, sample)
}

/// Sixteen prefixes, each around the one before: a deep path lies under all of them.
fn nested(index: usize, _: usize) -> Draft {
    let path = format!("{}/", "/deep".repeat(16 - index % 16));
    let tag = format!("t{}", index / 16);
    let entry = Entry { path: Some(prefix(&path)), headers: [("x-tag".into(), exact(&tag))].into(), ..Entry::default() };
    draft(entry, index, Sample::new(HOST, path).with("x-tag", tag))
}

/// Two equalities out of 300 header names.
fn many_attributes(index: usize, _: usize) -> Draft {
    let mut rng = Rng::new(0xa77 ^ (index as u64) << 8);
    let (one, more) = (rng.below(300), rng.below(299));
    let mut entry = Entry::default();
    let mut sample = Sample::new(HOST, PATH);
    for attribute in [one, (one + 1 + more) % 300] {
        let value = format!("v{}", rng.below(20));
        entry.headers.insert(format!("x-m{attribute}"), exact(&value));
        sample = sample.with(format!("x-m{attribute}"), value);
    }
    draft(entry, index, sample)
}

/// Every rule holds unless one of twelve headers has the value that all twelve of them have: none ever holds.
fn negation_only(index: usize, _: usize) -> Draft {
    let name = |header: usize| format!("x-n{}", header % 12);
    let not = Matcher::Not(Box::new(exact("prod")));
    let entry = Entry { headers: [(name(index), not.clone()), (name(index / 12), not)].into(), ..Entry::default() };
    draft(entry, index, (0..12).fold(Sample::new(HOST, PATH), |sample, header| sample.with(name(header), "prod")))
}

/// A tenth of the rules hold for everything, if only a header named a lane; it names none.
fn match_all(index: usize, rules: usize) -> Draft {
    if index >= rules / 10 {
        return few_of_many(index, rules);
    }
    let name = format!("x-pick-{}", index % 8);
    let sample = Sample::new(HOST, format!("{PATH}items")).with(&name, "s3").with("x-user", "nobody");
    Draft { hosts: vec![HOST.into()], entry: None, act: Act::From(LaneFrom::Header(name)), sample }
}

/// A path and a header, both exact enough.
fn few_of_many(index: usize, _: usize) -> Draft {
    let user = format!("user-{index}");
    let entry = Entry { path: Some(prefix(PATH)), headers: [("x-user".into(), exact(&user))].into(), ..Entry::default() };
    draft(entry, index, Sample::new(HOST, format!("{PATH}items")).with("x-user", user))
}
