//! Resource files: their documents and lists, and a cursor over a document that knows where it stands and reports
//! what does not belong there.

use lane_core::diagnostic::{FieldPath, did_you_mean};

use super::{
    Code, Input, Note, Place, Report,
    report::{listed, place},
};
use crate::{
    Format,
    place::{Lines, Span},
    shape::words,
    tree::{self, Entry, Node, Value, plain_number},
};

/// Kubernetes' own fields of every resource.
const TOP: &[&str] = &["apiVersion", "kind", "metadata", "spec"];

/// What is read, and what is said about it.
pub(super) struct Reading<'r, 't> {
    pub(super) report: &'r mut Report,
    files: Vec<Lines<'t>>,
}

/// A value of a document.
#[derive(Clone, Debug)]
pub(super) struct At<'n> {
    pub(super) node: &'n Node,
    pub(super) file: usize,
    pub(super) path: FieldPath,
    /// The key before it.
    key: Option<Span>,
    /// What messages point at, if not at the value.
    pointed: Option<Span>,
}

/// A resource.
#[derive(Clone, Debug)]
pub(super) struct Resource<'n> {
    pub(super) at: At<'n>,
    pub(super) kind: &'n str,
    pub(super) name: &'n str,
    pub(super) namespace: &'n str,
    /// When it was created, as written: RFC 3339 in UTC sorts as text.
    pub(super) created: Option<&'n str>,
}

/// Documents of all files, with the file of each.
pub(super) type Documents = Vec<(usize, Node)>;

impl<'r, 't> Reading<'r, 't> {
    /// Reads all files.
    pub(super) fn new(inputs: &[Input<'t>], report: &'r mut Report) -> (Self, Documents) {
        let mut reading = Self { report, files: inputs.iter().map(|input| Lines::new(input.text)).collect() };
        let mut documents = Vec::new();
        for (file, input) in inputs.iter().enumerate() {
            let nodes = match Format::of_path(input.name) {
                Format::Json => tree::json::read(input.text).map(|node| vec![node]),
                Format::Yaml => tree::yaml::read_all(input.text),
            };
            match nodes {
                Ok(nodes) => documents.extend(nodes.into_iter().map(|node| (file, node))),
                Err(failure) => {
                    let mut note = Note::new(Code::Malformed, FieldPath::root(), failure.message);
                    note.help = failure.help;
                    reading.put(note, file, failure.span);
                }
            }
        }
        (reading, documents)
    }

    /// The resources of these kinds, as (API group, kind), lists opened; the others are told.
    pub(super) fn resources<'n>(
        &mut self,
        documents: &'n Documents,
        kinds: &[(&str, &str)],
        help: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Vec<Resource<'n>> {
        let mut found = Vec::new();
        for (file, node) in documents {
            // Between two lines of `---` there may be nothing.
            if !matches!(node.value, Value::Null) {
                self.open(&At { node, file: *file, path: FieldPath::root(), key: None, pointed: None }, kinds, help, &mut found);
            }
        }
        found
    }

    fn open<'n>(
        &mut self,
        at: &At<'n>,
        kinds: &[(&str, &str)],
        help: &dyn Fn(&str, &str) -> Option<String>,
        found: &mut Vec<Resource<'n>>,
    ) {
        let text = |name: &str| at.field(name).and_then(|at| at.node.text());
        let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) else {
            let message = "this is no Kubernetes resource: it has no `apiVersion` and `kind`";
            self.note(Code::UnknownKind, at, message, Some("import the mesh's resources; `lane check` reads configurations".into()));
            return;
        };
        let items = at.field("items").filter(|items| kind.ends_with("List") && matches!(items.node.value, Value::List(_)));
        if let Some(items) = items {
            for item in items.node.items().iter().enumerate().map(|(index, node)| items.item(index, node)) {
                self.open(&item, kinds, help, found);
            }
            return;
        }
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let kind_at = at.field("kind").unwrap_or_else(|| at.clone());
        if !kinds.contains(&(group, kind)) {
            let routes = ["networking.istio.io", "istio.alibabacloud.com", "gateway.networking.k8s.io", "extensions.istio.io"];
            let harmless = [
                "Gateway",
                "GatewayClass",
                "ReferenceGrant",
                "ServiceEntry",
                "WorkloadEntry",
                "WorkloadGroup",
                "ProxyConfig",
                "WasmPlugin",
            ];
            if !routes.contains(&group) || harmless.contains(&kind) {
                self.note(Code::Ignored, &kind_at, format!("resources of kind `{kind}` are not read"), None);
                return;
            }
            let names = kinds.iter().map(|(_, kind)| *kind);
            let help = help(group, kind)
                .or_else(|| did_you_mean(kind, names.clone()))
                .unwrap_or_else(|| format!("these are read: {}", listed(names)));
            self.note(Code::UnknownKind, &kind_at, format!("a `{kind}` of `{group}` is not read"), Some(help));
            return;
        }
        self.known(at, TOP, &[], &["status"]);
        let metadata = at.field("metadata");
        let meta = |name: &str| metadata.as_ref().and_then(|at| at.field(name)).and_then(|at| at.node.text());
        found.push(Resource {
            at: at.clone(),
            kind,
            name: meta("name").unwrap_or_default(),
            namespace: meta("namespace").unwrap_or("default"),
            created: meta("creationTimestamp"),
        });
    }

    /// Reports every field that is not known, those that are known and ignored, and keys written twice. Whether there
    /// is nothing that is not known: a condition of which a part is not understood may not be taken for the rest of it.
    pub(super) fn known(&mut self, at: &At<'_>, known: &[&str], ignored: &[&str], silent: &[&str]) -> bool {
        let Value::Map(entries) = &at.node.value else {
            self.expected(at, "a map");
            return false;
        };
        let mut whole = true;
        let mut seen: Vec<&str> = Vec::new();
        for entry in entries.iter() {
            let name = &*entry.key.text;
            let here = at.entry(entry).at_key();
            if seen.contains(&name) {
                self.note(Code::Malformed, &here, format!("`{name}` is written twice"), Some("remove one".into()));
                whole = false;
            } else if ignored.contains(&name) {
                self.note(Code::Ignored, &here, format!("`{name}` has no effect on lanes"), None);
            } else if !known.contains(&name) && !silent.contains(&name) {
                let names = known.iter().chain(ignored).copied();
                let help = did_you_mean(name, names.clone()).unwrap_or_else(|| format!("there are {}", listed(names)));
                self.note(Code::UnknownField, &here, format!("unknown field `{name}`"), Some(help));
                whole = false;
            }
            seen.push(name);
        }
        whole
    }

    /// The entries of a list; a note for what is none.
    pub(super) fn items<'n>(&mut self, at: &At<'n>) -> Vec<At<'n>> {
        match &at.node.value {
            Value::List(nodes) => nodes.iter().enumerate().map(|(index, node)| at.item(index, node)).collect(),
            Value::Null => Vec::new(),
            _ => {
                self.expected(at, "a list");
                Vec::new()
            }
        }
    }

    /// The entries of a map, by key; a note for what is none.
    pub(super) fn entries<'n>(&mut self, at: &At<'n>) -> Vec<(&'n str, At<'n>)> {
        match &at.node.value {
            Value::Map(entries) => entries.iter().map(|entry| (&*entry.key.text, at.entry(entry))).collect(),
            Value::Null => Vec::new(),
            _ => {
                self.expected(at, "a map");
                Vec::new()
            }
        }
    }

    /// The text; a note for what is none.
    pub(super) fn text<'n>(&mut self, at: &At<'n>) -> Option<&'n str> {
        let text = at.node.text();
        if text.is_none() {
            self.expected(at, "text");
        }
        text
    }

    /// The texts of a list.
    pub(super) fn texts<'n>(&mut self, at: &At<'n>) -> Vec<&'n str> {
        let items = self.items(at);
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// A whole number from 0.
    pub(super) fn number(&mut self, at: &At<'_>) -> Option<u32> {
        let number = match &at.node.value {
            Value::Number(written) => plain_number(written).parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.expected(at, "a whole number from 0");
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, at: &At<'_>) -> bool {
        match &at.node.value {
            Value::Bool(value) => *value,
            _ => {
                self.expected(at, "`true` or `false`");
                false
            }
        }
    }

    /// The field; a note where it is missing.
    pub(super) fn required<'n>(&mut self, at: &At<'n>, name: &str) -> Option<At<'n>> {
        let found = at.field(name);
        if found.is_none() {
            self.note(Code::Malformed, at, format!("the field `{name}` is missing"), Some(format!("write `{name}`")));
        }
        found
    }

    fn expected(&mut self, at: &At<'_>, wanted: &str) {
        let help = (wanted == "text" && matches!(at.node.value, Value::Bool(_) | Value::Number(_))).then(|| "quote it".to_owned());
        self.note(Code::Malformed, at, format!("expected {wanted}, found {}", words::found(at.node)), help);
    }

    pub(super) fn note(&mut self, code: Code, at: &At<'_>, message: impl Into<String>, help: Option<String>) {
        let mut note = Note::new(code, at.path.clone(), message);
        note.help = help;
        self.put(note, at.file, at.span());
    }

    /// A note with another place that belongs to it.
    pub(super) fn note_related(&mut self, code: Code, at: &At<'_>, message: impl Into<String>, help: &str, other: &At<'_>, why: &str) {
        let mut note = Note::new(code, at.path.clone(), message).help(help);
        note.related = self.place(other.file, other.span()).map(|place| (place, why.to_owned()));
        self.put(note, at.file, at.span());
    }

    fn put(&mut self, mut note: Note, file: usize, span: Span) {
        note.place = self.place(file, span);
        self.report.add(note);
    }

    fn place(&self, file: usize, span: Span) -> Option<Place> {
        self.files.get(file).map(|lines| place(lines, file, span))
    }
}

impl<'n> At<'n> {
    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        self.node.get(name).map(|entry| self.entry(entry))
    }

    fn entry(&self, entry: &'n Entry) -> Self {
        Self { node: &entry.value, file: self.file, path: self.path.field(&entry.key.text), key: Some(entry.key.span), pointed: None }
    }

    fn item(&self, index: usize, node: &'n Node) -> Self {
        Self { node, file: self.file, path: self.path.index(index), key: None, pointed: None }
    }

    /// The text, if it is one; nothing is told.
    pub(super) fn plain_text(&self) -> Option<&'n str> {
        self.node.text()
    }

    /// Where messages about this value point.
    fn span(&self) -> Span {
        self.pointed.unwrap_or(self.node.span)
    }

    /// The key instead of the value, for what is wrong with the key.
    fn at_key(self) -> Self {
        Self { pointed: self.key, ..self }
    }
}

impl Node {
    /// The text, if it is one.
    fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(nodes) => nodes,
            _ => &[],
        }
    }
}
