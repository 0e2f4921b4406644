//! YAML to the tree, from the events of the parser inside `serde-saphyr` (granit).
//!
//! Its own deserializer would hide tags, turn numbers into floats and stop at the first repeated key; the events
//! show all of that, with byte offsets, and let one stack of our own bound depth, aliases and size.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use lane_core::diagnostic::Code;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Tag};

use super::{Entry, Failure, Key, MAX_DEPTH, MAX_VALUES, Node, Refusal, Value, scalar};
use crate::place::Span;

mod syntax;

/// How many values aliases may repeat in all.
const MAX_REPEATED_VALUES: usize = 100_000;
/// How many bytes of text aliases may repeat in all.
const MAX_REPEATED_BYTES: usize = 4 << 20;

/// Reads a YAML document.
pub(crate) fn read(text: &str) -> Result<Node, Failure> {
    let mut documents = documents(text, true)?;
    documents.pop().ok_or_else(|| Failure::new(Code::Syntax, Span::at(0), "the text holds no document"))
}

/// Reads all YAML documents of a text.
#[cfg(feature = "mesh")]
pub(crate) fn read_all(text: &str) -> Result<Vec<Node>, Failure> {
    documents(text, false)
}

fn documents(text: &str, only_one: bool) -> Result<Vec<Node>, Failure> {
    let mut nodes = Vec::new();
    let mut reader =
        Reader { text, frames: Vec::new(), anchors: HashMap::new(), root: None, spent: Cost::default(), repeated: Cost::default() };
    // Under-indented closing brackets are let through, as most YAML readers do: they change no meaning.
    let mut options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH + 1, block_nesting_limit: MAX_DEPTH + 1 };
    options.set_emit_comments(false);
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| syntax::explain(text, reader.frames.last().map(|frame| frame.span), &error))?;
        let tag = span.tag_span().and_then(|tag| tag.byte_range()).map(|range| Span::new(range.start, range.end));
        let span = span.byte_range().map_or_else(Span::default, |range| Span::new(range.start, range.end));
        match event {
            Event::DocumentStart(_, version) => {
                documents += 1;
                if documents > 1 && only_one {
                    return Err(Failure::new(Code::UnsupportedYaml, span, "the text holds more than one document")
                        .help("one file holds one configuration"));
                }
                if version.is_some_and(|version| (version.major, version.minor) != (1, 2)) {
                    return Err(Failure::new(Code::UnsupportedYaml, span, "only YAML 1.2 is supported").help("leave the `%YAML` line out"));
                }
            }
            Event::Scalar(value, style, anchor, tagged) => reader.scalar(&value, style, anchor, tagged.as_deref(), tag, span)?,
            Event::SequenceStart(_, anchor, tagged) => reader.open(Inside::List(Vec::new()), anchor, tagged.as_deref(), tag, span)?,
            Event::MappingStart(_, anchor, tagged) => reader.open(Inside::Map(Vec::new(), None), anchor, tagged.as_deref(), tag, span)?,
            Event::SequenceEnd | Event::MappingEnd => reader.close(span)?,
            Event::Alias(id) => reader.alias(id, span)?,
            Event::DocumentEnd => {
                nodes.extend(reader.root.take());
                // Anchors end with their document.
                reader.anchors.clear();
            }
            _ => {}
        }
    }
    nodes.extend(reader.root);
    Ok(nodes)
}

/// What has been read.
#[derive(Clone, Copy, Default)]
struct Cost {
    values: usize,
    bytes: usize,
}

impl Cost {
    fn add(&mut self, more: Self) {
        self.values += more.values;
        self.bytes += more.bytes;
    }

    fn since(self, before: Self) -> Self {
        Self { values: self.values - before.values, bytes: self.bytes - before.bytes }
    }
}

/// A value that aliases may repeat.
struct Anchored {
    node: Node,
    cost: Cost,
    /// How deep values stand inside it.
    height: usize,
}

/// A list or a map that is still open.
struct Frame {
    inside: Inside,
    span: Span,
    anchor: usize,
    refused: Option<Arc<Refusal>>,
    before: Cost,
    height: usize,
}

enum Inside {
    List(Vec<Node>),
    /// Entries, and a key that waits for its value.
    Map(Vec<Entry>, Option<Key>),
}

struct Reader<'t> {
    text: &'t str,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    spent: Cost,
    repeated: Cost,
}

impl Reader<'_> {
    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tagged: Option<&Tag>,
        tag: Option<Span>,
        span: Span,
    ) -> Result<(), Failure> {
        let plain = style == ScalarStyle::Plain;
        let before = self.spent;
        self.spend(Cost { values: usize::from(!self.awaits_key()), bytes: value.len() }, span)?;
        let (span, value) = match tagged {
            Some(tagged) => (tag.unwrap_or(span), Value::Refused(self.refuse_tag(tagged, tag))),
            // `<<` means something in YAML 1.1 only, and only as a key.
            None if plain && value == "<<" && self.awaits_key() => (span, Value::Refused(merge_key())),
            None if plain => (span, scalar::resolve(value)),
            None => (span, Value::Text(value.into())),
        };
        let node = Node { span, value };
        self.anchor(anchor, &node, before, 0);
        self.attach(node, 0);
        Ok(())
    }

    fn open(&mut self, inside: Inside, anchor: usize, tagged: Option<&Tag>, tag: Option<Span>, span: Span) -> Result<(), Failure> {
        let before = self.spent;
        self.spend(Cost { values: 1, bytes: 0 }, span)?;
        if self.frames.len() >= MAX_DEPTH {
            return Err(Failure::too_deep(span));
        }
        let refused = tagged.map(|tagged| self.refuse_tag(tagged, tag));
        let span = tag.filter(|_| refused.is_some()).unwrap_or(span);
        self.frames.push(Frame { inside, span, anchor, refused, before, height: 0 });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Failure> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let last = match &frame.inside {
            Inside::List(nodes) => nodes.last().map(|node| node.span),
            Inside::Map(entries, _) => {
                entries.last().map(|entry| Span::new(entry.key.span.start, entry.value.span.end.max(entry.key.span.end)))
            }
        };
        let first = match &frame.inside {
            Inside::List(nodes) => nodes.first().map(|node| node.span.start),
            Inside::Map(entries, _) => entries.first().map(|entry| entry.key.span.start),
        };
        // A closing bracket has a width; the end of a block is wherever the next line begins.
        let stop = if end.end > end.start { end.end } else { last.map_or(frame.span.end, |span| span.end) };
        // Aliases keep their targets' places, which lie before.
        let start = if frame.span.end > frame.span.start {
            frame.span.start
        } else {
            first.map_or(frame.span.start, |first| first.max(frame.span.start))
        };
        let value = match (frame.refused, frame.inside) {
            (Some(refused), _) => Value::Refused(refused),
            (None, Inside::List(nodes)) => Value::List(nodes.into()),
            (None, Inside::Map(entries, _)) => Value::Map(entries.into()),
        };
        let span = if matches!(value, Value::Refused(_)) { frame.span } else { Span::new(start, stop.max(start)) };
        let node = Node { span, value };
        let height = frame.height + 1;
        self.anchor(frame.anchor, &node, frame.before, height);
        self.attach(node, height);
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Failure> {
        let name = self.text.get(span.start..span.end).unwrap_or_default();
        let Some(Anchored { node, cost, height }) = self.anchors.get(&id) else {
            return Err(Failure::new(Code::UnsupportedYaml, span, format!("the alias `{name}` stands inside what it repeats")));
        };
        let (node, cost, height) = (Node { span, value: node.value.clone() }, *cost, *height);
        self.repeated.add(cost);
        if self.repeated.values > MAX_REPEATED_VALUES || self.repeated.bytes > MAX_REPEATED_BYTES {
            return Err(Failure::new(Code::TooLarge, span, "aliases repeat too much").help(format!(
                "all of them together may repeat {MAX_REPEATED_VALUES} values and {} MiB of text",
                MAX_REPEATED_BYTES >> 20
            )));
        }
        if self.frames.len() + height > MAX_DEPTH {
            return Err(Failure::too_deep(span));
        }
        self.spend(cost, span)?;
        self.attach(node, height);
        Ok(())
    }

    fn spend(&mut self, cost: Cost, span: Span) -> Result<(), Failure> {
        self.spent.add(cost);
        if self.spent.values > MAX_VALUES { Err(Failure::too_many(span)) } else { Ok(()) }
    }

    fn anchor(&mut self, id: usize, node: &Node, before: Cost, height: usize) {
        if id != 0 {
            self.anchors.insert(id, Anchored { node: node.clone(), cost: self.spent.since(before), height });
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { inside: Inside::Map(_, None), .. }))
    }

    fn attach(&mut self, node: Node, height: usize) {
        let text = self.text;
        let Some(frame) = self.frames.last_mut() else {
            self.root = self.root.take().or(Some(node));
            return;
        };
        frame.height = frame.height.max(height);
        match &mut frame.inside {
            Inside::List(nodes) => nodes.push(node),
            Inside::Map(entries, waiting) => match waiting.take() {
                Some(key) => entries.push(Entry { key, value: node }),
                None => *waiting = Some(key(text, node)),
            },
        }
    }

    fn refuse_tag(&self, tag: &Tag, span: Option<Span>) -> Arc<Refusal> {
        let written = span.and_then(|span| self.text.get(span.start..span.end)).map_or_else(|| Cow::Owned(tag.original()), Cow::Borrowed);
        Arc::new(Refusal {
            code: Code::UnsupportedYaml,
            message: format!("the tag `{written}` is not supported"),
            help: Some("leave the tag out; text that looks like a number is quoted".into()),
        })
    }
}

fn merge_key() -> Arc<Refusal> {
    Arc::new(Refusal {
        code: Code::UnsupportedYaml,
        message: "merge keys are not supported".into(),
        help: Some("write the fields out, or repeat a whole value by an alias".into()),
    })
}

/// A node that stands where a key is.
fn key(text: &str, node: Node) -> Key {
    let written = || text.get(node.span.start..node.span.end).unwrap_or_default().lines().next().unwrap_or_default();
    let no_text =
        |what: &str, help: String| Refusal { code: Code::WrongType, message: format!("the key is {what}, not text"), help: Some(help) };
    let quote = || format!("quote it: `\"{}\"`", written());
    let refusal = match &node.value {
        Value::Text(text) => return Key { text: text.clone(), span: node.span, refused: None },
        Value::Refused(refusal) => refusal.clone(),
        Value::Number(number) => no_text(&format!("the number `{number}`"), quote()).into(),
        Value::Bool(_) => no_text(&format!("`{}`", written()), quote()).into(),
        Value::Null => no_text("empty", "write a name before the `:`".into()).into(),
        Value::List(_) => no_text("a list", "a text that begins with `[` is quoted".into()).into(),
        Value::Map(_) => no_text("a map", "a text that begins with `{` is quoted".into()).into(),
    };
    Key { text: written().into(), span: node.span, refused: Some(refusal) }
}
