//! The cluster specifier: Envoy asks for the cluster while it resolves a route. Header changes are left in the route's
//! metadata under `lane`, where `%METADATA(ROUTE:lane:NAME)%` in the route's own configuration picks them up.

use core::{cell::Cell, ptr::NonNull};

use crate::{
    abi::{HeaderLines, Hosts, Selection, Store},
    decide::{Host, Instance, Scratch, Verdict},
    settings::{Role, Settings},
};

/// The cluster specifier of one route.
#[derive(Debug)]
pub enum Specifier {
    /// It decides.
    Own(Box<Instance>),
    /// The HTTP filter decides, through [`on_behalf`].
    Filter,
}

impl<'i> Host<'i> for Selection {
    const STATES_ALL: bool = true;

    fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        Self::headers(self, store)
    }

    fn roll(&self) -> Option<u64> {
        Self::roll(self)
    }

    fn source_address(&self) -> Option<&[u8]> {
        Self::source_address(self)
    }

    fn hosts(&mut self, cluster: &'i str) -> Option<Hosts> {
        Self::hosts(self, cluster)
    }
}

/// A selection whose headers the filter changes.
struct ForFilter(Selection);

impl<'i> Host<'i> for ForFilter {
    const STATES_ALL: bool = false;

    fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        self.0.headers(store)
    }

    fn roll(&self) -> Option<u64> {
        self.0.roll()
    }

    fn source_address(&self) -> Option<&[u8]> {
        self.0.source_address()
    }

    fn hosts(&mut self, cluster: &'i str) -> Option<Hosts> {
        self.0.hosts(cluster)
    }
}

impl Specifier {
    /// Reads what was configured.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(config: &[u8]) -> Result<Self, String> {
        let settings = Settings::read(config)?;
        if settings.role == Role::Filter {
            return Ok(Self::Filter);
        }
        if settings.role == Role::Inbound && settings.pass_cluster.is_none() {
            return Err("a cluster specifier in the role `inbound` needs `pass_cluster`, the cluster of the workload".to_owned());
        }
        Ok(Self::Own(Box::new(Instance::new(settings)?)))
    }

    /// Chooses the cluster of one request; `false` where there is none to choose yet.
    pub fn select(&self, mut selection: Selection) -> bool {
        match self {
            Self::Own(instance) => Scratch::lend(|scratch| {
                let verdict = if instance.settings.role == Role::Inbound {
                    instance.arrive(&selection, scratch);
                    Verdict::Pass
                } else {
                    instance.decide(&mut selection, scratch)
                };
                tell(&selection, scratch);
                choose(&selection, instance, verdict);
                true
            }),
            Self::Filter => handed(|instance| {
                // The filter changes the headers by what is left in the scratch.
                let mut host = ForFilter(selection);
                let verdict = Scratch::lend(|scratch| instance.decide(&mut host, scratch));
                choose(&host.0, instance, verdict);
                Outcome::of(verdict, instance)
            }),
        }
    }
}

/// Leaves header changes in the route's metadata.
fn tell(selection: &Selection, scratch: &Scratch) {
    for (name, value) in scratch.changes().iter() {
        // Removing is the route's own: `request_headers_to_remove` goes first.
        if let Some(value) = value {
            selection.set_metadata(name, value);
        }
    }
    if !scratch.cookie.is_empty() {
        selection.set_metadata("set-cookie", scratch.cookie.as_bytes());
    }
}

fn choose(selection: &Selection, instance: &Instance, verdict: Verdict<'_>) {
    match (verdict, &instance.settings.pass_cluster) {
        (Verdict::Cluster(cluster), _) => selection.set_cluster(cluster),
        (Verdict::Pass, Some(cluster)) => selection.set_cluster(cluster),
        (Verdict::Pass, None) => selection.answer(404, "lane_pass"),
        (Verdict::Answer { status, why }, _) => selection.answer(status, why),
    }
}

/// What became of a decision that was made for the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request has a cluster.
    Routed,
    /// It is to be answered.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Why, as a word for access logs.
        why: &'static str,
    },
}

impl Outcome {
    fn of(verdict: Verdict<'_>, instance: &Instance) -> Self {
        match verdict {
            Verdict::Pass if instance.settings.pass_cluster.is_none() => Self::Answer { status: 404, why: "lane_pass" },
            Verdict::Cluster(_) | Verdict::Pass => Self::Routed,
            Verdict::Answer { status, why } => Self::Answer { status, why },
        }
    }
}

/// What the filter hands to the specifier that Envoy calls before the filter's own call returns.
#[derive(Clone, Copy)]
enum Handed {
    Nothing,
    /// Decide by this.
    Ask(NonNull<Instance>),
    Done(Outcome),
}

thread_local! {
    static HANDED: Cell<Handed> = const { Cell::new(Handed::Nothing) };
}

/// Has the route's specifier decide by the filter's configuration; none where the route has none in the role `filter`.
/// `refresh` makes Envoy call it, on this thread and before it returns. Header changes are left in the thread's scratch.
pub fn on_behalf(instance: &Instance, refresh: impl FnOnce()) -> Option<Outcome> {
    /// Takes the question back, also when a panic passes by.
    struct TakeBack;
    impl Drop for TakeBack {
        fn drop(&mut self) {
            HANDED.set(Handed::Nothing);
        }
    }
    HANDED.set(Handed::Ask(NonNull::from(instance)));
    let take_back = TakeBack;
    refresh();
    let handed = HANDED.get();
    drop(take_back);
    match handed {
        Handed::Done(outcome) => Some(outcome),
        Handed::Nothing | Handed::Ask(_) => None,
    }
}

/// Answers what was handed over, if anything was.
fn handed(answer: impl FnOnce(&Instance) -> Outcome) -> bool {
    let Handed::Ask(instance) = HANDED.get() else { return false };
    #[expect(unsafe_code, reason = "a thread-local cannot name the life of what it lends")]
    // SAFETY: `on_behalf` is under way on this thread and holds the reference; it takes the question back before it returns.
    let instance = unsafe { instance.as_ref() };
    HANDED.set(Handed::Done(answer(instance)));
    true
}
