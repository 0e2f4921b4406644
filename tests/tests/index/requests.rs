//! Requests for a rule set: what one of its rules wants, and noise over it: other lines of the same headers, upper-case
//! names, encoded baggage, many lines that some rule asks for.

use lane_core::{Decision, Headers, Liveness, Request, Router, Source};
use lane_tests::generate::Rng;

use super::rules::{GATEWAYS, HOSTS, LANES, PATHS, Place, Profile, RuleSet, SERVICES, VALUES, Wish, header, release};

/// One request, owned.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The called service; none at a gateway.
    called: Option<&'static str>,
    gateway: &'static str,
    method: String,
    host: Option<String>,
    path: Option<String>,
    caller: Option<&'static str>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    roll: Option<u64>,
}

impl Asked {
    pub(crate) fn generate(rng: &mut Rng, set: &RuleSet) -> Self {
        let mut asked = Self {
            called: rng.chance(40).then(|| rng.pick(&SERVICES)),
            gateway: rng.pick(&[GATEWAYS.as_slice(), &["elsewhere"]].concat()),
            method: rng.pick(&VALUES).to_owned(),
            host: rng.chance(90).then(|| rng.pick(&HOSTS).replace('*', "x.y")),
            path: rng.chance(95).then(|| rng.pick(&PATHS).to_owned()),
            caller: rng.chance(30).then(|| rng.pick(&SERVICES)),
            headers: Vec::new(),
            roll: rng.chance(90).then(|| rng.number()),
        };
        let mut cookies: Vec<(String, String)> = Vec::new();
        let mut query: Vec<(String, String)> = Vec::new();
        let mut baggage: Vec<(String, String)> = Vec::new();
        let nothing = Vec::new();
        let aimed = if set.wishes.is_empty() || rng.chance(10) { &nothing } else { &set.wishes[rng.below(set.wishes.len())] };
        let noise = asked.noise(rng, set);
        for Wish { place, name, value } in aimed.iter().chain(&noise) {
            // What is wished for is left out now and then, so that near misses are met.
            if rng.chance(4) {
                continue;
            }
            match place {
                Place::Method => asked.method.clone_from(value),
                Place::Path => asked.path = Some(value.clone()),
                Place::Host => asked.host = Some(value.clone()),
                Place::Service => asked.caller = Some(SERVICES[0]),
                Place::Query => query.push((name.clone(), value.clone())),
                Place::Cookie => cookies.push((name.clone(), value.clone())),
                Place::Baggage => baggage.push((name.clone(), encoded(rng, value))),
                Place::Header => {
                    let name = rng.pick(&[name.clone(), name.to_ascii_lowercase(), name.to_ascii_uppercase()]);
                    asked.headers.push((name, value.clone().into_bytes()));
                }
            }
        }
        asked.write("cookie", "; ", rng, &cookies);
        asked.write("baggage", ",", rng, &baggage);
        if let Some(path) = &mut asked.path
            && !query.is_empty()
        {
            let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            path.push('?');
            path.push_str(&query.join("&"));
        }
        if let Some(host) = &mut asked.host {
            match rng.below(6) {
                0 => host.push_str(":8080"),
                1 => *host = host.to_ascii_uppercase(),
                _ => {}
            }
        }
        // Which of several lines of one header stands first is left to chance as well.
        asked.headers = rng.some(&asked.headers, usize::MAX);
        asked
    }

    /// Values that other rules want.
    fn noise(&self, rng: &mut Rng, set: &RuleSet) -> Vec<Wish> {
        let mut noise = Vec::new();
        let mut put = |place: Place, name: String, value: &str| noise.push(Wish { place, name, value: value.to_owned() });
        let (names, lines) = match set.profile {
            Profile::ManyHeaders => (130, rng.pick(&[0, 3, 12, 30])),
            Profile::Mixed => (24, rng.pick(&[0, 3, 24])),
            _ => (5, rng.pick(&[0, 1, 3, 20])),
        };
        for _ in 0..lines {
            let (name, value) = (header(rng.below(names)), rng.pick(&VALUES));
            put(Place::Header, name, value);
        }
        if set.profile == Profile::Releases && rng.chance(40) {
            let (place, name) = &set.thing;
            for _ in 0..rng.between(1, 3) {
                put(*place, name.clone(), &release(rng));
            }
        }
        for (place, letter) in [(Place::Cookie, 'c'), (Place::Query, 'q'), (Place::Baggage, 'b')] {
            for number in 0..2 {
                if rng.chance(30) {
                    let value = rng.pick(&VALUES);
                    put(place, format!("{letter}{number}"), value);
                }
            }
        }
        for guide in ["version", "x-lane"] {
            if rng.chance(10) {
                put(Place::Header, guide.to_owned(), rng.pick(&[LANES.as_slice(), &["nobody"]].concat()));
            }
        }
        noise
    }

    /// Puts pairs into one header, in one line or two.
    fn write(&mut self, name: &str, separator: &str, rng: &mut Rng, pairs: &[(String, String)]) {
        let cut = if rng.chance(30) { rng.between(0, pairs.len()) } else { pairs.len() };
        let (first, second) = pairs.split_at(cut);
        for part in [first, second] {
            if !part.is_empty() {
                let pairs: Vec<String> = part.iter().map(|(name, value)| format!("{name}={value}")).collect();
                self.headers.push((name.to_owned(), pairs.join(separator).into_bytes()));
            }
        }
    }

    pub(crate) fn decide(&self, router: &Router, liveness: &Liveness) -> Decision {
        self.decide_by(self.headers.as_slice(), router, liveness)
    }

    /// The same with headers that somebody else holds.
    pub(crate) fn decide_by<H: Headers + ?Sized>(&self, headers: &H, router: &Router, liveness: &Liveness) -> Decision {
        let request = Request {
            method: Some(self.method.as_bytes()),
            authority: self.host.as_deref().map(str::as_bytes),
            path: self.path.as_deref().map(str::as_bytes),
            source: Source { service: self.caller, ..Source::UNKNOWN },
            roll: self.roll,
            ..Request::new(headers)
        };
        match self.called {
            Some(service) => router.hop(service, &request, liveness),
            None => router.ingress(self.gateway, &request, liveness),
        }
    }
}

/// A baggage value: what must be encoded is, and now and then what need not be.
fn encoded(rng: &mut Rng, value: &str) -> String {
    let all = rng.chance(20);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() && !all;
    value.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
