//! Which column of a table is which attribute of a request, found once from the schema, so that whatever is missing or of
//! the wrong type is told before the first row is read.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow_schema::{ArrowError, DataType, Schema};
use lane_core::{config::At, diagnostic::did_you_mean};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};

use super::{
    Options,
    cells::{Cells, Numbers, Pairs, is_number, is_pairs, is_text},
    needs::Needs,
    rows::HeaderColumns,
};
use crate::{convert, request, router::Loaded};

/// Attributes that have one column, by the names by which tables are read.
const PLAIN: [&str; 7] = ["method", "authority", "path", "roll", "source_service", "source_lane", "source_ip"];
/// Attributes whose columns are only taken where they are mapped: the words are too common.
const MAPPED: [&str; 2] = ["gateway", "service"];
/// Columns of pairs.
const PAIRS: [&str; 2] = ["headers", "source_labels"];
/// What begins the name of a column of one header, cookie, label, or remembered lane.
const PREFIXES: [&str; 4] = ["header:", "cookie:", "label:", "remembered:"];

/// Where an attribute comes from.
#[derive(Clone)]
enum Origin {
    /// The column at this position.
    Column(usize),
    /// The field of the struct in the column at this position.
    Field(usize, usize),
    /// This value in every row.
    Constant(Option<Vec<u8>>),
}

/// How requests are read from the batches of a stream.
pub(super) struct Plan {
    origins: BTreeMap<String, Origin>,
    pub(super) at: At,
    /// The gateway, or the called service, where no column names it.
    pub(super) place: String,
    /// The headers that were recorded; none where all that matter were.
    pub(super) recorded: Option<Vec<String>>,
    needs: Needs,
    /// Whether results tell of headers that no rule reads.
    tells_headers: bool,
}

impl Plan {
    /// Reads a schema. `tells_headers`: results tell of headers that no rule reads.
    pub(super) fn new(loaded: &Loaded, schema: &Schema, options: &Options<'_, '_>, tells_headers: bool) -> PyResult<Self> {
        let mut origins = by_name(schema)?;
        let mapped = mapped(schema, options, &mut origins)?;
        constants(options, &mut origins)?;
        let at = if options.service.is_some() || mapped.contains("service") { At::Hop } else { At::Gateway };
        let needs = Needs::of(&loaded.config, at);
        let place = place(loaded, options, &mapped, at)?;
        headers_of_struct(schema, &mut origins);
        for (name, origin) in &origins {
            check_type(schema, name, origin)?;
        }
        let mut plan = Self { origins, at, place, recorded: None, needs, tells_headers };
        plan.recorded = plan.recorded_headers(options)?;
        plan.check_needs(schema)?;
        Ok(plan)
    }

    fn has(&self, name: &str) -> bool {
        self.origins.contains_key(name)
    }

    /// Whether the rules read this attribute of who calls.
    pub(super) fn reads(&self, attribute: &str) -> bool {
        self.needs.others.contains(attribute)
    }

    /// The names of the columns that begin so, without their beginning.
    fn named<'p>(&'p self, prefix: &'p str) -> impl Iterator<Item = (&'p str, &'p Origin)> {
        self.origins.iter().filter_map(move |(name, origin)| Some((name.strip_prefix(prefix)?, origin)))
    }

    /// The headers that were recorded, unless all that matter were.
    fn recorded_headers(&self, options: &Options<'_, '_>) -> PyResult<Option<Vec<String>>> {
        let given = options.recorded.filter(|names| !names.is_none()).map(|names| convert::texts("recorded", names)).transpose()?;
        if given.is_none() && matches!(self.origins.get("headers"), Some(Origin::Column(_))) {
            return Ok(None);
        }
        let mut recorded: BTreeSet<String> = given.into_iter().flatten().map(|name| name.to_ascii_lowercase()).collect();
        recorded.extend(self.named("header:").map(|(name, _)| name.to_ascii_lowercase()));
        if self.named("cookie:").next().is_some() {
            recorded.insert("cookie".into());
        }
        let all = self.needs.headers.iter().all(|header| recorded.contains(header));
        Ok((!all).then(|| recorded.into_iter().collect()))
    }

    /// That whatever cannot be "not recorded" is there.
    fn check_needs(&self, schema: &Schema) -> PyResult<()> {
        let cookies: Vec<&str> = self.named("cookie:").map(|(name, _)| name).collect();
        let has_line = self.has("header:cookie");
        if !cookies.is_empty() {
            if has_line {
                return Err(PyValueError::new_err("cookies are given twice: as `header:cookie` and as columns of their own"));
            }
            if let Some(missing) = self.needs.cookies.iter().find(|cookie| !cookies.contains(&cookie.as_str())) {
                return Err(PyValueError::new_err(format!(
                    "the rules read the cookie `{missing}`, but only other cookies have columns: add a column `cookie:{missing}`, \
                     or give the whole header as `header:cookie`"
                )));
            }
        }
        // Labels are all there, or each that is read.
        let has_labels = self.needs.labels.iter().all(|label| self.has(&format!("label:{label}")));
        for needed in &self.needs.others {
            let is_there = self.has(needed) || (*needed == "source_labels" && has_labels);
            if !is_there {
                return Err(missing(schema, needed, &format!("the rules read `{needed}`")));
            }
        }
        if self.at == At::Hop {
            let tells = ["source_lane", "source_labels", "source_service"].iter().any(|name| self.has(name));
            if !tells && self.named("label:").next().is_none() {
                return Err(missing(schema, "source_lane", "a call may belong to its caller's own lane"));
            }
            for group in &self.needs.remembered {
                let name = format!("remembered:{group}");
                if !self.has(&name) {
                    return Err(missing(schema, &name, &format!("the context of group `{group}` is a trace id")));
                }
            }
        }
        Ok(())
    }

    /// The columns of a batch.
    pub(super) fn batch(&self, batch: &RecordBatch) -> Result<Batch, ArrowError> {
        let cells = |name: &str| self.origins.get(name).map(|origin| cells(batch, origin)).transpose();
        let several = |prefix: &str, wanted: &dyn Fn(&str) -> bool| {
            let matching = self.named(prefix).filter(|(name, _)| wanted(name));
            matching.map(|(name, origin)| Ok((name.to_owned(), self::cells(batch, origin)?))).collect::<Result<Vec<_>, ArrowError>>()
        };
        let pairs = |name: &str| match self.origins.get(name) {
            Some(Origin::Column(position)) => Ok(Some(Pairs::of(column(batch, *position)?)?)),
            _ => Ok::<_, ArrowError>(None),
        };
        let roll = match self.origins.get("roll") {
            None => Numbers::Constant(None),
            Some(Origin::Constant(None)) => Numbers::Constant(None),
            Some(Origin::Column(position)) => Numbers::of(column(batch, *position)?)?,
            Some(origin) => Numbers::Text(self::cells(batch, origin)?),
        };
        Ok(Batch {
            rows: batch.num_rows(),
            place: cells(if self.at == At::Hop { "service" } else { "gateway" })?,
            method: cells("method")?,
            authority: cells("authority")?,
            path: cells("path")?,
            roll,
            headers: HeaderColumns {
                // Headers that nothing reads need not be looked at in every row.
                single: several("header:", &|name| self.tells_headers || self.needs.headers.contains(name))?,
                cookies: several("cookie:", &|name| self.needs.cookies.contains(name))?,
                pairs: pairs("headers")?,
            },
            source_service: cells("source_service")?,
            source_lane: cells("source_lane")?,
            source_ip: if self.reads("source_ip") { cells("source_ip")? } else { None },
            labels: several("label:", &|_| true)?,
            label_pairs: pairs("source_labels")?,
            remembered: several("remembered:", &|_| true)?,
        })
    }
}

/// The columns of one batch, by what they are.
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) place: Option<Cells>,
    pub(super) method: Option<Cells>,
    pub(super) authority: Option<Cells>,
    pub(super) path: Option<Cells>,
    pub(super) roll: Numbers,
    pub(super) headers: HeaderColumns,
    pub(super) source_service: Option<Cells>,
    pub(super) source_lane: Option<Cells>,
    pub(super) source_ip: Option<Cells>,
    pub(super) labels: Vec<(String, Cells)>,
    pub(super) label_pairs: Option<Pairs>,
    pub(super) remembered: Vec<(String, Cells)>,
}

fn column(batch: &RecordBatch, position: usize) -> Result<&ArrayRef, ArrowError> {
    batch.columns().get(position).ok_or_else(|| ArrowError::SchemaError("a batch has fewer columns than its schema".into()))
}

fn cells(batch: &RecordBatch, origin: &Origin) -> Result<Cells, ArrowError> {
    match origin {
        Origin::Constant(value) => Ok(Cells::Constant(value.clone())),
        Origin::Column(position) => Cells::of(column(batch, *position)?),
        Origin::Field(position, field) => {
            let outer = column(batch, *position)?;
            let inner = outer.as_struct_opt().and_then(|fields| fields.columns().get(*field));
            let inner = inner.ok_or_else(|| ArrowError::SchemaError("a batch has fewer fields than its schema".into()))?;
            Cells::of(&under(inner, outer))
        }
    }
}

/// A field's values where its struct is not null.
fn under(inner: &ArrayRef, outer: &ArrayRef) -> ArrayRef {
    let nulls = arrow_buffer::NullBuffer::union(inner.nulls(), outer.nulls());
    let data = inner.to_data().into_builder().nulls(nulls);
    // The same buffers with fewer values: what was valid stays so.
    data.build().map_or_else(|_| inner.clone(), arrow_array::make_array)
}

/// The columns that are what their names say.
fn by_name(schema: &Schema) -> PyResult<BTreeMap<String, Origin>> {
    let mut origins = BTreeMap::new();
    for (position, field) in schema.fields().iter().enumerate() {
        let name = field.name();
        if !PLAIN.contains(&name.as_str()) && !PAIRS.contains(&name.as_str()) && !PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        if origins.insert(canonical(name), Origin::Column(position)).is_some() {
            return Err(PyValueError::new_err(format!("two columns are called `{name}`")));
        }
    }
    Ok(origins)
}

/// Header names without regard to case.
fn canonical(name: &str) -> String {
    if name.starts_with("header:") { name.to_ascii_lowercase() } else { name.to_owned() }
}

/// The columns that the caller named; returns for what.
fn mapped(schema: &Schema, options: &Options<'_, '_>, origins: &mut BTreeMap<String, Origin>) -> PyResult<BTreeSet<String>> {
    let mut mapped = BTreeSet::new();
    let Some(columns) = options.columns.filter(|columns| !columns.is_none()) else { return Ok(mapped) };
    for (what, column) in convert::pairs("columns", columns)? {
        let what = attribute("columns", &what)?;
        if column.is_none() {
            origins.remove(&what);
            continue;
        }
        let column = convert::text(&format!("columns[{what:?}]"), &column)?;
        let position = schema.fields().iter().position(|field| *field.name() == column);
        let Some(position) = position else {
            let names = || schema.fields().iter().map(|field| field.name().as_str());
            let help = did_you_mean(&column, names());
            let help = help.unwrap_or_else(|| format!("there are: {}", names().collect::<Vec<_>>().join(", ")));
            return Err(PyValueError::new_err(format!("there is no column `{column}` for `{what}`; {help}")));
        };
        mapped.insert(what.clone());
        origins.insert(what, Origin::Column(position));
    }
    Ok(mapped)
}

/// The values that are the same in every row.
fn constants(options: &Options<'_, '_>, origins: &mut BTreeMap<String, Origin>) -> PyResult<()> {
    let Some(constants) = options.constants.filter(|constants| !constants.is_none()) else { return Ok(()) };
    for (what, value) in convert::pairs("constants", constants)? {
        let what = attribute("constants", &what)?;
        let value = match what.as_str() {
            _ if value.is_none() => None,
            "roll" => Some(request::read_roll(&value)?.to_string().into_bytes()),
            "headers" | "source_labels" => {
                return Err(PyValueError::new_err(format!(
                    "`{what}` cannot be a constant; give its entries, such as `header:NAME` or `label:NAME`"
                )));
            }
            "gateway" | "service" => {
                return Err(PyValueError::new_err(format!("`{what}` is an argument of its own: {what}=…")));
            }
            _ => Some(convert::bytes(&format!("constants[{what:?}]"), &value)?.0),
        };
        origins.insert(what, Origin::Constant(value));
    }
    Ok(())
}

/// The name of an attribute.
fn attribute(what: &str, name: &Bound<'_, PyAny>) -> PyResult<String> {
    let name = convert::text(what, name)?;
    let known = || PLAIN.iter().chain(&MAPPED).chain(&PAIRS).copied();
    if known().any(|attribute| attribute == name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix) && name.len() > prefix.len()) {
        return Ok(canonical(&name));
    }
    let all = known().chain(["header:NAME", "cookie:NAME", "label:NAME", "remembered:GROUP"]).collect::<Vec<_>>().join(", ");
    let help = did_you_mean(&name, known()).unwrap_or_else(|| format!("there are: {all}"));
    Err(PyValueError::new_err(format!("`{what}` names `{name}`, which is no attribute of a request; {help}")))
}

/// The gateway or the service that is asked, where no column says.
fn place(loaded: &Loaded, options: &Options<'_, '_>, mapped: &BTreeSet<String>, at: At) -> PyResult<String> {
    let (gateway, service) = (options.gateway.as_deref(), options.service.as_deref());
    let twice = |name: &str| PyValueError::new_err(format!("`{name}` is given twice: as an argument and as a column"));
    match at {
        At::Hop if gateway.is_some() || mapped.contains("gateway") => {
            Err(PyTypeError::new_err("requests are asked at a `gateway` or at a `service`, not at both"))
        }
        At::Hop if service.is_some() && mapped.contains("service") => Err(twice("service")),
        At::Hop => Ok(service.unwrap_or_default().into()),
        At::Gateway if mapped.contains("gateway") && gateway.is_some() => Err(twice("gateway")),
        At::Gateway if mapped.contains("gateway") => Ok(String::new()),
        At::Gateway => loaded.gateway(gateway),
    }
}

/// A struct of headers is a column for each of its fields.
fn headers_of_struct(schema: &Schema, origins: &mut BTreeMap<String, Origin>) {
    let Some(Origin::Column(position)) = origins.get("headers").cloned() else { return };
    let Some(field) = schema.fields().get(position) else { return };
    if let DataType::Struct(fields) = field.data_type() {
        origins.remove("headers");
        for (index, field) in fields.iter().enumerate() {
            origins.entry(canonical(&format!("header:{}", field.name()))).or_insert(Origin::Field(position, index));
        }
    }
}

fn check_type(schema: &Schema, what: &str, origin: &Origin) -> PyResult<()> {
    let (field, inner) = match origin {
        Origin::Constant(_) => return Ok(()),
        Origin::Column(position) => (schema.fields().get(*position), None),
        Origin::Field(position, index) => (schema.fields().get(*position), Some(*index)),
    };
    let Some(field) = field else { return Ok(()) };
    let kind = match (inner, field.data_type()) {
        (Some(index), DataType::Struct(fields)) => fields.get(index).map_or(field.data_type(), |field| field.data_type()),
        (_, kind) => kind,
    };
    let (right, wanted) = match what {
        "roll" => (is_number(kind), "whole numbers, or their decimal digits as text"),
        "headers" => (is_pairs(kind), "a map or struct of texts, or a list of structs of a name and a value"),
        "source_labels" => (is_pairs(kind), "a map of texts, or a list of structs of a name and a value"),
        _ => (is_text(kind), "text or binary"),
    };
    if right {
        return Ok(());
    }
    Err(PyTypeError::new_err(format!("the column `{}` for `{what}` must be {wanted}, not {kind}", field.name())))
}

/// That an attribute has no column, and what to do.
fn missing(schema: &Schema, what: &str, why: &str) -> PyErr {
    let names = schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
    PyValueError::new_err(format!(
        "{why}, but there is no column for `{what}` (there are: {names}); name it with columns={{\"{what}\": …}}, or say what it is in \
         every row with constants={{\"{what}\": …}}, None where requests carry none"
    ))
}
